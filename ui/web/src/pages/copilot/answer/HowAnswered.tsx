import { ChevronRight } from "lucide-react";
import type { Message } from "../../../api/copilot.types";
import { asDate, count, span } from "../../../lib/format";
import { useWhen } from "../../../shell/state/clock";
import { Sql } from "../../../ui/Sql";

function fresh(value: Message["freshness"], when: (iso: string) => string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return span(value) === "now" ? "a moment ago" : `${span(value)} ago`;
  return asDate(value) ? when(value) : value;
}

/** The question as it was understood, the query that ran, and how much it read. */
export function HowAnswered({ message }: { message: Message }) {
  const when = useWhen();
  if (!message.sql && !message.spec_text) return null;
  const freshness = fresh(message.freshness, when);
  return (
    <details className="group rounded-xl border border-line bg-surface" data-testid="how-answered">
      <summary className="flex list-none items-center gap-2 rounded-xl px-4 py-2.5 text-[13px] font-medium text-muted hover:text-ink">
        <ChevronRight size={15} aria-hidden="true" className="transition-transform group-open:rotate-90" />How this was answered
        <span className="ml-auto text-xs font-normal tabular">{message.row_count === null || message.row_count === undefined ? "" : `${count(message.row_count)} row${message.row_count === 1 ? "" : "s"}`}</span>
      </summary>
      <div className="space-y-3 border-t border-line px-4 py-3 text-[13px]">
        {message.spec_text ? <p><span className="text-muted">Understood as: </span>{message.spec_text}</p> : null}
        {message.sql ? <Sql text={message.sql} /> : null}
        {freshness ? <p className="text-xs text-muted">Data as of {freshness}.</p> : null}
      </div>
    </details>
  );
}
