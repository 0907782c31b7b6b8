import type { IdLabel, IdName, Interval } from "./types";

export interface OverviewQuery {
  days: number;
  offer: string;
  channel: string;
  segment: string;
  /** Count the opens and clicks of machines too. */
  raw: boolean;
  /** A snapshot of the lake to look at; empty: the newest. */
  snapshot: string;
}

/** The figure the other way round: with machine events, or by people alone while the page counts all. */
export interface MachineFigure { label: string; value: number; display: string; events: number }

export interface Tile {
  id: string;
  label: string;
  value: number | null;
  unit: "percent" | "count" | "money" | string;
  display: string;
  delta: number | null;
  delta_display: string | null;
  better: "up" | "down";
  interval: Interval | null;
  /** Whether the change is more than chance, when the server knows. */
  significant?: boolean | null;
  note?: string | null;
  spark?: (number | null)[];
  spark_labels?: string[];
  definition?: string | null;
  sql?: string | null;
  machine?: MachineFigure | null;
}

/** A count with its share of what was delivered (or of what was sent). */
export interface Volume extends Tile { share?: number | null }

export interface Band { label: string; count: number; share: number; before_share: number | null; at_risk?: boolean }
export interface Spread { title: string; bands: Band[]; note?: string | null; at: string; before_at: string | null }
export interface CohortTrend { cohorts: string[]; series: { name: string; values: (number | null)[] }[] }

export interface FunnelStep {
  id: string;
  label: string;
  count: number;
  share: number | null;
  holdout_share: number | null;
  worst?: boolean;
}

export interface CohortRow { cohort: string; size: number; values: (number | null)[] }
export interface Cohorts { title: string; columns: string[]; rows: CohortRow[]; trend?: CohortTrend | null }

export interface Heatmap {
  title: string;
  metric?: string;
  rows: string[];
  columns: (number | string)[];
  values: (number | null)[][];
  counts?: (number | null)[][];
}

export interface DailySeries { name: string; values: (number | null)[]; unit?: string | null }
export interface Anomaly { at: string; metric?: string; label?: string; text: string; severity?: string }

/** A filter choice: the API may give plain strings or objects. */
export type Choice = string | IdName | IdLabel;

export interface Overview {
  period: { from: string; to: string; label: string; previous_label?: string };
  as_of: string;
  /** When the newest event arrived. */
  received_at?: string | null;
  freshness_s?: number | null;
  demo?: boolean;
  currency?: string;
  raw?: boolean;
  snapshot?: string | null;
  newest_snapshot?: string | null;
  filters?: { offers?: Choice[]; channels?: Choice[]; segments?: Choice[] };
  tiles: Tile[];
  volumes?: Volume[];
  churn?: Spread | null;
  value?: Spread | null;
  funnel?: { steps: FunnelStep[]; note?: string | null } | null;
  cohorts?: Cohorts | null;
  heatmap?: Heatmap | null;
  daily?: { dates: string[]; series: DailySeries[] } | null;
  anomalies?: Anomaly[];
}

export interface Person {
  id: string;
  segment?: string | null;
  region?: string | null;
  age_band?: string | null;
  what?: string | null;
  at?: string | null;
}

export interface People { total: number; items: Person[] }
