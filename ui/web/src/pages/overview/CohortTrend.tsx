import { useCallback } from "react";
import type { CohortTrend as Trend } from "../../api/overview.types";
import { EChart } from "../../charts/EChart";
import { lineOption } from "../../charts/options";
import type { Palette } from "../../charts/theme";
import { share } from "../../lib/format";

/** Cohort after cohort at the same age: a line that rises means newer customers stay longer. */
export function CohortTrend({ trend }: { trend: Trend }) {
  const build = useCallback(
    (p: Palette) => lineOption(trend.cohorts, trend.series.map((line) => ({ ...line, unit: "percent" })), p),
    [trend],
  );
  return (
    <>
      <p className="mb-2 text-xs text-muted">The same age of each cohort; a rising line means that newer customers stay longer.</p>
      <EChart build={build} label="Cohort trend; the same figures follow as a table" className="h-60" testId="cohort-trend" />
      <div className="sr-only">
        <table>
          <caption>Cohort trend</caption>
          <thead><tr><th scope="col">Cohort</th>{trend.series.map((line) => <th scope="col" key={line.name}>{line.name}</th>)}</tr></thead>
          <tbody>{trend.cohorts.map((cohort, i) => <tr key={cohort}><th scope="row">{cohort}</th>{trend.series.map((line) => <td key={line.name}>{share(line.values[i], 1)}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </>
  );
}
