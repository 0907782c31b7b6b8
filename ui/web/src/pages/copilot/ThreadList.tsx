import { Plus, Search, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import type { ThreadSummary } from "../../api/copilot.types";
import { cx } from "../../lib/cx";
import { ago } from "../../lib/format";
import { useClock } from "../../shell/state/clock";
import { Button } from "../../ui/Button";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";

export interface ThreadListProps {
  threads: ThreadSummary[]; loading: boolean; error: unknown; active: string | undefined;
  onRetry: () => void; onNew: () => void; onDelete: (id: string) => void; onPick?: () => void;
}

function Row({ thread, active, onDelete, onPick }: { thread: ThreadSummary; active: boolean; onDelete: () => void; onPick?: (() => void) | undefined }) {
  const [sure, setSure] = useState(false);
  const { now } = useClock();
  const title = thread.title || "New conversation";
  return (
    <li className={cx("group relative flex items-center rounded-lg", active ? "bg-accent-soft" : "hover:bg-sunken")}>
      <Link to={`/copilot/${thread.id}`} onClick={onPick} aria-current={active ? "page" : undefined} className="min-w-0 flex-1 rounded-lg px-2.5 py-2 max-lg:pr-9">
        <span className={cx("block truncate text-[13px] font-medium", active && "text-accent-ink")}>{title}</span>
        <span className="block text-[11px] text-muted">{thread.updated_at ? ago(thread.updated_at, now) : ""}</span>
      </Link>
      <button
        type="button" aria-label={sure ? `Really delete ${title}` : `Delete ${title}`} title={sure ? "Click again to delete" : "Delete"} onBlur={() => setSure(false)}
        onClick={() => { if (sure) onDelete(); else setSure(true); }}
        className={cx("absolute top-1/2 right-1 flex h-7 -translate-y-1/2 items-center justify-center rounded-md px-1.5 text-xs opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 focus-visible:opacity-100 max-lg:opacity-100", sure ? "bg-bad-soft text-bad opacity-100" : active ? "bg-accent-soft text-muted hover:text-bad" : "text-muted group-hover:bg-sunken hover:text-bad")}
      >
        {sure ? "Delete?" : <Trash2 size={14} aria-hidden="true" />}
      </button>
    </li>
  );
}

export function ThreadList({ threads, loading, error, active, onRetry, onNew, onDelete, onPick }: ThreadListProps) {
  const [needle, setNeedle] = useState("");
  const shown = threads.filter((t) => (t.title ?? "").toLowerCase().includes(needle.trim().toLowerCase()));
  return (
    <div className="flex h-full flex-col gap-3 p-3">
      <Button onClick={onNew} className="w-full" data-testid="new-thread"><Plus size={16} aria-hidden="true" />New conversation</Button>
      <label className="flex h-8 items-center gap-2 rounded-lg border border-line bg-page px-2.5 text-muted focus-within:border-accent"><Search size={14} aria-hidden="true" /><span className="sr-only">Search conversations</span><input type="search" value={needle} onChange={(e) => setNeedle(e.target.value)} placeholder="Search" className="w-full bg-transparent text-[13px] text-ink outline-none placeholder:text-muted" /></label>
      <nav aria-label="Conversations" className="relative -mx-1 min-h-0 flex-1 overflow-y-auto px-1">
        {loading ? <div className="space-y-2">{[0, 1, 2].map((n) => <Skeleton key={n} className="h-10" />)}</div> : error && threads.length === 0 ? <ErrorState error={error} retry={onRetry} className="px-2" /> : shown.length === 0 ? (
          <EmptyState title={needle ? "Nothing found" : "No conversations yet"} className="px-2 py-8" />
        ) : <ul className="space-y-0.5">{shown.map((thread) => <Row key={thread.id} thread={thread} active={thread.id === active} onDelete={() => onDelete(thread.id)} onPick={onPick} />)}</ul>}
      </nav>
    </div>
  );
}
