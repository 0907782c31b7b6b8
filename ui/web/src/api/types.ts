/** Shapes of the JSON API that are shared by every page. Optional fields may be missing while a run is young. */

export type Role = "marketer" | "manager" | "evaluator" | "admin";

export interface User { id: string; name: string; email: string; role: Role }

export interface SessionInfo {
  user: User;
  demo: boolean;
  workspace?: string;
  now?: string;
  chat?: boolean;
}

export interface DemoUser { name: string; email: string; role: Role; password: string }

export interface DemoClock extends ClockEvent { offset_days?: number; demo?: boolean; zone?: string; can_advance?: boolean }

export interface ClockEvent { now: string; progress?: number; doing?: string; running?: boolean }

export type AdvanceRequest = { days: 1 | 7 | 30 } | { until: "next_window" };

export interface IdName { id: string; name: string }
export interface IdLabel { id: string; label: string }
export type Interval = readonly [number, number];
export interface Money { display?: string | null; minor?: number | null; currency?: string | null }
