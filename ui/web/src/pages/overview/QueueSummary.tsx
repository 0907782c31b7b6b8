import { ArrowRight, CircleCheck } from "lucide-react";
import { Link } from "react-router";
import type { Proposal } from "../../api/proposals.types";
import { DASH, ago, capital, count, money } from "../../lib/format";
import { plain } from "../../lib/slots";
import { useClock } from "../../shell/state/clock";
import { pendingOf, useQueue } from "../../shell/state/queue";
import { Panel } from "../../ui/Card";
import { Chip, riskTone } from "../../ui/Chip";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";

function Row({ proposal, now }: { proposal: Proposal; now: number }) {
  const variant = proposal.variants?.[0];
  return (
    <li>
      <Link to={`/approvals/${proposal.id}`} className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 border-t border-line py-3 hover:bg-sunken sm:px-2 md:grid-cols-[minmax(0,5fr)_minmax(0,6fr)_4.5rem_5rem_5rem_1rem]">
        <span className="min-w-0">
          <span className="block truncate text-[13px] font-semibold">{proposal.title}</span>
          <span className="block truncate text-xs text-muted">{proposal.id} · {proposal.agent ?? proposal.created_by?.name ?? "agent"} · {ago(proposal.created_at, now)}</span>
        </span>
        <span className="hidden truncate text-[13px] text-muted md:block">{variant ? plain(variant.body, variant.figures) : (proposal.reason ?? "")}</span>
        <span className="hidden text-right text-[13px] font-medium tabular md:block">{count(proposal.audience?.count)}<span className="block text-xs font-normal text-muted">people</span></span>
        <span className="hidden text-right text-[13px] font-medium tabular md:block">{proposal.uplift?.display && proposal.uplift.display !== DASH ? proposal.uplift.display : money(proposal.expected_value)}<span className="block text-xs font-normal text-muted">{proposal.uplift?.display && proposal.uplift.display !== DASH ? "uplift" : "value"}</span></span>
        <span className="text-right"><Chip tone={riskTone(proposal.risk)}>{capital(proposal.risk ?? "–")}</Chip></span>
        <ArrowRight size={15} aria-hidden="true" className="hidden text-muted md:block" />
      </Link>
    </li>
  );
}

export function QueueSummary() {
  const queue = useQueue();
  const { now } = useClock();
  const { items, count: pending } = pendingOf(queue.data);
  return (
    <Panel title="Approval queue" note={pending ? "Waiting for a manager; nothing is sent before" : "Nothing is sent without an approval"} action={pending ? <Chip tone="warn">{pending} pending</Chip> : null}>
      {queue.loading ? <Skeleton className="h-32" /> : queue.error && !queue.data ? <ErrorState error={queue.error} retry={queue.reload} /> : items.length === 0 ? (
        <EmptyState icon={CircleCheck} title="The queue is empty" text="Ask the copilot for a next best action; its proposal will wait here." action={<Link to="/copilot" className="mt-1 text-[13px] font-medium text-accent-ink hover:underline">Open the copilot</Link>} />
      ) : (
        <>
          <ul>{items.slice(0, 3).map((proposal) => <Row key={proposal.id} proposal={proposal} now={now} />)}</ul>
          <Link to="/approvals" className="mt-2 inline-flex items-center gap-1 text-[13px] font-medium text-accent-ink hover:underline">Open the queue<ArrowRight size={14} aria-hidden="true" /></Link>
        </>
      )}
    </Panel>
  );
}
