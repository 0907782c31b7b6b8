/** Shapes of the Data page: sources, tables, dead letters, identity conflicts, schemas. */

export interface Partition { partition: string; position: number | null; end: number | null; lag: number | null }

export interface Source {
  name: string; label?: string; kind: string; state: string; partitions: Partition[]; lag: number | null; rate: number;
  accepted: number; duplicates: number; refused: number;
  last_event_at: string | null; last_commit_at: string | null; last_error: string | null; updated_at: string;
}

export interface LakeTable {
  name: string; rows: number; files: number; bytes: number; snapshots: number;
  snapshot: string | null; newest_event_at: string | null; committed_at: string | null; freshness_s: number | null;
}

export interface DataHealth {
  now: string; sources: Source[]; tables: LakeTable[];
  dead_letters: { open: number }; conflicts: { open: number };
}

export interface DeadLetter {
  id: number; source: string; partition: string; position: string; received_at: string;
  contract: string | null; record_id: string | null; customer_id: string | null;
  field: string | null; value: string | null; reason: string; remedy: string;
  raw: string; size: number; status: "open" | "retried" | "discarded"; attempts: number; last_tried_at: string | null;
}

export interface DeadLetters { items: DeadLetter[]; total: number }
export interface RetryResult { retried: number; refused: number; errors?: { id: number; reason: string }[] }

export interface Conflict {
  id: number; first_id: string; second_id: string; status: "open" | "merged" | "kept_apart"; found_at: string;
  evidence: { record_id?: string; source?: string; occurred_at?: string; reason?: string; kinds?: string[] };
  decided_by: string | null; decided_at: string | null; reason: string | null; kept_id: string | null;
}

export interface SchemaField { name: string; type: string; required: boolean; description: string; enum?: string[] | null; personal?: boolean }
export interface Schema { name: string; version: number; title: string; description: string; kinds?: string[]; fields: SchemaField[]; example?: unknown }
