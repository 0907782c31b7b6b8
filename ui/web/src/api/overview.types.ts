import type { IdLabel, IdName, Interval } from "./types";

export interface OverviewQuery { days: number; offer: string; channel: string; segment: string }

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
}

export interface FunnelStep {
  id: string;
  label: string;
  count: number;
  share: number | null;
  holdout_share: number | null;
  worst?: boolean;
}

export interface CohortRow { cohort: string; size: number; values: (number | null)[] }
export interface Cohorts { title: string; columns: string[]; rows: CohortRow[] }

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
  freshness_s?: number;
  demo?: boolean;
  filters?: { offers?: Choice[]; channels?: Choice[]; segments?: Choice[] };
  tiles: Tile[];
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
