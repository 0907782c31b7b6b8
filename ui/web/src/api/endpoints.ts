import { query, request, send } from "./client";
import type { Message, Starter, Thread, ThreadSummary } from "./copilot.types";
import type { Overview, OverviewQuery, People } from "./overview.types";
import type { DecideRequest, KeptMessages, Proposal, ProposalList } from "./proposals.types";
import type { AdvanceRequest, DemoClock, DemoUser, SessionInfo, User } from "./types";

const id = encodeURIComponent;

export const sessionApi = {
  get: () => request<SessionInfo>("/api/session", { expiry: false }),
  login: (email: string, password: string) =>
    request<{ user: User; demo: boolean }>("/api/session", { method: "POST", body: { email, password }, expiry: false }),
  logout: () => request<unknown>("/api/session", { method: "DELETE", expiry: false }),
  demoUsers: () => request<{ users: DemoUser[] }>("/api/demo/users", { expiry: false }),
};

export const demoApi = {
  clock: () => request<DemoClock>("/api/demo/clock"),
  advance: (body: AdvanceRequest) => request<{ started: boolean }>("/api/demo/advance", { method: "POST", body }),
};

const overviewParams = (q: OverviewQuery) =>
  ({ days: q.days, offer: q.offer, channel: q.channel, segment: q.segment, raw: q.raw ? "1" : "", snapshot: q.snapshot });

export const overviewApi = {
  get: (q: OverviewQuery, signal?: AbortSignal) =>
    request<Overview>(`/api/overview${query(overviewParams(q))}`, signal ? { signal } : {}),
  csvUrl: (q: OverviewQuery) => `/api/overview.csv${query(overviewParams(q))}`,
  people: (tile: string, q: OverviewQuery) =>
    request<People>(`/api/overview/people${query({ tile, ...overviewParams(q) })}`),
};

export const proposalsApi = {
  list: (status: "pending" | "decided" | "all") => request<ProposalList>(`/api/proposals?status=${status}`),
  get: (proposal: string) => request<Proposal>(`/api/proposals/${id(proposal)}`),
  decide: (proposal: string, body: DecideRequest) =>
    request<Proposal>(`/api/proposals/${id(proposal)}/decide`, { method: "POST", body }),
  rollback: (proposal: string, reason: string) =>
    request<Proposal>(`/api/proposals/${id(proposal)}/rollback`, { method: "POST", body: { reason } }),
  messages: (proposal: string) => request<KeptMessages>(`/api/proposals/${id(proposal)}/messages`),
};

export const copilotApi = {
  starters: () => request<{ items: Starter[] }>("/api/starters"),
  threads: () => request<{ items: ThreadSummary[] } | ThreadSummary[]>("/api/threads"),
  create: (title?: string) => request<{ id: string }>("/api/threads", { method: "POST", body: title ? { title } : {} }),
  thread: (thread: string) => request<Thread>(`/api/threads/${id(thread)}`),
  remove: (thread: string) => request<unknown>(`/api/threads/${id(thread)}`, { method: "DELETE" }),
  ask: (thread: string, text: string, signal: AbortSignal) =>
    send(`/api/threads/${id(thread)}/messages`, { method: "POST", body: { text }, signal }),
  feedback: (message: Message["id"], score: 1 | -1, comment: string) =>
    request<unknown>(`/api/messages/${id(message)}/feedback`, { method: "POST", body: { score, comment } }),
};
