import { CircleCheck, ClipboardCheck, History } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { proposalsApi } from "../../api/endpoints";
import type { Proposal, ProposalList } from "../../api/proposals.types";
import { useHotkeys } from "../../hooks/useHotkeys";
import { useMedia } from "../../hooks/useMedia";
import { useTitle } from "../../hooks/useNow";
import { useResource, type Resource } from "../../hooks/useResource";
import { cx } from "../../lib/cx";
import { pendingOf, useQueue } from "../../shell/state/queue";
import { useStream } from "../../shell/state/stream";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";
import { Detail } from "./Detail";
import { QueueList } from "./QueueList";

type Tab = "pending" | "decided";

function Tabs({ tab, pending, id }: { tab: Tab; pending: number; id: string | undefined }) {
  const to = (target: Tab) => `/approvals${id ? `/${id}` : ""}${target === "decided" ? "?tab=decided" : ""}`;
  const look = (active: boolean) => cx("-mb-px flex h-10 items-center gap-1.5 border-b-2 px-1 text-[13px] font-medium", active ? "border-accent text-accent-ink" : "border-transparent text-muted hover:text-ink");
  return (
    <nav aria-label="Queue" className="flex gap-5 border-b border-line px-4">
      <Link to={to("pending")} aria-current={tab === "pending" ? "page" : undefined} className={look(tab === "pending")} data-testid="tab-pending">Pending{pending ? <span className="rounded-full bg-sunken px-1.5 text-[11px] tabular">{pending}</span> : null}</Link>
      <Link to={to("decided")} aria-current={tab === "decided" ? "page" : undefined} className={look(tab === "decided")} data-testid="tab-decided">Decided</Link>
    </nav>
  );
}

function List({ list, tab, id }: { list: Resource<ProposalList>; tab: Tab; id: string | undefined }) {
  const items = list.data?.items ?? [];
  if (list.loading) return <div className="space-y-3 p-4" role="status" aria-label="Loading the queue">{[0, 1, 2, 3].map((n) => <Skeleton key={n} className="h-20" />)}</div>;
  if (list.error && !list.data) return <ErrorState error={list.error} retry={list.reload} />;
  if (items.length > 0) return <QueueList items={items} active={id} />;
  return tab === "pending"
    ? <EmptyState icon={CircleCheck} title="Nothing waits for you" text="When an agent proposes an action or a promotion, it shows up here." action={<Link to="/copilot" className="text-[13px] font-medium text-accent-ink hover:underline">Ask the copilot for one</Link>} />
    : <EmptyState icon={History} title="Nothing has been decided yet" text="Approved and rejected proposals stay here with their reasons and results." />;
}

/** j and k walk through the list; the neighbour of a proposal that has left it is the first one. */
function useTriage(items: Proposal[], id: string | undefined, tab: Tab): void {
  const navigate = useNavigate();
  // A fast second key must count from where the first one went, which the page may not have drawn yet.
  const cursor = useRef(id);
  useEffect(() => { cursor.current = id; }, [id]);
  const move = (by: number) => {
    const at = items.findIndex((item) => item.id === cursor.current);
    const next = items[at < 0 ? 0 : Math.min(items.length - 1, Math.max(0, at + by))];
    if (!next || next.id === cursor.current) return;
    cursor.current = next.id;
    void navigate(`/approvals/${next.id}${tab === "decided" ? "?tab=decided" : ""}`);
  };
  useHotkeys({ j: () => move(1), k: () => move(-1) });
}

export function ApprovalsPage() {
  const { id } = useParams();
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const tab: Tab = (params.get("tab") ?? params.get("status")) === "decided" ? "decided" : "pending";
  const asked = params.get("id");
  const wide = useMedia("(min-width: 1024px)");
  const queue = useQueue();
  const decided = useResource(tab === "decided" ? "decided" : null, () => proposalsApi.list("decided"));
  useStream(["proposal", "reconnect"], () => { if (tab === "decided") decided.reload(); }, 800);
  const list = tab === "decided" ? decided : queue;
  const items = list.data?.items ?? [];
  const first = items[0]?.id;
  useTitle(id ? `${id} · Approvals` : "Approvals");
  useTriage(items, id, tab);
  useEffect(() => {
    // /approvals?status=decided&id=PRP-0001 is a way to link here from elsewhere.
    if (asked && !id) { void navigate(`/approvals/${encodeURIComponent(asked)}${tab === "decided" ? "?tab=decided" : ""}`, { replace: true }); return; }
    if (wide && !id && first) void navigate(`/approvals/${first}${tab === "decided" ? "?tab=decided" : ""}`, { replace: true });
  }, [asked, first, id, navigate, tab, wide]);

  const listPane = (
    <div className={cx("flex min-h-0 flex-col bg-surface", wide ? "w-[21.5rem] shrink-0 border-r border-line" : "min-h-full")}>
      <div className="px-4 pt-4 pb-1"><h1 className="text-[19px] font-semibold tracking-[-0.02em]">Approvals</h1><p className="text-[13px] text-muted">Nothing is sent without one</p></div>
      <Tabs tab={tab} pending={pendingOf(queue.data).count} id={wide ? id : undefined} />
      <div className="relative min-h-0 flex-1 overflow-y-auto"><List list={list} tab={tab} id={id} /></div>
    </div>
  );
  if (!wide) return id ? <div className="min-h-full bg-surface"><h1 className="sr-only">Approvals</h1><Detail key={id} id={id} back /></div> : listPane;
  return (
    <div className="flex h-full">
      {listPane}
      <div className="relative min-w-0 flex-1 overflow-y-auto bg-surface" tabIndex={-1}>
        {id ? <div className="mx-auto max-w-[62rem]"><Detail key={id} id={id} back={false} /></div> : <EmptyState icon={ClipboardCheck} title="Choose a proposal" className="h-full" />}
      </div>
    </div>
  );
}
