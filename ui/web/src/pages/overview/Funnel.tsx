import type { FunnelStep } from "../../api/overview.types";
import { cx } from "../../lib/cx";
import { count, share } from "../../lib/format";
import { EmptyState } from "../../ui/Feedback";
import { Panel } from "../../ui/Card";

/** `share` may be of the first step or of the step before; the bar is always of the first. */
function ofPrevious(steps: FunnelStep[]): boolean {
  const step = steps.findLast((s, i) => i > 1 && s.share !== null && s.count > 0);
  if (!step) return true;
  const at = steps.indexOf(step);
  const before = steps[at - 1]?.count || 1;
  const first = steps[0]?.count || 1;
  return Math.abs((step.share ?? 0) - step.count / before) <= Math.abs((step.share ?? 0) - step.count / first);
}

function Row({ step, width, mark }: { step: FunnelStep; width: number; mark: number | null }) {
  return (
    <li className="grid grid-cols-[6rem_minmax(0,1fr)_5.5rem] items-center gap-3 sm:grid-cols-[7rem_minmax(0,1fr)_6rem]">
      <span className="text-[13px]">{step.label}</span>
      <div className="relative h-8 overflow-hidden rounded-md bg-sunken" aria-hidden="true">
        <div className={"h-full rounded-md bg-accent transition-[width] duration-500"} style={{ width: `${Math.max(0.6, width * 100)}%` }} />
        {mark === null ? null : <div title={`Holdout ${share(step.holdout_share)}`} className="absolute inset-y-0 w-[3px] border-x border-surface bg-ink" style={{ left: `calc(${Math.min(1, mark) * 100}% - 1.5px)` }} />}
      </div>
      <div className="text-right leading-tight">
        <p className="text-[13px] font-semibold tabular">{count(step.count)}</p>
        <p className={cx("text-xs tabular", step.worst ? "font-medium text-bad" : "text-muted")}>{share(step.share)}{step.worst ? " · worst" : ""}<span className="sr-only">{step.worst ? " step" : ""}</span></p>
        {step.holdout_share === null || step.holdout_share === undefined ? null : <p className="text-[11px] text-muted tabular">holdout {share(step.holdout_share)}</p>}
      </div>
    </li>
  );
}

export function Funnel({ funnel }: { funnel: { steps: FunnelStep[]; note?: string | null } | null | undefined }) {
  const steps = funnel?.steps ?? [];
  const first = steps[0]?.count || 1;
  const relative = ofPrevious(steps);
  return (
    <Panel title="Activation funnel" note={funnel?.note ?? "Treated customers; the thin line marks the holdout"}>
      {steps.length === 0 ? <EmptyState title="Nobody was reached in this period" text="Choose a longer period or clear a filter." /> : (
        <ol className="space-y-3">
          {steps.map((step, index) => {
            const before = index === 0 ? 1 : (steps[index - 1]?.count ?? 0) / first;
            const hold = step.holdout_share ?? null;
            return <Row key={step.id} step={step} width={step.count / first} mark={hold === null ? null : relative ? hold * before : hold} />;
          })}
        </ol>
      )}
    </Panel>
  );
}
