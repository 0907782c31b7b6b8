import type { ButtonHTMLAttributes, Ref } from "react";
import { cx } from "../lib/cx";
import { Spinner } from "./Feedback";

export type ButtonKind = "primary" | "secondary" | "ghost" | "danger" | "good";

const kinds: Record<ButtonKind, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong border border-transparent shadow-card",
  secondary: "bg-surface text-ink border border-line-strong hover:bg-sunken shadow-card",
  ghost: "text-muted border border-transparent hover:bg-sunken hover:text-ink",
  danger: "text-bad border border-transparent hover:bg-bad-soft",
  good: "text-good border border-good-line hover:bg-good-soft",
};

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind;
  size?: "sm" | "md";
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ kind = "secondary", size = "md", busy = false, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cx(
        "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors",
        "disabled:bg-sunken disabled:text-muted disabled:border-line disabled:shadow-none",
        size === "sm" ? "h-7 px-2.5 text-[13px]" : "h-9 px-3.5 text-sm",
        kinds[kind], className,
      )}
    >
      {busy ? <Spinner size={14} /> : null}
      {children}
    </button>
  );
}

/** A square button with an icon only; the label is read aloud and shown on hover. */
export function IconButton({ label, className, children, ...rest }: ButtonProps & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cx(
        "inline-flex size-8 shrink-0 items-center justify-center rounded-lg text-muted transition-colors hover:bg-sunken hover:text-ink disabled:opacity-40",
        className,
      )}
    >
      {children}
    </button>
  );
}
