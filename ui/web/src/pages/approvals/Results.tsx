import { Info } from "lucide-react";
import type { ReactNode } from "react";
import type { Arm, ExperimentResults } from "../../api/proposals.types";
import { count, share } from "../../lib/format";
import { Chip, type Tone } from "../../ui/Chip";
import { Banner } from "../../ui/Feedback";
import { Section } from "./Facts";

const STATUS: Record<string, [Tone, string]> = {
  running: ["accent", "Running"], proposed: ["warn", "Winner found, waiting for approval"], promoted: ["good", "Promoted"],
  concluded: ["neutral", "Ended: no winner"], rolled_back: ["bad", "Rolled back"],
};
const ENDED = ["promoted", "concluded", "rolled_back"];

function StatusNote({ results, promotion }: { results: ExperimentResults; promotion: boolean }): ReactNode {
  const known = STATUS[results.status ?? ""];
  if (!known) return promotion ? "measured" : "so far";
  return <span data-testid="experiment-status" data-status={results.status}><Chip tone={known[0]}>{known[1]}</Chip></span>;
}

/** Rates with their intervals on one shared scale. */
function Whisker({ arm, high }: { arm: Arm; high: number }) {
  if (arm.rate === null) return null;
  const at = (value: number) => `${Math.min(100, Math.max(0, (value / high) * 100))}%`;
  const [low, top] = arm.interval ?? [arm.rate, arm.rate];
  return (
    <div aria-hidden="true" className="relative h-4 min-w-24">
      <i className="absolute inset-x-0 top-1/2 h-px bg-line" />
      <i className="absolute top-1/2 h-1.5 -translate-y-1/2 rounded-full bg-accent/35" style={{ left: at(low), width: `calc(${at(top)} - ${at(low)})` }} />
      <i className="absolute top-1/2 size-2.5 -translate-x-1/2 -translate-y-1/2 rounded-full border-2 border-surface bg-accent" style={{ left: at(arm.rate) }} />
    </div>
  );
}

function Boundary({ z, bound, look, looks, ended }: { z: number; bound: number; look: number | null | undefined; looks: number | null | undefined; ended: boolean }) {
  const crossed = Math.abs(z) >= bound;
  const scale = Math.max(Math.abs(z), bound) * 1.15;
  return (
    <div className="mt-4">
      <div className="flex flex-wrap justify-between gap-2 text-[13px]">
        <span>{ended ? "Last look" : "Look"} <strong className="font-semibold">{look ?? "–"}</strong>{looks ? ` of ${looks}` : ""}</span>
        <span className="tabular">z <strong className="font-semibold">{z.toFixed(2)}</strong> {crossed ? "≥" : "<"} bound <strong className="font-semibold">{bound.toFixed(2)}</strong>{crossed ? <span className="ml-2 font-medium text-good">crossed</span> : <span className="ml-2 text-muted">{ended ? "never crossed" : "not crossed"}</span>}</span>
      </div>
      <div aria-hidden="true" className="relative mt-2 h-2 rounded-full bg-sunken">
        <i className={`absolute inset-y-0 left-0 rounded-full ${crossed ? "bg-good" : "bg-accent"}`} style={{ width: `${(Math.abs(z) / scale) * 100}%` }} />
        <i className="absolute -inset-y-1 w-0.5 rounded bg-ink" style={{ left: `${(bound / scale) * 100}%` }} />
      </div>
    </div>
  );
}

export function Results({ results, looks, promotion }: { results: ExperimentResults | null | undefined; looks?: number | null | undefined; promotion: boolean }) {
  if (!results?.arms.length) return null;
  const high = Math.max(...results.arms.map((arm) => arm.interval?.[1] ?? arm.rate ?? 0), 1e-9) * 1.1;
  return (
    <Section title="Experiment arms" note={<StatusNote results={results} promotion={promotion} />}>
      <div className="relative overflow-x-auto rounded-lg border border-line" tabIndex={0} role="group" aria-label="Experiment arms, scrollable">
        <table className="w-full text-left text-[13px] tabular">
          <thead className="bg-sunken text-xs text-muted"><tr>{["Arm", "Sent", "Clicks", "Rate", "95% interval", ""].map((head, i) => <th key={i} scope="col" className="px-3 py-2 font-medium">{head || <span className="sr-only">Rate on a shared scale</span>}</th>)}</tr></thead>
          <tbody>
            {results.arms.map((arm) => (
              <tr key={arm.id} className="border-t border-line" data-testid={`arm-${arm.id}`}>
                <th scope="row" className="px-3 py-2 font-medium">{arm.label}</th>
                <td className="px-3 py-2">{count(arm.sent)}{typeof arm.matured === "number" && arm.matured < arm.sent ? <span className="block text-xs text-muted">{count(arm.matured)} matured</span> : null}</td>
                <td className="px-3 py-2">{count(arm.clicks)}</td>
                <td className="px-3 py-2 font-medium">{share(arm.rate, 2)}</td>
                <td className="px-3 py-2 text-muted whitespace-nowrap">{arm.interval ? `${share(arm.interval[0], 1)}–${share(arm.interval[1], 1)}` : "–"}</td>
                <td className="w-1/4 px-3 py-2"><Whisker arm={arm} high={high} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {typeof results.z === "number" && typeof results.bound === "number" ? <Boundary z={results.z} bound={results.bound} look={results.look} looks={looks} ended={ENDED.includes(results.status ?? "")} /> : null}
      {results.reason && results.status !== "running" ? <p className="mt-2 text-[13px] text-muted" data-testid="experiment-reason">{results.reason}</p> : null}
      {promotion || results.estimate_note ? <Banner className="mt-3"><Info size={15} aria-hidden="true" className="mt-0.5 shrink-0" /><span>{results.estimate_note || "A test that stops early tends to overstate the difference: expect the true effect to be smaller than the estimate at stopping."}</span></Banner> : null}
    </Section>
  );
}
