import { useState } from "react";
import type { Heatmap } from "../../api/overview.types";
import { count, share } from "../../lib/format";
import { Panel } from "../../ui/Card";
import { EmptyState } from "../../ui/Feedback";

interface At { row: number; column: number }

function hour(column: number | string | undefined): string {
  return typeof column === "number" ? `${String(column).padStart(2, "0")}:00` : (column ?? "");
}

function best(map: Heatmap): At | null {
  let top: (At & { value: number }) | null = null;
  map.values.forEach((line, row) => line.forEach((value, column) => {
    const enough = (map.counts?.[row]?.[column] ?? 100) >= 30;
    if (value !== null && enough && (!top || value > top.value)) top = { row, column, value };
  }));
  return top;
}

function Reading({ map, at }: { map: Heatmap; at: At | null }) {
  if (!at) return null;
  const value = map.values[at.row]?.[at.column] ?? null;
  const n = map.counts?.[at.row]?.[at.column];
  return <><span className="font-medium text-ink">{map.rows[at.row]} {hour(map.columns[at.column])}</span> · {share(value, 1)}{n === undefined || n === null ? "" : ` of ${count(n)}`}</>;
}

export function HourHeatmap({ map }: { map: Heatmap | null | undefined }) {
  const [at, setAt] = useState<At | null>(null);
  if (!map || map.values.length === 0) return <Panel title="Best time to reach people"><EmptyState title="No answers in this period yet" /></Panel>;
  const high = Math.max(...map.values.flat().filter((v): v is number => v !== null), 1e-9);
  const top = best(map);
  return (
    <Panel
      title="Best time to reach people" note={map.title}
      action={<p className="text-right text-xs text-muted tabular">{at ? null : "Best: "}<Reading map={map} at={at ?? top} /></p>}
    >
      <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label="Hour by weekday table, scrollable">
        <table className="w-full min-w-[34rem] table-fixed border-separate border-spacing-[2px] text-[11px] text-muted tabular" onPointerLeave={() => setAt(null)}>
          <caption className="sr-only">{map.title}{map.metric ? `, ${map.metric}` : ""} by weekday and hour in the customer&apos;s time zone</caption>
          <thead>
            <tr>
              <th scope="col" className="w-9"><span className="sr-only">Weekday</span></th>
              {map.columns.map((column, index) => <th scope="col" key={column} className="pb-1 font-normal">{index % 3 === 0 ? (typeof column === "number" ? String(column).padStart(2, "0") : column) : <span className="sr-only">{column}</span>}</th>)}
            </tr>
          </thead>
          <tbody>
            {map.rows.map((label, row) => (
              <tr key={label}>
                <th scope="row" className="text-left font-medium">{label}</th>
                {map.columns.map((column, index) => {
                  const value = map.values[row]?.[index] ?? null;
                  return (
                    <td
                      key={column} onPointerEnter={() => setAt({ row, column: index })} style={{ "--p": value === null ? "0" : (value / high).toFixed(3) } as React.CSSProperties}
                      className={`h-[22px] rounded-[4px] outline-accent hover:outline-2 ${value === null ? "bg-sunken" : value / high > 0.97 ? "cell-full" : "cell"}`}
                    >
                      <span className="sr-only">{value === null ? "no data" : share(value, 1)}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="mt-3 flex items-center gap-2 text-[11px] text-muted" aria-hidden="true">
        0%<span className="flex gap-[2px]">{[0, 0.25, 0.5, 0.75].map((p) => <i key={p} className="cell h-2.5 w-5 rounded-[3px]" style={{ "--p": p } as React.CSSProperties} />)}<i className="cell-full h-2.5 w-5 rounded-[3px]" /></span>{share(high, 1)}
        <span className="ml-auto hidden sm:inline">Customer&apos;s own time zone</span>
      </div>
    </Panel>
  );
}
