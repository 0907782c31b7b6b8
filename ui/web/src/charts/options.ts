import type { Chart } from "../api/copilot.types";
import { euros, isMoney, symbol, withUnit } from "../lib/format";
import { axisText, legend, splitLine, tipNode, tooltip, type ChartOption, type Palette, type TipRow } from "./theme";

export interface Series { name: string; values: (number | null)[]; unit?: string | null }

function short(value: number, unit: string | null | undefined): string {
  if (unit === "percent" || unit === "share" || unit === "rate") return `${+(value * 100).toFixed(1)}%`;
  if (unit === "points") return `${+(value * 100).toFixed(2)} pp`;
  if (unit === "%") return `${+value.toFixed(1)}%`;
  const major = isMoney(unit) ? value / 100 : value;
  const sign = isMoney(unit) ? `${major < 0 ? "−" : ""}${symbol()}` : "";
  return sign + new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 }).format(sign ? Math.abs(major) : major);
}

/** A bar says the same amount as the table below it. */
const barText = (value: number, unit: string | null | undefined) => (isMoney(unit) ? euros(value / 100) : short(value, unit));

interface AxisParams { axisValueLabel?: string; name?: string; color?: unknown; value?: unknown; seriesIndex?: number }

function axisTip(series: Series[]) {
  return (params: unknown): HTMLElement => {
    const list = (Array.isArray(params) ? params : [params]) as AxisParams[];
    const rows = list.map((item): TipRow => {
      const of = series[item.seriesIndex ?? 0];
      const row = { name: of?.name ?? "", value: typeof item.value === "number" ? withUnit(item.value, of?.unit) : "–" };
      return typeof item.color === "string" ? { ...row, color: item.color } : row;
    });
    return tipNode(list[0]?.axisValueLabel ?? list[0]?.name ?? "", rows);
  };
}

/** Up to two units: the second one gets an axis of its own on the right. */
function valueAxes(series: Series[], p: Palette) {
  const units = [...new Set(series.map((s) => s.unit ?? "count"))].slice(0, 2);
  const axes = units.map((unit, index) => ({
    type: "value" as const, axisLabel: { ...axisText(p), formatter: (v: number) => short(v, unit) },
    splitLine: index === 0 ? splitLine(p) : { show: false }, splitNumber: 4,
  }));
  return { units, axes };
}

/** Lines over days or categories; the first series is filled. */
export function lineOption(labels: string[], series: Series[], p: Palette): ChartOption {
  const { units, axes } = valueAxes(series, p);
  return {
    color: p.series, animationDuration: 200, legend: legend(p, series.length > 1), tooltip: tooltip(p, { trigger: "axis", formatter: axisTip(series), axisPointer: { lineStyle: { color: p.muted, type: "dashed" } } }),
    grid: { left: 4, right: 8, top: series.length > 1 ? 38 : 12, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { type: "category", data: labels, boundaryGap: false, axisLabel: { ...axisText(p), hideOverlap: true }, axisLine: { lineStyle: { color: p.line } }, axisTick: { show: false } },
    yAxis: axes,
    series: series.map((s, index) => ({
      type: "line" as const, name: s.name, data: s.values, yAxisIndex: Math.max(0, units.indexOf(s.unit ?? "count")), smooth: false, showSymbol: labels.length < 3, symbolSize: 6,
      lineStyle: { width: 2 }, emphasis: { disabled: true }, ...(index === 0 ? { areaStyle: { opacity: p.dark ? 0.14 : 0.08 } } : {}),
    })),
  };
}

/** Bars; more than six categories or long names lie down so that the names can be read. */
export function barOption(labels: string[], series: Series[], p: Palette, narrow = false): ChartOption {
  const lying = labels.length > 8 || (narrow && labels.length > 4) || labels.some((label) => label.length > 14);
  const category = {
    type: "category" as const, data: labels, inverse: lying, axisLabel: { ...axisText(p), interval: 0, width: lying ? 130 : 90, overflow: "truncate" as const },
    axisLine: { lineStyle: { color: p.line } }, axisTick: { show: false },
  };
  const unit = series[0]?.unit;
  const value = { type: "value" as const, axisLabel: { ...axisText(p), formatter: (v: number) => short(v, unit), hideOverlap: true }, splitLine: splitLine(p), splitNumber: 4 };
  return {
    color: p.series, animationDuration: 200, legend: legend(p, series.length > 1), tooltip: tooltip(p, { trigger: "axis", axisPointer: { type: "shadow", shadowStyle: { color: p.sunken, opacity: 0.5 } }, formatter: axisTip(series) }),
    grid: { left: 4, right: lying ? (isMoney(series[0]?.unit) ? 64 : 44) : 8, top: series.length > 1 ? 38 : 18, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: lying ? value : category,
    yAxis: lying ? category : value,
    series: series.map((s) => ({
      type: "bar" as const, name: s.name, data: s.values, barMaxWidth: 34, itemStyle: { borderRadius: lying ? [0, 5, 5, 0] : [5, 5, 0, 0] },
      label: { show: series.length === 1 && labels.length <= 14, position: lying ? ("right" as const) : ("top" as const), ...axisText(p), color: p.ink, formatter: (item: { value?: unknown }) => (typeof item.value === "number" ? barText(item.value, s.unit) : "") },
    })),
  };
}

function heatOption(chart: Chart, p: Palette): ChartOption {
  const columns = chart.x.values.map(String);
  const rows = chart.y?.values?.map(String) ?? chart.series.map((s) => s.name);
  const grid = chart.series.length === 1 && Array.isArray(chart.series[0]?.values[0]) ? (chart.series[0].values as (number | null)[][]) : chart.series.map((s) => s.values as (number | null)[]);
  const data = grid.flatMap((line, y) => line.map((value, x): [number, number, number | string] => [x, y, value ?? "-"]));
  const numbers = data.map((d) => d[2]).filter((v): v is number => typeof v === "number");
  const unit = chart.series[0]?.unit;
  return {
    tooltip: tooltip(p, { trigger: "item", formatter: (params: unknown) => {
      const [x = 0, y = 0, value] = ((params as { value?: unknown }).value as [number, number, number | string] | undefined) ?? [];
      return tipNode(`${rows[y] ?? ""} · ${columns[x] ?? ""}`, [{ name: chart.title, value: typeof value === "number" ? withUnit(value, unit) : "–" }]);
    } }),
    grid: { left: 4, right: 4, top: 4, bottom: 34, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { type: "category", data: columns, axisLabel: { ...axisText(p), hideOverlap: true }, axisLine: { show: false }, axisTick: { show: false } },
    yAxis: { type: "category", data: rows, inverse: true, axisLabel: axisText(p), axisLine: { show: false }, axisTick: { show: false } },
    visualMap: {
      min: Math.min(...numbers, 0), max: Math.max(...numbers, 1e-9), calculable: false, orient: "horizontal", left: "center", bottom: 0, itemWidth: 10, itemHeight: 120,
      textStyle: axisText(p), text: [short(Math.max(...numbers, 1e-9), unit), short(Math.min(...numbers, 0), unit)], inRange: { color: [p.sunken, p.accent] },
    },
    series: [{ type: "heatmap", data, itemStyle: { borderRadius: 4, borderColor: p.surface, borderWidth: 2 }, emphasis: { itemStyle: { borderColor: p.ink } } }],
  };
}

/** An answer's chart as ECharts wants it. */
export function chartOption(chart: Chart, p: Palette, narrow = false): ChartOption {
  if (chart.type === "heatmap") return heatOption(chart, p);
  const labels = chart.x.values.map(String);
  const series = chart.series.map((s): Series => ({ name: s.name, values: s.values as (number | null)[], unit: s.unit ?? null }));
  return chart.type === "line" ? lineOption(labels, series, p) : barOption(labels, series, p, narrow);
}
