import { ArrowRight } from "lucide-react";
import { useCallback, type ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import { proposalsApi } from "../../../api/endpoints";
import type { Proposal } from "../../../api/proposals.types";
import { useResource } from "../../../hooks/useResource";
import { wordDiff } from "../../../lib/diff";
import { capital, count, money } from "../../../lib/format";
import { plain } from "../../../lib/slots";
import { useStream } from "../../../shell/state/stream";
import { Chip, riskTone } from "../../../ui/Chip";
import { ErrorState, Skeleton } from "../../../ui/Feedback";
import { Actions } from "../../approvals/Actions";
import { Checks } from "../../approvals/Checks";
import { Copy, Diff } from "../../approvals/copy/Copy";
import { StatusChip } from "../../approvals/status";

function Stat({ label, children }: { label: string; children: ReactNode }) {
  return <div><dt className="text-xs text-muted">{label}</dt><dd className="mt-0.5 text-sm font-semibold tabular">{children}</dd></div>;
}

function CopyBox({ proposal }: { proposal: Proposal }) {
  const [a, b] = proposal.variants ?? [];
  if (!a) return null;
  if (a.diff?.length) return <div className="rounded-lg border border-line p-3.5"><Diff parts={a.diff} figures={a.figures} /></div>;
  if (!b) return <p className="rounded-lg border border-line p-3.5 text-[13px] leading-6 whitespace-pre-line"><Copy text={a.body} figures={a.figures} /></p>;
  return (
    <div className="divide-y divide-line rounded-lg border border-line">
      {[a, b].map((variant) => (
        <div key={variant.id} className="flex gap-3 p-3.5 text-[13px] leading-6"><Chip tone="accent" className="h-5 self-start">{variant.label}</Chip><div className="min-w-0">{variant.subject ? <p className="font-semibold"><Copy text={variant.subject} figures={variant.figures} /></p> : null}<p className="whitespace-pre-line"><Copy text={variant.body} figures={variant.figures} /></p></div></div>
      ))}
      <details className="group"><summary className="list-none px-3.5 py-2 text-xs font-medium text-accent-ink hover:underline">Show A against B, word by word</summary><div className="px-3.5 pb-3.5"><Diff parts={wordDiff(plain(a.body, a.figures), plain(b.body, b.figures))} /></div></details>
    </div>
  );
}

/** A proposal inside the conversation: the same decision service as the queue. */
export function ProposalCard({ id, known }: { id: string; known: Proposal | undefined }) {
  const resource = useResource(id, () => proposalsApi.get(id));
  const { reload, set } = resource;
  const navigate = useNavigate();
  useStream(["proposal", "reconnect"], reload, 1200);
  const onChange = useCallback((next: Proposal) => { set(next); reload(); }, [reload, set]);
  const proposal = resource.data ?? known;
  if (!proposal) return resource.error ? <ErrorState error={resource.error} retry={reload} /> : <Skeleton className="h-52 rounded-xl" />;
  return (
    <article aria-label={`Proposal ${proposal.title}`} data-testid="proposal-card" data-id={proposal.id} className="animate-rise rounded-xl border border-line bg-surface p-4 shadow-card sm:p-5">
      <header className="mb-4 flex items-start justify-between gap-3">
        <div className="min-w-0"><h3 className="text-[15px] font-semibold">{proposal.title}</h3><p className="mt-0.5 text-[13px] text-muted">{[proposal.id, proposal.channel?.label, proposal.window?.label].filter(Boolean).join(" · ")}</p></div>
        <StatusChip status={proposal.status} />
      </header>
      <dl className="mb-4 grid grid-cols-2 gap-3 sm:grid-cols-4">
        <Stat label="Audience">{count(proposal.audience?.count)}</Stat>
        <Stat label="Uplift">{proposal.uplift?.display ?? "–"}</Stat>
        <Stat label="Expected value">{money(proposal.expected_value)}</Stat>
        <Stat label="Risk"><Chip tone={riskTone(proposal.risk)}>{capital(proposal.risk ?? "not rated")}</Chip></Stat>
      </dl>
      {proposal.reason ? <p className="mb-4 text-[13px] leading-6 text-muted">{proposal.reason}</p> : null}
      <CopyBox proposal={proposal} />
      {proposal.checks?.length ? <div className="mt-3"><Checks checks={proposal.checks} /></div> : null}
      <div className="mt-4 border-t border-line pt-4"><Actions proposal={proposal} onChange={onChange} onEdit={() => void navigate(`/approvals/${proposal.id}`)} /></div>
      <Link to={`/approvals/${proposal.id}`} className="mt-3 inline-flex items-center gap-1 text-[13px] font-medium text-accent-ink hover:underline">{proposal.status === "approved" ? "Follow the delivery" : "Everything about it"}<ArrowRight size={14} aria-hidden="true" /></Link>
    </article>
  );
}
