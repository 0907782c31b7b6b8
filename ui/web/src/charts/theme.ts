import type { BarSeriesOption, HeatmapSeriesOption, LineSeriesOption } from "echarts/charts";
import type { GridComponentOption, LegendComponentOption, TooltipComponentOption, VisualMapComponentOption } from "echarts/components";
import type { ComposeOption } from "echarts/core";

export type ChartOption = ComposeOption<
  LineSeriesOption | BarSeriesOption | HeatmapSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption | VisualMapComponentOption
>;

export interface Palette {
  dark: boolean; surface: string; raised: string; sunken: string; line: string; ink: string; muted: string; accent: string; series: string[];
}

// Chosen apart from one another in hue and lightness, so that they stay different for colour-blind readers.
const LIGHT = ["#4f46e5", "#0e9384", "#dc6803", "#c11574", "#0086c9", "#667085"];
const DARK = ["#818cf8", "#2ed3b7", "#fdb022", "#f670c7", "#36bffa", "#98a2b3"];

/** Colours as the page has them now. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const dark = document.documentElement.dataset["theme"] === "dark";
  return {
    dark, surface: read("--surface"), raised: read("--raised"), sunken: read("--sunken"), line: read("--line"),
    ink: read("--ink"), muted: read("--muted"), accent: read("--accent"), series: dark ? DARK : LIGHT,
  };
}

const FONT = "Inter Variable, system-ui, sans-serif";

export const axisText = (p: Palette) => ({ color: p.muted, fontFamily: FONT, fontSize: 11.5 });
export const splitLine = (p: Palette) => ({ lineStyle: { color: p.line } });

export function legend(p: Palette, show: boolean): LegendComponentOption {
  return { show, top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 16, textStyle: { color: p.muted, fontFamily: FONT, fontSize: 12 } };
}

export interface TipRow { color?: string; name: string; value: string }

/** A tooltip built of DOM nodes: no markup strings, so nothing from the data can become markup. */
export function tipNode(title: string, rows: TipRow[]): HTMLElement {
  const root = document.createElement("div");
  root.className = "text-[12px] leading-5";
  const head = document.createElement("div");
  head.className = "font-semibold";
  head.textContent = title;
  root.append(head);
  for (const row of rows) {
    const line = document.createElement("div");
    line.className = "flex items-center gap-2";
    const dot = document.createElement("span");
    dot.className = "size-2 rounded-full";
    if (row.color) dot.style.background = row.color;
    const name = document.createElement("span");
    name.className = "text-muted";
    name.textContent = row.name;
    const value = document.createElement("span");
    value.className = "ml-auto pl-4 font-medium tabular";
    value.textContent = row.value;
    line.append(dot, name, value);
    root.append(line);
  }
  return root;
}

export function tooltip(p: Palette, extra: TooltipComponentOption): TooltipComponentOption {
  return {
    confine: true, backgroundColor: p.raised, borderColor: p.line, borderWidth: 1, padding: [8, 12],
    textStyle: { color: p.ink, fontFamily: FONT, fontSize: 12 }, extraCssText: "border-radius:10px;box-shadow:var(--pop-shadow);", ...extra,
  };
}
