import type { IdLabel, IdName, Interval, Money } from "./types";

export type ProposalStatus = "pending" | "approved" | "rejected" | "expired";

export interface Figure {
  text: string;
  label?: string | null;
  term_id: string;
  version?: number | string | null;
  source?: string | null;
  qualifier?: string | null;
}

export interface DiffPart { op: "equal" | "insert" | "delete"; text: string }

export interface Variant {
  id: string;
  label: string;
  tone?: string | null;
  subject?: string | null;
  body: string;
  /** Copy with `{term:…@version}` slots, when the API sends it beside the rendered copy. */
  subject_template?: string | null;
  body_template?: string | null;
  /** The rendered copy; `subject` and `body` then carry `{term:…@version}` slots. */
  preview?: { subject?: string | null; body?: string | null; cta?: string | null } | null;
  cta?: string | null;
  url?: string | null;
  figures?: Figure[];
  diff?: DiffPart[] | null;
}

export interface FunnelStage { stage: string; removed: number; left: number; reason?: string | null }

export interface Check { id: string; label: string; status: "pass" | "warn" | "fail"; detail?: string | null; source?: string | null }

export interface Arm {
  id: string;
  label: string;
  sent: number;
  /** Of the sent, those whose time to answer has passed: the base of the rate. */
  matured?: number | null;
  clicks?: number | null;
  rate: number | null;
  interval?: Interval | null;
}

export type ExperimentStatus = "running" | "proposed" | "promoted" | "concluded" | "rolled_back";

export interface ExperimentResults {
  arms: Arm[];
  status?: ExperimentStatus | string | null;
  /** What the last look found, in one sentence. */
  reason?: string | null;
  z?: number | null;
  bound?: number | null;
  look?: number | null;
  estimate_note?: string | null;
}

export interface ExperimentPlan {
  metric: string;
  looks?: number | null;
  min_days?: number | null;
  holdout_share?: number | null;
  alpha?: number | null;
}

export interface TimelineEntry { at: string; actor?: string | IdName | null; what: string }

export const DELIVERY_FIELDS = ["queued", "sent", "delivered", "held", "opened", "clicked", "converted", "holdout"] as const;
export type DeliveryField = (typeof DELIVERY_FIELDS)[number];
export type Delivery = Partial<Record<DeliveryField, number | null>>;

export interface Proposal {
  id: string;
  kind: "campaign" | "promotion" | string;
  title: string;
  status: ProposalStatus;
  created_at: string;
  created_by?: IdName | null;
  agent?: string | null;
  deadline?: string | null;
  payload_hash: string;
  version?: number | null;
  offer?: IdName | null;
  channel?: IdLabel | null;
  window?: IdLabel | null;
  audience?: { count?: number | null; label?: string | null; holdout?: number | null } | null;
  uplift?: { display?: string | null; value?: number | null; interval?: Interval | null } | null;
  expected_value?: Money | null;
  risk?: string | null;
  reason?: string | null;
  funnel?: FunnelStage[] | null;
  checks?: Check[] | null;
  variants?: Variant[] | null;
  experiment?: ExperimentPlan | null;
  results?: ExperimentResults | null;
  decided_by?: string | IdName | null;
  decided_at?: string | null;
  decision_reason?: string | null;
  can_decide?: boolean;
  why_not?: string | null;
  timeline?: TimelineEntry[] | null;
  delivery?: Delivery | null;
  thread_id?: string | null;
}

export interface ProposalList { items: Proposal[]; counts?: { pending?: number } }

export interface VariantEdit { id: string; subject: string; body: string }

export interface DecideRequest {
  decision: "approve" | "reject" | "edit";
  reason: string;
  payload_hash: string;
  edits: { variants: VariantEdit[] } | null;
}

export interface KeptMessage {
  message_id: string;
  customer_id: string;
  variant?: string | null;
  channel?: string | null;
  subject?: string | null;
  body: string;
  cta?: string | null;
  url?: string | null;
  accepted_at?: string | null;
}

export interface KeptMessages { items: KeptMessage[]; total?: number }
