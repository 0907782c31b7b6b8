import { ImageDown } from "lucide-react";
import { useCallback, useRef } from "react";
import type { Chart } from "../../../api/copilot.types";
import { EChart, type ChartHandle } from "../../../charts/EChart";
import { chartOption } from "../../../charts/options";
import type { Palette } from "../../../charts/theme";
import { useMedia } from "../../../hooks/useMedia";
import { downloadUrl, fileName } from "../../../lib/download";
import { withUnit } from "../../../lib/format";
import { IconButton } from "../../../ui/Button";

function height(chart: Chart): number {
  const many = chart.x.values.length > 8 || chart.x.values.some((v) => String(v).length > 14);
  if (chart.type === "bar" && many) return Math.min(560, 60 + chart.x.values.length * (chart.series.length > 1 ? 40 : 30));
  return chart.type === "heatmap" ? 300 : 270;
}

/** The chart's figures in words, for those who do not see it. */
function Alternative({ chart }: { chart: Chart }) {
  if (chart.type === "heatmap") return null;
  return (
    <table>
      <caption>{chart.title}</caption>
      <thead><tr><th scope="col">{chart.x.label ?? "Value"}</th>{chart.series.map((s) => <th scope="col" key={s.name}>{s.name}</th>)}</tr></thead>
      <tbody>{chart.x.values.map((x, i) => <tr key={String(x)}><th scope="row">{x}</th>{chart.series.map((s) => { const v = s.values[i]; return <td key={s.name}>{typeof v === "number" ? withUnit(v, s.unit) : "no data"}</td>; })}</tr>)}</tbody>
    </table>
  );
}

export function AnswerChart({ chart }: { chart: Chart }) {
  const handle = useRef<ChartHandle>(null);
  const narrow = useMedia("(max-width: 640px)");
  const build = useCallback((p: Palette) => chartOption(chart, p, narrow), [chart, narrow]);
  const save = () => {
    const url = handle.current?.png();
    if (url) downloadUrl(fileName(chart.title, "png"), url);
  };
  return (
    <figure className="rounded-xl border border-line bg-surface p-4 shadow-card" data-testid="chart">
      <figcaption className="mb-3 flex items-center justify-between gap-3"><span className="text-[13px] font-semibold">{chart.title}</span><IconButton label="Save the chart as PNG" className="-my-1.5" onClick={save}><ImageDown size={16} aria-hidden="true" /></IconButton></figcaption>
      <div style={{ height: height(chart) }}><EChart build={build} label={`${chart.title}: ${chart.type} chart of ${chart.series.map((s) => s.name).join(", ")} by ${chart.x.label ?? "category"}`} className="h-full" handle={handle} bars={chart.type !== "line"} /></div>
      <div className="sr-only"><Alternative chart={chart} /></div>
    </figure>
  );
}
