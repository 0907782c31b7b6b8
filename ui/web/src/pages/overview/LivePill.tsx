import { useNow } from "../../hooks/useNow";
import { span } from "../../lib/format";
import { cx } from "../../lib/cx";
import { useWhen } from "../../shell/state/clock";
import { useStreamStatus } from "../../shell/state/stream";
import { Popover } from "../../ui/Popover";

const TEXT = { live: "Live", connecting: "Connecting", lost: "Reconnecting" } as const;

/** Whether the page is fed by the stream, and how old the newest event behind it is. */
export interface LivePillProps { freshness: number | null | undefined; receivedAt?: string | null | undefined; loadedAt: number; snapshot?: string | null | undefined; onPin: (snapshot: string) => void }

const age = (seconds: number) => (Math.round(seconds) < 90 ? `${Math.round(seconds)} s` : span(seconds));

/** Of data that ended long ago the day says more than an age. */
const dayOf = (at: number) => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }).format(at);

export function LivePill({ freshness, receivedAt, loadedAt, snapshot, onPin }: LivePillProps) {
  const status = useStreamStatus();
  const now = useNow(5000);
  const since = Math.max(0, (now - loadedAt) / 1000);
  const when = useWhen();
  const known = freshness !== undefined && freshness !== null;
  const ended = known && freshness > 2 * 86_400;
  const read = span(since) === "now" ? "a moment ago" : `${span(since)} ago`;
  return (
    <Popover
      label={`${TEXT[status]}: how fresh the figures are`} align="end"
      triggerClass={cx("inline-flex h-8 items-center gap-1.5 rounded-full border px-2.5 text-xs font-medium", ended && status === "live" ? "border-line-strong bg-surface text-muted" : status === "live" ? "border-good-line bg-good-soft text-good" : "border-warn-line bg-warn-soft text-warn")}
      trigger={<><span aria-hidden="true" className={cx("size-1.5 rounded-full bg-current", status === "live" && !ended && "animate-live")} />{ended && status === "live" ? "Data until" : TEXT[status]}{known ? <span className="font-normal tabular" data-testid="freshness">{ended ? dayOf(now - freshness * 1000) : age(freshness + since)}</span> : null}</>}
    >
      <p className="font-semibold">{status === "live" ? "Figures update by themselves" : "The stream is not connected"}</p>
      <p className="mt-1 text-muted">Read {read}.{known ? ` ${ended ? `The newest event is of ${dayOf(now - freshness * 1000)}.` : `The newest event behind it was ${age(freshness)} old then.`}` : " No event has arrived yet."}{receivedAt ? ` The last one arrived ${when(receivedAt)}.` : ""}</p>
      {snapshot ? <p className="mt-2 border-t border-line pt-2 text-muted">Snapshot <span className="font-mono text-xs break-all">{snapshot}</span><button type="button" data-testid="pin-snapshot" onClick={() => onPin(snapshot)} className="mt-1 block font-medium text-accent-ink hover:underline">Keep this view as it is now</button></p> : null}
    </Popover>
  );
}
