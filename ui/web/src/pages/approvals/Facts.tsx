import type { ReactNode } from "react";
import type { FunnelStage, Proposal, TimelineEntry } from "../../api/proposals.types";
import { cx } from "../../lib/cx";
import { DASH, ago, capital, count, money, share } from "../../lib/format";
import { useClock, useWhen } from "../../shell/state/clock";
import { Chip, riskTone } from "../../ui/Chip";
import { CopyButton } from "../../ui/Sql";
import { nameOf } from "./useProposal";

export function Section({ title, children, note }: { title: string; children: ReactNode; note?: ReactNode }) {
  return <section><h3 className="mb-2 text-sm font-semibold">{title}{note ? <span className="ml-2 text-xs font-normal text-muted">{note}</span> : null}</h3>{children}</section>;
}

function Stat({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="min-w-0 bg-surface px-4 py-3">
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="mt-0.5 text-[15px] font-semibold tabular">{value}{note ? <span className="block truncate text-xs font-normal text-muted">{note}</span> : null}</dd>
    </div>
  );
}

function intervalText(proposal: Proposal): string | null {
  const range = proposal.uplift?.interval;
  if (!range) return null;
  const big = range.some((v) => Math.abs(v) > 1) || Math.abs(proposal.uplift?.value ?? 0) > 1;
  return `${range.map((v) => `${v > 0 ? "+" : ""}${(big ? v : v * 100).toFixed(1)}`).join(" to ")} pp`;
}

/** The figures a manager decides on; what does not apply to this kind of proposal is left out. */
export function Stats({ proposal }: { proposal: Proposal }) {
  const { now } = useClock();
  const when = useWhen();
  const people = proposal.audience;
  const worth = money(proposal.expected_value);
  const rows: [string, ReactNode, ReactNode?][] = [];
  if (people?.count) rows.push(["Audience", count(people.count), [people.label, people.holdout ? `${count(people.holdout)} held out` : null].filter(Boolean).join(" · ") || null]);
  if (proposal.uplift?.display && proposal.uplift.display !== DASH) rows.push(["Expected uplift", proposal.uplift.display, intervalText(proposal)]);
  if (worth !== DASH) rows.push(["Expected value", worth, "over the audience"]);
  if (proposal.channel?.id) rows.push(["Channel and window", proposal.channel.label, proposal.window?.label]);
  rows.push(["Risk", <Chip key="risk" tone={riskTone(proposal.risk)}>{capital(proposal.risk ?? "not rated")}</Chip>]);
  if (proposal.deadline && proposal.status === "pending") rows.push(["Decide by", ago(proposal.deadline, now), when(proposal.deadline)]);
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line sm:grid-cols-3">
      {rows.map(([label, value, note]) => <Stat key={label} label={label} value={value} note={note} />)}
      {rows.length % 2 ? <div className="bg-surface sm:hidden" /> : null}
      {rows.length % 3 ? <div className={cx("hidden bg-surface sm:block", rows.length % 3 === 1 && "col-span-2")} /> : null}
    </dl>
  );
}

const words = (stage: string) => capital(stage.replaceAll("_", " "));

/** Who was left out of the audience at each stage, and why. */
export function FilterFunnel({ stages }: { stages: FunnelStage[] | null | undefined }) {
  if (!stages?.length) return null;
  const shown = stages.filter((stage, i) => i === 0 || stage.removed > 0);
  const quiet = stages.filter((stage) => !shown.includes(stage));
  const first = Math.max(...stages.map((stage) => stage.left + stage.removed), 1);
  return (
    <Section title="How the audience was chosen">
      <ol className="space-y-2.5">
        {shown.map((stage) => (
          <li key={stage.stage} className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 text-[13px]">
            <span className="font-medium">{words(stage.stage)}</span>
            <span className="text-right tabular"><span className="font-medium">{count(stage.left)}</span>{stage.removed ? <span className="text-muted"> (−{count(stage.removed)})</span> : null}</span>
            <span aria-hidden="true" className="col-span-2 mt-1 h-1.5 overflow-hidden rounded-full bg-sunken"><i className="block h-full rounded-full bg-accent" style={{ width: `${(stage.left / first) * 100}%` }} /></span>
            {stage.reason ? <span className="col-span-2 mt-1 text-xs text-muted">{stage.reason}</span> : null}
          </li>
        ))}
      </ol>
      {quiet.length > 0 ? <p className="mt-3 text-xs text-muted">Nobody was left out by {quiet.map((stage) => words(stage.stage).toLowerCase()).join(", ")}.</p> : null}
    </Section>
  );
}

export function Plan({ proposal }: { proposal: Proposal }) {
  const plan = proposal.experiment;
  if (!plan) return null;
  return (
    <Section title="Experiment plan">
      <ul className="space-y-1 text-[13px] text-muted">
        <li>Decided on <strong className="font-medium text-ink">{plan.metric}</strong>{plan.looks ? `, at most ${plan.looks} looks` : ""}{plan.min_days ? `, not before ${plan.min_days} days` : ""}.</li>
        {plan.holdout_share ? <li><strong className="font-medium text-ink">{share(plan.holdout_share)}</strong> get nothing, so that the effect can be measured.</li> : null}
        <li>Stops early only when a group-sequential bound is crossed{plan.alpha ? ` (α ${plan.alpha})` : ""}; opt-outs and complaints are watched.</li>
      </ul>
    </Section>
  );
}

export function Timeline({ entries }: { entries: TimelineEntry[] | null | undefined }) {
  const when = useWhen();
  if (!entries?.length) return null;
  return (
    <Section title="Timeline">
      <ol className="relative ml-1 space-y-3 border-l border-line pl-4">
        {entries.map((entry, index) => (
          <li key={index} className="relative text-[13px]">
            <span aria-hidden="true" className="absolute top-1.5 -left-[20.5px] size-2 rounded-full border-2 border-surface bg-accent" />
            <p><span className="font-medium">{nameOf(entry.actor) || "System"}</span> <span className="text-muted">{entry.what}</span></p>
            <p className="text-xs text-muted tabular">{when(entry.at)}</p>
          </li>
        ))}
      </ol>
    </Section>
  );
}

export function Hash({ proposal }: { proposal: Proposal }) {
  return (
    <Section title="Payload">
      <div className="flex items-center gap-1 rounded-lg border border-line bg-sunken py-1 pr-1 pl-3">
        <code className="min-w-0 flex-1 truncate font-mono text-xs" data-testid="payload-hash">{proposal.payload_hash}</code>
        <CopyButton text={proposal.payload_hash} label="Copy the payload hash" />
      </div>
      <p className="mt-1.5 text-xs text-muted">Version {proposal.version ?? 1}. An approval is bound to this hash: copy, audience, rules and models. Any edit voids it.</p>
    </Section>
  );
}
