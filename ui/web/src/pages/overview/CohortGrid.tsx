import { useState } from "react";
import type { Cohorts } from "../../api/overview.types";
import { cx } from "../../lib/cx";
import { capital, count, share } from "../../lib/format";
import { Panel } from "../../ui/Card";
import { EmptyState } from "../../ui/Feedback";
import { Segmented } from "../../ui/Fields";
import { CohortTrend } from "./CohortTrend";

/** Shades span the values below 100 %, so that small differences between cohorts stay visible. */
function scale(cohorts: Cohorts): (value: number) => number {
  const values = cohorts.rows.flatMap((row) => row.values).filter((v): v is number => v !== null && v < 0.995);
  const high = Math.max(...values, 0.01);
  const low = Math.min(...values, high);
  return (value) => (high === low ? 0.5 : Math.min(1, Math.max(0, (value - low) / (high - low))));
}

function Grid({ cohorts }: { cohorts: Cohorts }) {
  const shade = scale(cohorts);
  return (
      <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label="Cohort table, scrollable">
      <table className="w-full border-separate border-spacing-[3px] text-center text-xs tabular">
        <thead>
          <tr className="text-muted">
            <th scope="col" className="pb-1 text-left font-medium">Cohort</th>
            <th scope="col" className="pr-1.5 pb-1 text-right font-medium">Size</th>
            {cohorts.columns.map((column) => <th scope="col" key={column} className="pb-1 font-medium">{column}</th>)}
          </tr>
        </thead>
        <tbody>
          {cohorts.rows.map((row) => (
            <tr key={row.cohort}>
              <th scope="row" className="pr-2 text-left font-medium whitespace-nowrap">{row.cohort.replace(/^0(?=\d )/, "")}</th>
              <td className="pr-1.5 text-right text-muted">{count(row.size)}</td>
              {cohorts.columns.map((column, index) => {
                const value = row.values[index] ?? null;
                if (value === null) return <td key={column} className="h-7 min-w-10" />;
                return (
                  <td key={column} style={{ "--p": shade(value).toFixed(3) } as React.CSSProperties} className={cx("h-7 min-w-10 rounded-md px-1 font-medium", value >= 0.995 ? "cell-full" : "cell")}>
                    {share(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function CohortGrid({ cohorts }: { cohorts: Cohorts | null | undefined }) {
  const [view, setView] = useState("grid");
  if (!cohorts || cohorts.rows.length === 0) return <Panel title="Weekly cohorts"><EmptyState title="No cohort is old enough yet" /></Panel>;
  const trend = cohorts.trend && cohorts.trend.series.length > 0 ? cohorts.trend : null;
  return (
    <Panel
      title="Weekly cohorts" note={capital(cohorts.title.replace(/^weekly cohorts?:?\s*/i, ""))}
      action={trend ? <Segmented label="Cohorts as" value={view} options={[{ value: "grid", label: "Grid" }, { value: "trend", label: "Trend" }]} onChange={setView} /> : null}
    >
      {trend && view === "trend" ? <CohortTrend trend={trend} /> : <Grid cohorts={cohorts} />}
    </Panel>
  );
}
