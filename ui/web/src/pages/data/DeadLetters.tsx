import { CheckCheck } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { messageOf } from "../../api/client";
import { dataApi } from "../../api/data";
import type { DeadLetter, Source } from "../../api/data.types";
import { useResource } from "../../hooks/useResource";
import { count } from "../../lib/format";
import { useWhen } from "../../shell/state/clock";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";
import { Segmented, Select } from "../../ui/Fields";
import { useToast } from "../../ui/Toast";
import { LetterDrawer } from "./LetterDrawer";

const STATUSES = [{ value: "open", label: "Open" }, { value: "retried", label: "Retried" }, { value: "discarded", label: "Discarded" }];
const PAGE = 50;

function Letter({ letter, onOpen }: { letter: DeadLetter; onOpen: () => void }) {
  const when = useWhen();
  return (
    <li>
      <button type="button" onClick={onOpen} data-testid={`letter-${letter.id}`} className="grid w-full gap-x-4 gap-y-1 px-1 py-3 text-left text-[13px] hover:bg-sunken md:grid-cols-[minmax(0,1fr)_auto]">
        <span className="min-w-0"><span className="font-semibold">{letter.field ? `${letter.field}: ` : ""}{letter.reason}</span><span className="block text-muted">{letter.remedy}</span></span>
        <span className="flex flex-wrap items-center gap-2 text-xs text-muted md:justify-end">
          {letter.contract ? <Chip>{letter.contract}</Chip> : null}
          <span>{letter.source} · {letter.position}</span><span>{when(letter.received_at)}</span>
        </span>
      </button>
    </li>
  );
}

/** What was refused, with the reason and the remedy; a manager mends it and tries again. */
export function DeadLetters({ sources, changed }: { sources: Source[]; changed: () => void }) {
  const [params, setParams] = useSearchParams();
  const status = params.get("status") ?? "open";
  const source = params.get("source") ?? "";
  const [page, setPage] = useState(1);
  const [open, setOpen] = useState<DeadLetter | null>(null);
  const [busy, setBusy] = useState(false);
  const notify = useToast();
  const letters = useResource(`letters ${status} ${source} ${page}`, (signal) => dataApi.letters(status, source, page, signal));
  const choose = (name: string, value: string) => { setPage(1); setParams((old) => { const next = new URLSearchParams(old); next.set("tab", "letters"); if (value) next.set(name, value); else next.delete(name); return next; }); };
  const done = () => { letters.reload(); changed(); };

  const retryAll = async () => {
    setBusy(true);
    try {
      const result = await dataApi.retry({ all: true });
      notify(`${count(result.retried)} accepted, ${count(result.refused)} refused again.`, result.refused ? "bad" : "good");
      done();
    } catch (error) { notify(messageOf(error), "bad"); } finally { setBusy(false); }
  };

  const items = letters.data?.items ?? [];
  const total = letters.data?.total ?? 0;
  return (
    <Panel
      title="Dead letters" note="Records that broke their contract. Good records beside them went on; nothing here is lost."
      action={status === "open" && total > 0 ? <Button size="sm" busy={busy} onClick={() => void retryAll()} data-testid="retry-all">Retry all {count(total)}</Button> : undefined}
    >
      <div className="mb-3 flex flex-wrap gap-2">
        <Segmented label="Status" value={status} options={STATUSES} onChange={(value) => choose("status", value)} />
        {sources.length > 0 ? <Select label="Source" value={source} options={[{ value: "", label: "All sources" }, ...sources.map((one) => ({ value: one.name, label: one.label ?? one.name }))]} onChange={(value) => choose("source", value)} /> : null}
      </div>
      {letters.loading ? <Skeleton className="h-40" /> : letters.error && !letters.data ? <ErrorState error={letters.error} retry={letters.reload} />
        : items.length === 0 ? <EmptyState icon={CheckCheck} title={status === "open" ? "Nothing was refused" : `No ${status} records`} text="Every record that arrived kept to its contract." />
        : <ul className="divide-y divide-line">{items.map((letter) => <Letter key={letter.id} letter={letter} onOpen={() => setOpen(letter)} />)}</ul>}
      {total > PAGE ? (
        <div className="mt-3 flex items-center justify-between text-[13px] text-muted">
          <span>{count((page - 1) * PAGE + 1)}–{count(Math.min(page * PAGE, total))} of {count(total)}</span>
          <span className="flex gap-2"><Button size="sm" disabled={page === 1} onClick={() => setPage(page - 1)}>Previous</Button><Button size="sm" disabled={page * PAGE >= total} onClick={() => setPage(page + 1)}>Next</Button></span>
        </div>
      ) : null}
      <LetterDrawer letter={open} onClose={() => setOpen(null)} onDone={done} />
    </Panel>
  );
}
