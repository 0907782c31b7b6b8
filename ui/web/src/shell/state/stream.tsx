import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";

export type StreamName = "overview" | "proposal" | "delivery" | "clock";
export type StreamStatus = "connecting" | "live" | "lost";
type Handler = (data: unknown) => void;

const NAMES: StreamName[] = ["overview", "proposal", "delivery", "clock"];

interface StreamValue { status: StreamStatus; subscribe: (name: StreamName | "reconnect", handler: Handler) => () => void }

const StreamContext = createContext<StreamValue>({ status: "connecting", subscribe: () => () => undefined });

function parse(text: string): unknown {
  try { return JSON.parse(text); } catch { return null; }
}

/** One event source for the whole cockpit. It reconnects by itself and tells pages to read again when it does. */
export function StreamProvider({ children }: { children: ReactNode }) {
  const [status, setStatus] = useState<StreamStatus>("connecting");
  const handlers = useRef(new Map<string, Set<Handler>>());

  useEffect(() => {
    let source: EventSource | null = null;
    let timer = 0;
    let wasLost = false;
    const emit = (name: string, data: unknown) => handlers.current.get(name)?.forEach((handler) => handler(data));
    const open = () => {
      source = new EventSource("/api/stream");
      source.onopen = () => {
        setStatus("live");
        if (wasLost) emit("reconnect", null);
        wasLost = false;
      };
      source.onerror = () => {
        wasLost = true;
        setStatus("lost");
        if (source?.readyState === EventSource.CLOSED) timer = window.setTimeout(open, 4000);
      };
      for (const name of NAMES) source.addEventListener(name, (event) => emit(name, parse((event as MessageEvent<string>).data)));
    };
    open();
    return () => { window.clearTimeout(timer); source?.close(); };
  }, []);

  const value = useMemo<StreamValue>(() => ({
    status,
    subscribe: (name, handler) => {
      const set = handlers.current.get(name) ?? new Set<Handler>();
      handlers.current.set(name, set.add(handler));
      return () => { set.delete(handler); };
    },
  }), [status]);
  return <StreamContext value={value}>{children}</StreamContext>;
}

export const useStreamStatus = (): StreamStatus => useContext(StreamContext).status;

/** Runs the handler on each event of the names, at most once in `throttle` ms (the last one is never lost). */
export function useStream(names: (StreamName | "reconnect")[], handler: Handler, throttle = 0): void {
  const { subscribe } = useContext(StreamContext);
  const current = useRef(handler);
  current.current = handler;
  const key = names.join();
  useEffect(() => {
    let last = 0;
    let timer = 0;
    const run = (data: unknown) => {
      window.clearTimeout(timer);
      const wait = last + throttle - Date.now();
      if (wait > 0) { timer = window.setTimeout(() => { last = Date.now(); current.current(data); }, wait); return; }
      last = Date.now();
      current.current(data);
    };
    const stops = key.split(",").map((name) => subscribe(name as StreamName, run));
    return () => { window.clearTimeout(timer); stops.forEach((stop) => stop()); };
  }, [subscribe, key, throttle]);
}
