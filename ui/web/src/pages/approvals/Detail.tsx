import { ArrowLeft, MessagesSquare, Sparkles } from "lucide-react";
import { useCallback } from "react";
import { Link, useLocation } from "react-router";
import { proposalsApi } from "../../api/endpoints";
import type { Proposal } from "../../api/proposals.types";
import { useResource } from "../../hooks/useResource";
import { ago } from "../../lib/format";
import { useClock } from "../../shell/state/clock";
import { useStream } from "../../shell/state/stream";
import { ErrorState, Skeleton } from "../../ui/Feedback";
import { Actions } from "./Actions";
import { Checks } from "./Checks";
import { DeliveryPanel } from "./DeliveryPanel";
import { FilterFunnel, Hash, Plan, Section, Stats, Timeline } from "./Facts";
import { Results } from "./Results";
import { KindIcon, StatusChip } from "./status";
import { Variants } from "./copy/Variants";

function Head({ proposal }: { proposal: Proposal }) {
  const { now } = useClock();
  return (
    <div>
      <p className="text-xs leading-5 text-muted"><span className="mr-1.5 inline-block align-[-2px]"><KindIcon proposal={proposal} size={14} /></span><span className="font-medium">{proposal.id}</span> · {proposal.kind === "promotion" ? "Promotion" : "Campaign"} · {proposal.agent ?? "agent"} · {ago(proposal.created_at, now)}{proposal.created_by ? ` · asked by ${proposal.created_by.name}` : ""}</p>
      <div className="mt-1 flex flex-wrap items-start justify-between gap-2">
        <h2 className="text-lg leading-7 font-semibold tracking-[-0.015em]">{proposal.title}</h2>
        <StatusChip status={proposal.status} />
      </div>
    </div>
  );
}

function Reason({ proposal }: { proposal: Proposal }) {
  if (!proposal.reason) return null;
  return (
    <div className="flex gap-3 rounded-xl bg-accent-soft px-4 py-3.5 text-accent-ink">
      <Sparkles size={17} aria-hidden="true" className="mt-0.5 shrink-0" />
      <p className="text-sm leading-6" data-testid="reason">{proposal.reason}</p>
    </div>
  );
}

function Body({ proposal }: { proposal: Proposal }) {
  const promotion = proposal.kind === "promotion";
  return (
    <div className="space-y-7 px-4 py-5 sm:px-6">
      <Reason proposal={proposal} />
      <DeliveryPanel proposal={proposal} />
      <Results results={proposal.results} looks={proposal.experiment?.looks} promotion={promotion} />
      <Stats proposal={proposal} />
      {proposal.checks?.length ? <Section title="Checks"><Checks checks={proposal.checks} /></Section> : null}
      <Variants proposal={proposal} />
      <div className="grid grid-cols-[minmax(0,1fr)] gap-7 md:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]"><FilterFunnel stages={proposal.funnel} /><div className="min-w-0 space-y-7"><Plan proposal={proposal} /><Hash proposal={proposal} /><Timeline entries={proposal.timeline} /></div></div>
      {proposal.thread_id ? <Link to={`/copilot/${proposal.thread_id}`} className="inline-flex items-center gap-2 text-[13px] font-medium text-accent-ink hover:underline"><MessagesSquare size={15} aria-hidden="true" />Open the conversation it came from</Link> : null}
    </div>
  );
}

/** One proposal with everything needed to decide it, kept fresh by the stream. */
export function Detail({ id, back }: { id: string; back: boolean }) {
  const resource = useResource(id, () => proposalsApi.get(id));
  const { data: proposal, error, reload, set } = resource;
  const { search } = useLocation();
  useStream(["proposal", "delivery", "reconnect"], reload, 1000);
  const onChange = useCallback((next: Proposal) => { set(next); reload(); }, [reload, set]);

  if (!proposal || proposal.id !== id) {
    return error ? <ErrorState error={error} retry={reload} className="py-24" /> : <div className="space-y-4 p-6" role="status" aria-label="Loading the proposal"><Skeleton className="h-7 w-72" /><Skeleton className="h-9 w-64" /><Skeleton className="h-32" /><Skeleton className="h-64" /></div>;
  }
  return (
    <article aria-label={proposal.title} data-testid="proposal-detail">
      <header className="sticky top-0 z-10 space-y-3 border-b border-line bg-surface/95 px-4 py-4 backdrop-blur sm:px-6">
        {back ? <Link to={`/approvals${search}`} className="inline-flex items-center gap-1 text-[13px] font-medium text-muted hover:text-ink"><ArrowLeft size={15} aria-hidden="true" />Queue</Link> : null}
        <Head proposal={proposal} />
        <Actions proposal={proposal} onChange={onChange} keys />
      </header>
      <Body proposal={proposal} />
    </article>
  );
}
