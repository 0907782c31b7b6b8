import { createContext, useContext, type ReactNode } from "react";
import { proposalsApi } from "../../api/endpoints";
import type { Proposal, ProposalList } from "../../api/proposals.types";
import { useResource, type Resource } from "../../hooks/useResource";
import { useStream } from "./stream";

const QueueContext = createContext<Resource<ProposalList> | null>(null);

/** The pending proposals, kept fresh for the badge, the summary card and the queue page. */
export function QueueProvider({ children }: { children: ReactNode }) {
  const queue = useResource("pending", () => proposalsApi.list("pending"));
  useStream(["proposal", "reconnect"], queue.reload, 800);
  return <QueueContext value={queue}>{children}</QueueContext>;
}

export function useQueue(): Resource<ProposalList> {
  const value = useContext(QueueContext);
  if (!value) throw new Error("useQueue is used outside its provider");
  return value;
}

export function pendingOf(list: ProposalList | null): { items: Proposal[]; count: number } {
  const items = list?.items ?? [];
  return { items, count: list?.counts?.pending ?? items.length };
}
