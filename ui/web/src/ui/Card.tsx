import type { HTMLAttributes, ReactNode } from "react";
import { cx } from "../lib/cx";

export function Card({ className, ...rest }: HTMLAttributes<HTMLElement>) {
  return <section {...rest} className={cx("rounded-xl border border-line bg-surface shadow-card", className)} />;
}

export interface PanelProps { title: string; note?: ReactNode; action?: ReactNode; children: ReactNode; className?: string; id?: string }

/** A card with a heading, a line of explanation and a body. */
export function Panel({ title, note, action, children, className, id }: PanelProps) {
  const heading = `${id ?? title.toLowerCase().replace(/[^a-z]+/g, "-")}-title`;
  return (
    <Card aria-labelledby={heading} className={cx("min-w-0 p-4 sm:p-5", className)}>
      <header className="mb-4 flex items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 id={heading} className="text-[15px] font-semibold tracking-[-0.01em]">{title}</h2>
          {note ? <p className="mt-0.5 text-[13px] text-muted">{note}</p> : null}
        </div>
        {action}
      </header>
      {children}
    </Card>
  );
}
