import { useNow } from "../../hooks/useNow";
import { span } from "../../lib/format";
import { cx } from "../../lib/cx";
import { useStreamStatus } from "../../shell/state/stream";
import { Popover } from "../../ui/Popover";

const TEXT = { live: "Live", connecting: "Connecting", lost: "Reconnecting" } as const;

/** Whether the page is fed by the stream, and how old the newest event behind it is. */
export function LivePill({ freshness, loadedAt }: { freshness: number | undefined; loadedAt: number }) {
  const status = useStreamStatus();
  const now = useNow(5000);
  const since = Math.max(0, (now - loadedAt) / 1000);
  const read = span(since) === "now" ? "a moment ago" : `${span(since)} ago`;
  return (
    <Popover
      label={`${TEXT[status]}: how fresh the figures are`} align="end"
      triggerClass={cx("inline-flex h-8 items-center gap-1.5 rounded-full border px-2.5 text-xs font-medium", status === "live" ? "border-good-line bg-good-soft text-good" : "border-warn-line bg-warn-soft text-warn")}
      trigger={<><span aria-hidden="true" className={cx("size-1.5 rounded-full bg-current", status === "live" && "animate-live")} />{TEXT[status]}</>}
    >
      <p className="font-semibold">{status === "live" ? "Figures update by themselves" : "The stream is not connected"}</p>
      <p className="mt-1 text-muted">Read {read}.{freshness === undefined ? "" : ` The newest event behind it was ${Math.round(freshness) < 90 ? `${Math.round(freshness)} s` : span(freshness)} old then.`}</p>
    </Popover>
  );
}
