import { Bot, Download, History } from "lucide-react";
import { useEffect, useState } from "react";
import { overviewApi } from "../../api/endpoints";
import type { Overview, OverviewQuery, Tile } from "../../api/overview.types";
import { useTitle } from "../../hooks/useNow";
import { cx } from "../../lib/cx";
import { tileColumns } from "../../lib/tiles";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";
import { useWhen } from "../../shell/state/clock";
import { Anomalies } from "./Anomalies";
import { CohortGrid } from "./CohortGrid";
import { DailyTrend } from "./DailyTrend";
import { FigureDrawer } from "./FigureDrawer";
import { Filters } from "./Filters";
import { Funnel } from "./Funnel";
import { HourHeatmap } from "./HourHeatmap";
import { KpiTile } from "./KpiTile";
import { LivePill } from "./LivePill";
import { Notice } from "./Notice";
import { QueueSummary } from "./QueueSummary";
import { SpreadPanel } from "./SpreadPanel";
import { useOverview, useOverviewQuery } from "./useOverview";
import { Volumes } from "./Volumes";

function Loading() {
  return (
    <div role="status" aria-label="Loading the overview" className="space-y-4">
      <div className="grid grid-cols-2 gap-3 sm:gap-4 xl:grid-cols-3">{Array.from({ length: 9 }, (_, n) => <Skeleton key={n} className="h-[10.2rem] rounded-xl" />)}</div>
      <div className="grid gap-4 xl:grid-cols-2"><Skeleton className="h-80 rounded-xl" /><Skeleton className="h-80 rounded-xl" /></div>
    </div>
  );
}

function Header({ data, query, loadedAt, onPin }: { data: Overview | null; query: OverviewQuery; loadedAt: number; onPin: (snapshot: string) => void }) {
  const period = data?.period;
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-4 gap-y-3">
      <div>
        <h1 className="text-[22px] leading-8 font-semibold tracking-[-0.02em]">Campaign overview</h1>
        <p className="text-sm text-muted">{period ? `${period.label}${period.previous_label ? ` · compared with ${period.previous_label}` : ""}` : `Last ${query.days} days`}</p>
      </div>
      <div className="flex items-center gap-2">
        {query.snapshot ? null : <LivePill freshness={data?.freshness_s} receivedAt={data?.received_at} loadedAt={loadedAt} snapshot={data?.newest_snapshot} onPin={onPin} />}
        <a href={overviewApi.csvUrl(query)} download data-testid="export-csv" className="inline-flex h-8 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-2.5 text-[13px] font-medium shadow-card hover:bg-sunken"><Download size={14} aria-hidden="true" />Export CSV</a>
      </div>
    </div>
  );
}

/** What the reader must know before reading a figure: an older state of the data, or machines among the people. */
function Notices({ data, query, change }: { data: Overview; query: OverviewQuery; change: (part: Partial<OverviewQuery>) => void }) {
  const when = useWhen();
  return (
    <>
      {query.snapshot ? <Notice icon={History} testId="snapshot-notice" text={<>You are looking at the data as it was, up to {when(data.as_of)} (snapshot <span className="font-mono text-xs break-all">{query.snapshot}</span>).</>} action="Back to now" onAction={() => change({ snapshot: "" })} /> : null}
      {query.raw ? <Notice icon={Bot} testId="raw-notice" text="Opens and clicks of machines are counted too: scanners and mail proxies, not people." action="People only" onAction={() => change({ raw: false })} /> : null}
    </>
  );
}

function Body({ data, raw, onRaw, onOpen }: { data: Overview; raw: boolean; onRaw: () => void; onOpen: (tile: Tile) => void }) {
  return (
    <div className="space-y-4">
      {data.tiles.length === 0 ? <EmptyState title="No figures yet" text="Events will show up here as soon as they arrive." /> : (
        <div className={cx("grid grid-cols-2 gap-3 sm:gap-4 max-xl:[&>*:last-child:nth-child(odd)]:col-span-2", tileColumns(data.tiles.length) === 3 ? "xl:grid-cols-3" : "xl:grid-cols-4")}>{data.tiles.map((tile) => <KpiTile key={tile.id} tile={tile} raw={raw} onRaw={onRaw} onOpen={() => onOpen(tile)} />)}</div>
      )}
      <div className="grid gap-4 xl:grid-cols-2"><Funnel funnel={data.funnel} /><CohortGrid cohorts={data.cohorts} /></div>
      <div className="grid gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]"><DailyTrend daily={data.daily} /><Anomalies items={data.anomalies ?? []} /></div>
      <Volumes items={data.volumes ?? []} onOpen={onOpen} />
      <div className="grid gap-4 xl:grid-cols-2"><SpreadPanel spread={data.churn} title="Churn risk" empty="Shown once features have been computed from the events." /><SpreadPanel spread={data.value} title="Value per customer" empty="Shown once features have been computed from the events." /></div>
      <QueueSummary />
      <HourHeatmap map={data.heatmap} />
    </div>
  );
}

export function OverviewPage() {
  const [query, change] = useOverviewQuery();
  const { data, error, loading, refreshing, reload } = useOverview(query);
  const [tile, setTile] = useState<Tile | null>(null);
  const [loadedAt, setLoadedAt] = useState(() => Date.now());
  useEffect(() => { if (data) setLoadedAt(Date.now()); }, [data]);
  useTitle("Overview");
  return (
    <div className="mx-auto max-w-[1360px] space-y-4 px-4 py-5 sm:px-6">
      <Header data={data} query={query} loadedAt={loadedAt} onPin={(snapshot) => change({ snapshot })} />
      <Filters query={query} choices={data?.filters} onChange={change} />
      {loading ? <Loading /> : error && !data ? <ErrorState error={error} retry={reload} className="py-24" /> : data ? (
        <div className={cx("space-y-4 transition-opacity", refreshing && "opacity-90")} aria-busy={refreshing}><Notices data={data} query={query} change={change} /><Body data={data} raw={query.raw} onRaw={() => change({ raw: !query.raw })} onOpen={setTile} /></div>
      ) : null}
      <FigureDrawer tile={tile} query={query} onClose={() => setTile(null)} />
    </div>
  );
}
