import { Cable } from "lucide-react";
import type { Source } from "../../api/data.types";
import { ago, count, day } from "../../lib/format";
import { Panel } from "../../ui/Card";
import { Chip, type Tone } from "../../ui/Chip";
import { EmptyState } from "../../ui/Feedback";

const TONES: Record<string, Tone> = { running: "good", idle: "neutral", done: "good", finished: "neutral", waiting: "warn", stopped: "neutral", failed: "bad", full: "bad" };
const KINDS: Record<string, string> = { kafka: "Kafka", inbox: "HTTP", http: "HTTP", file: "File", internal: "Own events" };

/** 12345 records a second as "12,345/s"; trickles keep a decimal. */
function rate(value: number): string {
  if (!value) return "0/s";
  return value < 10 ? `${value.toFixed(1)}/s` : `${count(value)}/s`;
}

/** "5 min ago" while it is news; of a file of history the day says more than "5,462 d ago". */
function newest(at: string | null, now: number): string {
  if (!at) return "–";
  const days = (now - Date.parse(at)) / 86_400_000;
  if (days < 14) return ago(at, now);
  return days < 300 ? day(at) : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }).format(Date.parse(at));
}

function Figure({ label, value, warn }: { label: string; value: string; warn?: boolean }) {
  return <div><dt className="text-xs text-muted">{label}</dt><dd className={`tabular text-[13px] font-semibold ${warn ? "text-warn" : ""}`}>{value}</dd></div>;
}

function Row({ source, now }: { source: Source; now: number }) {
  return (
    <li className="py-4 first:pt-0 last:pb-0" data-testid={`source-${source.name}`}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 truncate text-sm font-semibold" title={source.name}>{source.label ?? source.name}</span>
        <Chip>{KINDS[source.kind] ?? source.kind}</Chip>
        <Chip tone={TONES[source.state] ?? "neutral"}>{source.state}</Chip>
        <span className="ml-auto text-xs text-muted">{source.last_commit_at ? `last commit ${ago(source.last_commit_at, now)}` : "nothing committed yet"}</span>
      </div>
      <dl className="mt-3 grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-6">
        <Figure label="Lag" value={source.lag === null ? "–" : `${count(source.lag)} records`} warn={(source.lag ?? 0) > 10_000} />
        <Figure label="Throughput" value={rate(source.rate)} />
        <Figure label="Accepted" value={count(source.accepted)} />
        <Figure label="Duplicates dropped" value={count(source.duplicates)} />
        <Figure label="Refused" value={count(source.refused)} warn={source.refused > 0} />
        <Figure label="Newest event" value={newest(source.last_event_at, now)} />
      </dl>
      {source.last_error ? <p role="status" className="mt-3 rounded-lg border border-warn-line bg-warn-soft px-3 py-2 text-[13px] text-warn">{source.last_error}</p> : null}
      {source.partitions.length > 1 ? (
        <details className="mt-3 text-[13px]">
          <summary className="cursor-pointer text-muted hover:text-ink">{source.partitions.length} partitions</summary>
          <ul className="mt-2 grid gap-1 sm:grid-cols-2 lg:grid-cols-3">
            {source.partitions.map((part) => <li key={part.partition} className="flex justify-between gap-3 rounded-md bg-sunken px-2 py-1"><span className="truncate">{part.partition}</span><span className="tabular text-muted">{count(part.position)} of {count(part.end)}</span></li>)}
          </ul>
        </details>
      ) : null}
    </li>
  );
}

export function Sources({ sources, now }: { sources: Source[]; now: string }) {
  return (
    <Panel title="Sources" note="Positions are sealed in the lake's snapshots together with the data, so a restart neither loses nor doubles a record.">
      {sources.length === 0
        ? <EmptyState icon={Cable} title="No source has sent anything yet" text={<>Send events to <code>POST /api/events</code>, ingest a file with <code>smart-reach ingest events</code>, or name a broker in <code>SMART_REACH_KAFKA</code>.</>} />
        : <ul className="divide-y divide-line">{sources.map((source) => <Row key={source.name} source={source} now={Date.parse(now)} />)}</ul>}
    </Panel>
  );
}
