import type { ECharts } from "echarts/core";
import { useEffect, useRef, useState, type Ref } from "react";
import { useImperativeHandle } from "react";
import { useTheme } from "../hooks/useTheme";
import { cx } from "../lib/cx";
import { ErrorState, Skeleton } from "../ui/Feedback";
import { palette, type Palette, type ChartOption } from "./theme";

export interface ChartHandle { png: () => string | null }

export interface EChartProps {
  build: (palette: Palette) => ChartOption;
  label: string;
  className?: string;
  handle?: Ref<ChartHandle>;
  testId?: string;
  /** Whether the chart needs more than lines. */
  bars?: boolean;
}

/** Draws an ECharts option when it comes into view; redraws on theme change and resize. */
export function EChart({ build, label, className, handle, testId, bars = false }: EChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const [near, setNear] = useState(false);
  const [ready, setReady] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const theme = useTheme();

  useEffect(() => {
    if (!box.current || near) return;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) setNear(true); }, { rootMargin: "160px" });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [near]);

  useEffect(() => {
    const element = box.current;
    if (!near || !element) return;
    let gone = false;
    const resize = new ResizeObserver(() => chart.current?.resize());
    const parts = bars ? Promise.all([import("./echarts"), import("./bars")]) : Promise.all([import("./echarts")]);
    parts.then(([{ init }]) => {
      if (gone) return;
      chart.current = init(element, undefined, { renderer: "canvas" });
      resize.observe(element);
      setReady(true);
    }, (cause: unknown) => { if (!gone) setError(cause); });
    return () => { gone = true; resize.disconnect(); chart.current?.dispose(); chart.current = null; setReady(false); };
  }, [near, bars]);

  useEffect(() => {
    if (ready) chart.current?.setOption(build(palette()), { notMerge: true });
  }, [build, ready, theme]);

  useImperativeHandle(handle, () => ({
    png: () => chart.current?.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: palette().surface }) ?? null,
  }), []);

  if (error) return <ErrorState error={error} />;
  return (
    <div className={cx("relative", className)} data-testid={testId} data-ready={ready || undefined}>
      <div ref={box} role="img" aria-label={label} className="absolute inset-0" />
      {ready ? null : <Skeleton className="absolute inset-0 rounded-lg" />}
    </div>
  );
}
