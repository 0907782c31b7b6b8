import type { Proposal } from "./proposals.types";

export interface Step {
  id: string;
  agent: string;
  text?: string | null;
  status: "running" | "done" | "failed";
  ms?: number | null;
}

export interface Fact { id: string; value?: number | string | null; display: string; source?: string | null }

export interface ChartSeries { name: string; values: (number | null)[] | (number | null)[][]; unit?: string | null }

export interface Chart {
  type: "line" | "bar" | "heatmap";
  title: string;
  x: { label?: string | null; values: (string | number)[] };
  y?: { label?: string | null; values?: (string | number)[] } | null;
  series: ChartSeries[];
}

export interface Column { id: string; label: string; unit?: string | null }
export type Cell = string | number | boolean | null;
export interface Table { title?: string | null; columns: Column[]; rows: Cell[][] }
export interface Citation { title: string; text?: string | null; source?: string | null }
export type Trust = "verified" | "parsed" | "model-assisted" | "none";

export interface Message {
  id: string;
  role: "user" | "assistant";
  text: string;
  at?: string | null;
  route?: string | null;
  confidence?: number | null;
  trust?: Trust | null;
  steps?: Step[] | null;
  facts?: Fact[] | null;
  chart?: Chart | null;
  table?: Table | null;
  spec_text?: string | null;
  sql?: string | null;
  row_count?: number | null;
  freshness?: string | number | null;
  citations?: Citation[] | null;
  clarification?: { question: string; choices: string[] } | null;
  proposal_id?: string | null;
  declined?: boolean;
  model?: string | null;
}

export interface ThreadSummary { id: string; title?: string | null; updated_at?: string | null }
export interface Thread { id: string; title?: string | null; messages: Message[]; pending?: (string | Proposal)[] }
export interface Starter { label: string; text: string }
