import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "../lib/cx";

export interface Option { value: string; label: string }

export function Select({ label, value, options, onChange }: { label: string; value: string; options: Option[]; onChange: (value: string) => void }) {
  return (
    <label className="relative inline-flex min-w-0 items-center">
      <span className="sr-only">{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className={cx("h-8 max-w-44 appearance-none truncate rounded-lg border bg-surface pr-7 pl-2.5 text-[13px] font-medium shadow-card hover:bg-sunken", value ? "border-accent text-accent-ink" : "border-line-strong text-ink")}
      >
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
      <ChevronDown size={14} aria-hidden="true" className="pointer-events-none absolute right-2 text-muted" />
    </label>
  );
}

export function Segmented({ label, value, options, onChange }: { label: string; value: string; options: Option[]; onChange: (value: string) => void }) {
  return (
    <div role="group" aria-label={label} className="inline-flex h-8 shrink-0 items-center rounded-lg border border-line-strong bg-surface p-0.5 shadow-card">
      {options.map((option) => (
        <button
          key={option.value} type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}
          className={cx("h-full rounded-md px-2.5 text-[13px] font-medium transition-colors", option.value === value ? "bg-accent-soft text-accent-ink" : "text-muted hover:text-ink")}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Field({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <label className="block">
      <span className="mb-1.5 block text-[13px] font-medium">{label}</span>
      {children}
      {hint ? <span className="mt-1 block text-xs text-muted">{hint}</span> : null}
    </label>
  );
}

export const inputClass =
  "w-full rounded-lg border border-line-strong bg-surface px-3 py-2 text-sm text-ink shadow-card placeholder:text-muted focus:border-accent focus:outline-2 focus:outline-accent/40";
