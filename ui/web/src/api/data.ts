import { query, request } from "./client";
import type { Conflict, DataHealth, DeadLetters, RetryResult, Schema } from "./data.types";

export const dataApi = {
  health: (signal: AbortSignal) => request<DataHealth>("/api/data", { signal }),
  letters: (status: string, source: string, page: number, signal: AbortSignal) =>
    request<DeadLetters>(`/api/dead-letters${query({ status, source, page })}`, { signal }),
  retry: (body: { ids?: number[]; all?: boolean; edits?: Record<string, unknown> }) =>
    request<RetryResult>("/api/dead-letters/retry", { method: "POST", body }),
  discard: (ids: number[]) => request<unknown>("/api/dead-letters/discard", { method: "POST", body: { ids } }),
  conflicts: (signal: AbortSignal) => request<{ items: Conflict[] }>("/api/identity/conflicts", { signal }),
  decide: (conflict: number, decision: "merge" | "keep_apart", reason: string) =>
    request<Conflict>(`/api/identity/conflicts/${conflict}/decide`, { method: "POST", body: { decision, reason } }),
  schemas: (signal: AbortSignal) => request<{ items: Schema[] }>("/api/schemas", { signal }),
};
