import { useEffect, type KeyboardEvent } from "react";
import { cx } from "../lib/cx";
import { count } from "../lib/format";

export interface TabItem { id: string; label: string; count?: number | null | undefined }

/** Tabs by the ARIA pattern: one stop for Tab, arrows move between them. */
export function Tabs({ label, tabs, active, onChange }: { label: string; tabs: TabItem[]; active: string; onChange: (id: string) => void }) {
  useEffect(() => {
    // Chromium 156 returns a promise here: it must not become the effect's clean-up.
    void document.getElementById(`tab-${active}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active]);
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = tabs[(tabs.findIndex((tab) => tab.id === active) + step + tabs.length) % tabs.length];
    if (!next) return;
    onChange(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div role="tablist" aria-label={label} onKeyDown={onKey} className="flex gap-1 overflow-x-auto border-b border-line">
      {tabs.map((tab) => (
        <button
          key={tab.id} id={`tab-${tab.id}`} type="button" role="tab" aria-selected={tab.id === active} tabIndex={tab.id === active ? 0 : -1}
          onClick={() => onChange(tab.id)} data-testid={`tab-${tab.id}`}
          className={cx("-mb-px flex shrink-0 items-center gap-1.5 border-b-2 px-3 py-2 text-[13px] font-medium", tab.id === active ? "border-accent text-accent-ink" : "border-transparent text-muted hover:text-ink")}
        >
          {tab.label}
          {tab.count ? <span className="rounded-full bg-warn-soft px-1.5 text-xs font-semibold text-warn tabular">{count(tab.count)}</span> : null}
        </button>
      ))}
    </div>
  );
}
