import { Download } from "lucide-react";
import { useEffect, useState } from "react";
import { overviewApi } from "../../api/endpoints";
import type { Overview, OverviewQuery, Tile } from "../../api/overview.types";
import { useTitle } from "../../hooks/useNow";
import { cx } from "../../lib/cx";
import { tileColumns } from "../../lib/tiles";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";
import { Anomalies } from "./Anomalies";
import { CohortGrid } from "./CohortGrid";
import { DailyTrend } from "./DailyTrend";
import { FigureDrawer } from "./FigureDrawer";
import { Filters } from "./Filters";
import { Funnel } from "./Funnel";
import { HourHeatmap } from "./HourHeatmap";
import { KpiTile } from "./KpiTile";
import { LivePill } from "./LivePill";
import { QueueSummary } from "./QueueSummary";
import { useOverview, useOverviewQuery } from "./useOverview";

function Loading() {
  return (
    <div role="status" aria-label="Loading the overview" className="space-y-4">
      <div className="grid grid-cols-2 gap-3 sm:gap-4 xl:grid-cols-3">{Array.from({ length: 9 }, (_, n) => <Skeleton key={n} className="h-[10.2rem] rounded-xl" />)}</div>
      <div className="grid gap-4 xl:grid-cols-2"><Skeleton className="h-80 rounded-xl" /><Skeleton className="h-80 rounded-xl" /></div>
    </div>
  );
}

function Header({ data, query, loadedAt }: { data: Overview | null; query: OverviewQuery; loadedAt: number }) {
  const period = data?.period;
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-4 gap-y-3">
      <div>
        <h1 className="text-[22px] leading-8 font-semibold tracking-[-0.02em]">Campaign overview</h1>
        <p className="text-sm text-muted">{period ? `${period.label}${period.previous_label ? ` · compared with ${period.previous_label}` : ""}` : `Last ${query.days} days`}</p>
      </div>
      <div className="flex items-center gap-2">
        <LivePill freshness={data?.freshness_s} loadedAt={loadedAt} />
        <a href={overviewApi.csvUrl(query)} download data-testid="export-csv" className="inline-flex h-8 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-2.5 text-[13px] font-medium shadow-card hover:bg-sunken"><Download size={14} aria-hidden="true" />Export CSV</a>
      </div>
    </div>
  );
}

function Body({ data, onOpen }: { data: Overview; onOpen: (tile: Tile) => void }) {
  return (
    <div className="space-y-4">
      {data.tiles.length === 0 ? <EmptyState title="No figures yet" text="Events will show up here as soon as they arrive." /> : (
        <div className={cx("grid grid-cols-2 gap-3 sm:gap-4 max-xl:[&>*:last-child:nth-child(odd)]:col-span-2", tileColumns(data.tiles.length) === 3 ? "xl:grid-cols-3" : "xl:grid-cols-4")}>{data.tiles.map((tile) => <KpiTile key={tile.id} tile={tile} onOpen={() => onOpen(tile)} />)}</div>
      )}
      <div className="grid gap-4 xl:grid-cols-2"><Funnel funnel={data.funnel} /><CohortGrid cohorts={data.cohorts} /></div>
      <div className="grid gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]"><DailyTrend daily={data.daily} /><Anomalies items={data.anomalies ?? []} /></div>
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
      <Header data={data} query={query} loadedAt={loadedAt} />
      <Filters query={query} choices={data?.filters} onChange={change} />
      {loading ? <Loading /> : error && !data ? <ErrorState error={error} retry={reload} className="py-24" /> : data ? (
        <div className={cx("transition-opacity", refreshing && "opacity-90")} aria-busy={refreshing}><Body data={data} onOpen={setTile} /></div>
      ) : null}
      <FigureDrawer tile={tile} query={query} onClose={() => setTile(null)} />
    </div>
  );
}
