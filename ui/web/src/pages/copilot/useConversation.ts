import { useCallback, useEffect, useReducer, useRef } from "react";
import { messageOf } from "../../api/client";
import type { Message, Step, Thread } from "../../api/copilot.types";
import { copilotApi } from "../../api/endpoints";
import type { Proposal } from "../../api/proposals.types";
import { readSse } from "../../api/sse";

export interface Conversation {
  messages: Message[];
  /** Steps of the answer that is being written. */
  live: Step[];
  /** Proposals known so far, by id; those in `loose` are shown after the last message. */
  proposals: Record<string, Proposal>;
  loose: string[];
  streaming: boolean;
  loading: boolean;
  loadError: unknown;
  error: string | null;
  stopped: boolean;
}

type Action =
  | { type: "load" } | { type: "loaded"; thread: Thread } | { type: "load-failed"; error: unknown } | { type: "clear" }
  | { type: "asked"; message: Message } | { type: "step"; step: Step } | { type: "message"; message: Message }
  | { type: "proposal"; proposal: Proposal | string } | { type: "error"; text: string } | { type: "end"; stopped: boolean };

const EMPTY: Conversation = { messages: [], live: [], proposals: {}, loose: [], streaming: false, loading: false, loadError: null, error: null, stopped: false };

function upsert<T extends { id: string }>(list: T[], item: T): T[] {
  return list.some((old) => old.id === item.id) ? list.map((old) => (old.id === item.id ? { ...old, ...item } : old)) : [...list, item];
}

function withProposal(state: Conversation, proposal: Proposal | string): Conversation {
  const id = typeof proposal === "string" ? proposal : proposal.id;
  const attached = state.messages.some((message) => message.proposal_id === id);
  return {
    ...state,
    proposals: typeof proposal === "string" ? state.proposals : { ...state.proposals, [id]: proposal },
    loose: attached || state.loose.includes(id) ? state.loose : [...state.loose, id],
  };
}

/** An answer that arrives without its steps keeps those that were streamed. */
function answered(state: Conversation, message: Message): Conversation {
  if (message.role === "user") {
    const messages = state.messages.filter((old) => !(old.id.startsWith("local-") && old.text === message.text));
    return { ...state, messages: upsert(messages, message) };
  }
  const full = message.steps?.length ? message : { ...message, steps: state.live };
  return { ...state, messages: upsert(state.messages, full), live: [], loose: state.loose.filter((id) => id !== message.proposal_id) };
}

/** Before the next question, a loose proposal takes its place under the answer that made it. */
function settled(state: Conversation): Conversation {
  const [first, ...rest] = state.loose;
  const last = state.messages.at(-1);
  if (!first || last?.role !== "assistant" || last.proposal_id) return state;
  return { ...state, loose: rest, messages: [...state.messages.slice(0, -1), { ...last, proposal_id: first }] };
}

function reduce(state: Conversation, action: Action): Conversation {
  switch (action.type) {
    case "clear": return EMPTY;
    case "load": return { ...EMPTY, loading: true };
    case "load-failed": return { ...state, loading: false, loadError: action.error };
    case "loaded": {
      const base: Conversation = { ...EMPTY, messages: action.thread.messages ?? [] };
      return (action.thread.pending ?? []).reduce(withProposal, base);
    }
    case "asked": return { ...settled(state), messages: [...settled(state).messages, action.message], live: [], streaming: true, error: null, stopped: false };
    case "step": return { ...state, live: upsert(state.live, action.step) };
    case "message": return answered(state, action.message);
    case "proposal": return withProposal(state, action.proposal);
    case "error": return { ...state, error: action.text };
    case "end": return { ...state, streaming: false, stopped: action.stopped, live: state.live.map((s) => (s.status === "running" ? { ...s, status: action.stopped ? "failed" : "done" } : s)) };
  }
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch { return null; }
}

function toAction(event: string, data: Record<string, unknown>): Action | null {
  switch (event) {
    case "step": return { type: "step", step: data as unknown as Step };
    case "message": return { type: "message", message: data as unknown as Message };
    case "proposal": return { type: "proposal", proposal: data["payload_hash"] ? (data as unknown as Proposal) : String(data["id"] ?? data["proposal_id"] ?? "") };
    case "error": {
      const inner = data["error"] as { message?: string } | undefined;
      return { type: "error", text: inner?.message ?? String(data["message"] ?? "The answer could not be finished.") };
    }
    default: return null;
  }
}

export interface ConversationControl { state: Conversation; ask: (thread: string, text: string) => Promise<void>; stop: () => void; reload: () => void; adopt: (thread: string) => void }

/** One thread: its history, the answer being streamed, and the proposals that wait in it. */
export function useConversation(thread: string | undefined): ConversationControl {
  const [state, dispatch] = useReducer(reduce, EMPTY);
  const abort = useRef<AbortController | null>(null);
  // A thread we have just made is empty: loading it would wipe the question on screen.
  const own = useRef<string | null>(null);

  const load = useCallback(() => {
    if (!thread) return;
    dispatch({ type: "load" });
    copilotApi.thread(thread).then((data) => dispatch({ type: "loaded", thread: data }), (error: unknown) => dispatch({ type: "load-failed", error }));
  }, [thread]);

  useEffect(() => {
    if (thread && own.current === thread) return;
    // Leaving a thread ends its stream without calling that "stopped".
    const running = abort.current;
    abort.current = null;
    running?.abort();
    own.current = null;
    let gone = false;
    if (!thread) { dispatch({ type: "clear" }); return; }
    dispatch({ type: "load" });
    copilotApi.thread(thread).then(
      (data) => { if (!gone) dispatch({ type: "loaded", thread: data }); },
      (error: unknown) => { if (!gone) dispatch({ type: "load-failed", error }); },
    );
    return () => { gone = true; };
  }, [thread]);

  const ask = useCallback(async (target: string, text: string) => {
    const control = new AbortController();
    abort.current = control;
    dispatch({ type: "asked", message: { id: `local-${Date.now()}`, role: "user", text, at: new Date().toISOString() } });
    try {
      const response = await copilotApi.ask(target, text, control.signal);
      for await (const { event, data } of readSse(response)) {
        if (event === "done") break;
        const body = parse(data);
        const action = body ? toAction(event, body) : null;
        if (action && !control.signal.aborted) dispatch(action);
      }
    } catch (error) {
      if (!control.signal.aborted) dispatch({ type: "error", text: messageOf(error) });
    } finally {
      if (abort.current === control) { abort.current = null; dispatch({ type: "end", stopped: control.signal.aborted }); }
    }
  }, []);

  const stop = useCallback(() => abort.current?.abort(), []);
  const adopt = useCallback((id: string) => { own.current = id; }, []);
  return { state, ask, stop, reload: load, adopt };
}
