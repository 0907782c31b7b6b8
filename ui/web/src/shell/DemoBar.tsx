import { CalendarDays, CalendarRange, FlaskConical, SkipForward, type LucideIcon } from "lucide-react";
import type { AdvanceRequest } from "../api/types";
import { useMedia } from "../hooks/useMedia";
import { cx } from "../lib/cx";
import { capital, clockFace } from "../lib/format";
import { useClock } from "./state/clock";

interface Step { id: string; label: string; short: string; icon: LucideIcon; request: AdvanceRequest }

const STEPS: Step[] = [
  { id: "advance-window", label: "Skip to next window", short: "Next window", icon: SkipForward, request: { until: "next_window" } },
  { id: "advance-day", label: "Let a day pass", short: "+1 day", icon: CalendarDays, request: { days: 1 } },
  { id: "advance-week", label: "Let a week pass", short: "+1 week", icon: CalendarRange, request: { days: 7 } },
];

function Progress({ progress, doing }: { progress: number; doing: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, progress)) * 100);
  return (
    <div className="flex min-w-0 flex-1 items-center gap-2.5" data-testid="advance-progress">
      <span className="min-w-0 truncate text-xs text-muted">{capital(doing) || "Customers are answering"}</span>
      <div role="progressbar" aria-label="Demo time passing" aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} className="h-1.5 w-24 shrink-0 overflow-hidden rounded-full bg-line sm:w-40">
        <div className="h-full rounded-full bg-accent transition-[width] duration-300" style={{ width: `${percent}%` }} />
      </div>
      <span className="w-8 shrink-0 text-right text-xs font-medium tabular">{percent}%</span>
    </div>
  );
}

/** Says at all times that the data are made up, shows the bank's clock, and lets time pass where it can. */
export function DemoBar() {
  const { now, zone, canAdvance, running, progress, doing, advance } = useClock();
  const wide = useMedia("(min-width: 768px)");
  return (
    <div role="region" aria-label="Demo bank" className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line bg-surface px-4 py-1.5 sm:px-6">
      <span className="inline-flex items-center gap-1.5 rounded-full border border-warn-line bg-warn-soft px-2 py-0.5 text-xs font-semibold text-warn" data-testid="demo-label">
        <FlaskConical size={13} aria-hidden="true" />Demo data
      </span>
      <p className="text-[13px] tabular" data-testid="demo-clock" title={zone ? `The bank's time, ${zone}` : undefined}><span className="hidden text-muted min-[420px]:inline">Demo bank · </span><time dateTime={new Date(now).toISOString()}>{clockFace(new Date(now), zone)}</time></p>
      {canAdvance || running ? (
        <div className={cx("flex min-w-0 items-center gap-1", wide ? "ml-auto" : "w-full")}>
          {running ? <Progress progress={progress} doing={doing} /> : STEPS.map((step) => (
            <button
              key={step.id} type="button" data-testid={step.id} title={step.label} onClick={() => advance(step.request)}
              className={cx("inline-flex h-7 items-center justify-center gap-1.5 rounded-md px-2 text-xs font-medium text-muted transition-colors hover:bg-sunken hover:text-ink", !wide && "flex-1 border border-line")}
            >
              <step.icon size={14} aria-hidden="true" />{wide ? step.label : step.short}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}
