import { CircleAlert, Inbox, RotateCw, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError, messageOf } from "../api/client";
import { cx } from "../lib/cx";
import { Button } from "./Button";

export function Spinner({ size = 16, label }: { size?: number; label?: string }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" className="animate-spin" role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : true}>
      <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" strokeOpacity="0.25" strokeWidth="3" />
      <path d="M21 12a9 9 0 0 0-9-9" fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round" />
    </svg>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={cx("skeleton rounded-md", className)} />;
}

export interface EmptyStateProps { title: string; text?: ReactNode; icon?: LucideIcon; action?: ReactNode; className?: string }

export function EmptyState({ title, text, icon: Icon = Inbox, action, className }: EmptyStateProps) {
  return (
    <div className={cx("flex flex-col items-center justify-center gap-2 px-6 py-10 text-center", className)}>
      <span className="mb-1 flex size-11 items-center justify-center rounded-full bg-sunken text-muted"><Icon size={20} aria-hidden="true" /></span>
      <p className="font-semibold">{title}</p>
      {text ? <p className="max-w-sm text-[13px] text-muted">{text}</p> : null}
      {action}
    </div>
  );
}

export function ErrorState({ error, retry, className }: { error: unknown; retry?: () => void; className?: string }) {
  return (
    <div role="alert" className={cx("flex flex-col items-center gap-2 px-6 py-10 text-center", className)}>
      <span className="mb-1 flex size-11 items-center justify-center rounded-full bg-bad-soft text-bad"><CircleAlert size={20} aria-hidden="true" /></span>
      <p className="font-semibold">{messageOf(error)}</p>
      {error instanceof ApiError && error.hint ? <p className="max-w-md text-[13px] text-muted">{error.hint}</p> : null}
      {retry ? <Button size="sm" className="mt-2" onClick={retry}><RotateCw size={14} aria-hidden="true" />Try again</Button> : null}
    </div>
  );
}

export function Banner({ tone = "info", children, className }: { tone?: "info" | "warn" | "bad" | "good"; children: ReactNode; className?: string }) {
  const tones = {
    info: "bg-accent-soft text-accent-ink border-transparent",
    warn: "bg-warn-soft text-warn border-warn-line",
    bad: "bg-bad-soft text-bad border-bad-line",
    good: "bg-good-soft text-good border-good-line",
  };
  return <div className={cx("flex items-start gap-2 rounded-lg border px-3 py-2 text-[13px]", tones[tone], className)}>{children}</div>;
}
