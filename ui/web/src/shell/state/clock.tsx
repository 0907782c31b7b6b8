import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { messageOf } from "../../api/client";
import { demoApi } from "../../api/endpoints";
import type { AdvanceRequest, ClockEvent } from "../../api/types";
import { when } from "../../lib/format";
import { useToast } from "../../ui/Toast";
import { useStream } from "./stream";

interface ClockValue {
  /** The bank's time in ms: demo time in demo mode, else the browser's. */
  now: number;
  zone: string | undefined;
  /** Whether this clock can be moved on; false until it has been read. */
  canAdvance: boolean;
  running: boolean;
  progress: number;
  doing: string;
  advance: (request: AdvanceRequest) => void;
}

const runOf = (event: ClockEvent) => ({ running: event.running === true, progress: event.progress ?? 0, doing: event.doing ?? "" });

const ClockContext = createContext<ClockValue | null>(null);

export function useClock(): ClockValue {
  const value = useContext(ClockContext);
  if (!value) throw new Error("useClock is used outside its provider");
  return value;
}

/** Formats an instant in the same zone as the clock's face. */
export function useWhen(): (iso: string | null | undefined) => string {
  const { zone } = useClock();
  return useCallback((iso) => when(iso, zone), [zone]);
}

export function ClockProvider({ demo, children }: { demo: boolean; children: ReactNode }) {
  const [offset, setOffset] = useState(0);
  const [zone, setZone] = useState<string>();
  const [canAdvance, setCanAdvance] = useState(false);
  const [tick, setTick] = useState(() => Date.now());
  const [run, setRun] = useState({ running: false, progress: 0, doing: "" });
  const notify = useToast();

  const set = useCallback((iso: string | undefined) => {
    const time = Date.parse(iso ?? "");
    if (!Number.isNaN(time)) { setOffset(time - Date.now()); setTick(Date.now()); }
  }, []);

  const read = useCallback(() => {
    if (demo) demoApi.clock().then((clock) => { set(clock.now); setZone(clock.zone); setCanAdvance(clock.can_advance !== false); setRun(runOf(clock)); }, () => undefined);
  }, [demo, set]);

  useEffect(read, [read]);
  useEffect(() => {
    const timer = window.setInterval(() => setTick(Date.now()), 5_000);
    return () => window.clearInterval(timer);
  }, []);

  useStream(["clock"], (data) => {
    const event = data as ClockEvent | null;
    if (!event) return;
    set(event.now);
    setRun(runOf(event));
  });
  useStream(["reconnect"], read);
  // Should the last event of a run be lost, the clock itself says that it is over.
  useEffect(() => {
    if (!run.running) return;
    const timer = window.setInterval(read, 8_000);
    return () => window.clearInterval(timer);
  }, [run.running, read]);

  const advance = useCallback((request: AdvanceRequest) => {
    setRun({ running: true, progress: 0, doing: "Starting" });
    demoApi.advance(request).catch((error: unknown) => {
      setRun({ running: false, progress: 0, doing: "" });
      notify(messageOf(error), "bad");
    });
  }, [notify]);

  const value = useMemo(() => ({ now: tick + offset, zone, canAdvance, ...run, advance }), [tick, offset, zone, canAdvance, run, advance]);
  return <ClockContext value={value}>{children}</ClockContext>;
}
