// The only modules that import ECharts are this one and bars.ts. Both are loaded lazily: lines alone are what the
// overview needs, bars and heatmaps come with the first answer that has one.
import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

export { init };
export type { ECharts } from "echarts/core";
