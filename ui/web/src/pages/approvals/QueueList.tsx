import { useEffect, useRef } from "react";
import { Link, useLocation } from "react-router";
import type { Proposal } from "../../api/proposals.types";
import { cx } from "../../lib/cx";
import { ago, capital, count } from "../../lib/format";
import { useClock } from "../../shell/state/clock";
import { Chip, riskTone } from "../../ui/Chip";
import { KindIcon, StatusChip } from "./status";
import { nameOf } from "./useProposal";

function Item({ proposal, active }: { proposal: Proposal; active: boolean }) {
  const { now } = useClock();
  const { search } = useLocation();
  const ref = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    // Chromium 156 returns a promise here: it must not become the effect's clean-up.
    if (active) void ref.current?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const failed = proposal.checks?.filter((check) => check.status === "fail").length ?? 0;
  const warned = proposal.checks?.filter((check) => check.status === "warn").length ?? 0;
  return (
    <li>
      <Link
        ref={ref} to={`/approvals/${proposal.id}${search}`} aria-current={active ? "true" : undefined} data-testid={`proposal-${proposal.id}`}
        className={cx("block border-b border-line px-4 py-3 transition-colors", active ? "bg-accent-soft" : "hover:bg-sunken")}
      >
        <span className="flex items-start gap-3">
          <span className={cx("mt-0.5 flex size-8 shrink-0 items-center justify-center rounded-lg", active ? "bg-surface text-accent-ink" : "bg-sunken text-muted")}><KindIcon proposal={proposal} /></span>
          <span className="min-w-0 flex-1">
            <span className="flex items-baseline justify-between gap-2"><span className="line-clamp-2 text-[13px] leading-5 font-semibold">{proposal.title}</span><span className="shrink-0 text-[11px] text-muted">{ago(proposal.decided_at ?? proposal.created_at, now)}</span></span>
            <span className="mt-0.5 block truncate text-xs text-muted">{proposal.id} · {proposal.agent ?? "agent"}</span>
            <span className="mt-2 flex flex-wrap items-center gap-1.5">
              {proposal.status === "pending" ? <Chip tone={riskTone(proposal.risk)}>{capital(proposal.risk ?? "unrated")} risk</Chip> : <StatusChip status={proposal.status} />}
              {failed ? <Chip tone="bad">{failed} failed</Chip> : warned ? <Chip tone="warn">{warned} warning{warned > 1 ? "s" : ""}</Chip> : null}
              <span className="ml-auto text-xs text-muted tabular">{proposal.status === "pending" ? (proposal.audience?.count ? `${count(proposal.audience.count)} people` : "") : nameOf(proposal.decided_by)}</span>
            </span>
          </span>
        </span>
      </Link>
    </li>
  );
}

export function QueueList({ items, active }: { items: Proposal[]; active: string | undefined }) {
  return <ul aria-label="Proposals">{items.map((proposal) => <Item key={proposal.id} proposal={proposal} active={proposal.id === active} />)}</ul>;
}
