import { useCallback, useMemo, useState } from "react";
import type { DailySeries, Overview } from "../../api/overview.types";
import { EChart } from "../../charts/EChart";
import { lineOption, type Series } from "../../charts/options";
import type { Palette } from "../../charts/theme";
import { day, withUnit } from "../../lib/format";
import { Panel } from "../../ui/Card";
import { EmptyState } from "../../ui/Feedback";
import { Segmented } from "../../ui/Fields";

const UNIT: Record<string, string> = { count: "Volume", percent: "Rates", money: "Money" };

/** Series of one unit at a time: a rate and a volume on one axis would mislead. */
function groups(series: DailySeries[]): Map<string, Series[]> {
  const map = new Map<string, Series[]>();
  for (const s of series) {
    const unit = s.unit ?? "count";
    map.set(unit, [...(map.get(unit) ?? []), { name: s.name, values: s.values, unit }]);
  }
  return map;
}

function DataTable({ dates, series }: { dates: string[]; series: Series[] }) {
  return (
    <table>
      <caption>Daily trend</caption>
      <thead><tr><th scope="col">Day</th>{series.map((s) => <th scope="col" key={s.name}>{s.name}</th>)}</tr></thead>
      <tbody>{dates.map((date, i) => <tr key={date}><th scope="row">{day(date)}</th>{series.map((s) => <td key={s.name}>{typeof s.values[i] === "number" ? withUnit(s.values[i], s.unit) : "no data"}</td>)}</tr>)}</tbody>
    </table>
  );
}

export function DailyTrend({ daily }: { daily: Overview["daily"] }) {
  const byUnit = useMemo(() => groups(daily?.series ?? []), [daily]);
  const [picked, setPicked] = useState("");
  const units = [...byUnit.keys()];
  const unit = byUnit.has(picked) ? picked : (units[0] ?? "");
  const series = useMemo(() => byUnit.get(unit) ?? [], [byUnit, unit]);
  const dates = useMemo(() => daily?.dates ?? [], [daily]);
  const build = useCallback((p: Palette) => lineOption(dates.map(day), series, p), [dates, series]);
  return (
    <Panel
      title="Day by day" note={series.length ? series.map((s) => s.name).join(" · ") : "Messages and answers"}
      action={units.length > 1 ? <Segmented label="Unit" value={unit} options={units.map((u) => ({ value: u, label: UNIT[u] ?? u }))} onChange={setPicked} /> : null}
    >
      {series.length === 0 || dates.length === 0 ? <EmptyState title="Nothing happened in this period" /> : (
        <>
          <EChart build={build} label={`Daily trend of ${series.map((s) => s.name).join(", ")}; the same figures follow as a table`} className="h-64" testId="daily-chart" />
          <div className="sr-only"><DataTable dates={dates} series={series} /></div>
        </>
      )}
    </Panel>
  );
}
