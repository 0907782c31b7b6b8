import type { ReactNode } from "react";
import { cx } from "../lib/cx";

export type Tone = "neutral" | "accent" | "good" | "warn" | "bad";

export const toneClass: Record<Tone, string> = {
  neutral: "border-line-strong text-muted bg-surface",
  accent: "border-transparent text-accent-ink bg-accent-soft",
  good: "border-good-line text-good bg-good-soft",
  warn: "border-warn-line text-warn bg-warn-soft",
  bad: "border-bad-line text-bad bg-bad-soft",
};

export function Chip({ tone = "neutral", children, className, title }: { tone?: Tone; children: ReactNode; className?: string; title?: string }) {
  return (
    <span title={title} className={cx("inline-flex items-center gap-1 rounded-full border px-2 py-0.5 text-xs font-medium whitespace-nowrap", toneClass[tone], className)}>
      {children}
    </span>
  );
}

export function riskTone(risk: string | null | undefined): Tone {
  switch ((risk ?? "").toLowerCase()) {
    case "low": return "good";
    case "medium": return "warn";
    case "high": return "bad";
    default: return "neutral";
  }
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line-strong bg-sunken px-1 font-sans text-[11px] font-medium text-muted">{children}</kbd>;
}
