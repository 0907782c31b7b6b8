import { ChartNoAxesColumn, FlaskConical, PenLine, ShieldCheck, Target, type LucideIcon } from "lucide-react";
import type { Starter } from "../../api/copilot.types";
import { copilotApi } from "../../api/endpoints";
import { useResource } from "../../hooks/useResource";
import { LogoMark } from "../../shell/Logo";
import { ErrorState, Skeleton } from "../../ui/Feedback";

const KINDS: [RegExp, LucideIcon][] = [
  [/(write|draft|copy|message|push|email|variant)/i, PenLine],
  [/(comply|complian|rule|allowed|check|claim)/i, ShieldCheck],
  [/(test|experiment|variant|winner|holdout)/i, FlaskConical],
  [/(next best|action|propose|reactivate|who|offer|win back|slipping)/i, Target],
];

function iconOf(starter: Starter): LucideIcon {
  return KINDS.find(([pattern]) => pattern.test(`${starter.label} ${starter.text}`))?.[1] ?? ChartNoAxesColumn;
}

export function Starters({ onAsk }: { onAsk: (text: string) => void }) {
  const { data, loading, error, reload } = useResource("starters", () => copilotApi.starters());
  return (
    <div className="mx-auto flex min-h-full w-full max-w-[46rem] flex-col justify-center px-4 py-10 sm:px-6">
      <LogoMark size={44} />
      <p className="mt-5 text-2xl font-semibold tracking-[-0.025em]">What shall we look into?</p>
      <p className="mt-1.5 max-w-lg text-muted">Insights, next best actions, content, compliance and experiments: five specialists answer together and show their work.</p>
      {error && !data ? <ErrorState error={error} retry={reload} /> : null}
      <ul className="mt-7 grid gap-2.5 sm:grid-cols-2">
        {loading ? [0, 1, 2, 3].map((n) => <li key={n}><Skeleton className="h-[4.6rem] rounded-xl" /></li>) : (data?.items ?? []).map((starter) => {
          const Icon = iconOf(starter);
          return (
            <li key={starter.label}>
              <button type="button" onClick={() => onAsk(starter.text)} data-testid="starter" className="group flex h-full w-full items-start gap-3 rounded-xl border border-line bg-surface p-3.5 text-left shadow-card transition-colors hover:border-accent">
                <span className="flex size-8 shrink-0 items-center justify-center rounded-lg bg-accent-soft text-accent-ink"><Icon size={16} aria-hidden="true" /></span>
                <span className="min-w-0"><span className="block text-[13px] font-semibold">{starter.label}</span><span className="line-clamp-2 block text-[13px] text-muted">{starter.text}</span></span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
