import { X } from "lucide-react";
import type { Citation } from "../../api/copilot.types";
import { IconButton } from "../../ui/Button";

/** The passages an answer leans on. */
export function SourceList({ items }: { items: Citation[] }) {
  return (
    <ol className="space-y-3">
      {items.map((citation, index) => (
        <li key={index} className="rounded-xl border border-line bg-surface p-3.5 text-[13px]">
          <p className="flex gap-2 font-semibold"><span className="flex size-5 shrink-0 items-center justify-center rounded-md bg-accent-soft text-[11px] text-accent-ink tabular">{index + 1}</span>{citation.title}</p>
          {citation.text ? <blockquote className="mt-2 border-l-2 border-line-strong pl-3 leading-6 text-muted">{citation.text}</blockquote> : null}
          {citation.source ? <p className="mt-2 font-mono text-[11px] break-all text-muted">{citation.source}</p> : null}
        </li>
      ))}
    </ol>
  );
}

export function SourcesPane({ items, onClose }: { items: Citation[]; onClose: () => void }) {
  return (
    <aside aria-label="Sources" className="flex w-80 shrink-0 animate-slide-in flex-col border-l border-line bg-page" data-testid="sources-pane">
      <div className="flex h-12 items-center justify-between px-4"><h2 className="text-sm font-semibold">Sources</h2><IconButton label="Close the sources" className="-mr-2" onClick={onClose}><X size={17} aria-hidden="true" /></IconButton></div>
      <div className="relative min-h-0 flex-1 overflow-y-auto px-4 pb-4"><SourceList items={items} /></div>
    </aside>
  );
}
