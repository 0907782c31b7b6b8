import { Check, ChevronDown, X } from "lucide-react";
import { useState } from "react";
import type { Step } from "../../../api/copilot.types";
import { cx } from "../../../lib/cx";
import { milliseconds } from "../../../lib/format";
import { Spinner } from "../../../ui/Feedback";

function Mark({ status }: { status: Step["status"] }) {
  if (status === "running") return <span className="text-accent-ink"><Spinner size={15} /></span>;
  if (status === "failed") return <X size={16} className="text-bad" aria-hidden="true" />;
  return <Check size={16} className="text-accent-ink" aria-hidden="true" />;
}

function Row({ step }: { step: Step }) {
  const [open, setOpen] = useState(false);
  return (
    <li data-testid="step" data-status={step.status} className="border-b border-line last:border-0">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="flex w-full items-start gap-3 px-4 py-2 text-left text-[13px] hover:bg-sunken">
        <span className="mt-0.5 shrink-0"><Mark status={step.status} /></span>
        <span className={cx("min-w-0 flex-1", !open && "truncate")}><span className="font-medium">{step.agent}</span><span className="sr-only">, {step.status}</span> <span className="ml-1 text-muted">{step.text}</span></span>
        <span className="shrink-0 text-xs leading-5 text-muted tabular">{milliseconds(step.ms)}</span>
      </button>
    </li>
  );
}

/** Who worked on the answer, on what, for how long. Finished answers fold the list to one line. */
export function Steps({ steps, live = false }: { steps: Step[]; live?: boolean }) {
  const [open, setOpen] = useState(false);
  if (steps.length === 0) return null;
  const list = <ol aria-label="Agent steps" className="overflow-hidden rounded-xl border border-line bg-surface shadow-card">{steps.map((step) => <Row key={step.id} step={step} />)}</ol>;
  if (live || steps.length > 2) return <div aria-live={live ? "polite" : undefined}>{list}</div>;
  const total = steps.reduce((sum, step) => sum + (step.ms ?? 0), 0);
  return (
    <div>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="mb-1.5 inline-flex items-center gap-1.5 rounded-md text-xs text-muted hover:text-ink">
        <Check size={14} className="text-accent-ink" aria-hidden="true" />{steps.map((s) => s.agent).join(", ")} · <span className="tabular">{milliseconds(total)}</span><ChevronDown size={14} aria-hidden="true" className={cx("transition-transform", open && "rotate-180")} />
      </button>
      {open ? list : null}
    </div>
  );
}
