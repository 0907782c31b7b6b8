import type { Band, Spread } from "../../api/overview.types";
import { cx } from "../../lib/cx";
import { count, day, share } from "../../lib/format";
import { Panel } from "../../ui/Card";
import { EmptyState } from "../../ui/Feedback";

function Row({ band, widest }: { band: Band; widest: number }) {
  const shift = band.before_share === null ? null : band.share - band.before_share;
  return (
    <li className="grid grid-cols-[7.5rem_minmax(0,1fr)_5.5rem] items-center gap-3">
      <span className="text-[13px] leading-tight">{band.label}</span>
      <div className="relative h-6 overflow-hidden rounded bg-sunken" aria-hidden="true">
        <div className={cx("h-full rounded transition-[width] duration-500", band.at_risk ? "bg-bad" : "bg-accent")} style={{ width: `${Math.max(0.6, (band.share / widest) * 100)}%` }} />
        {band.before_share === null ? null : <div title={`Before: ${share(band.before_share, 1)}`} className="absolute inset-y-0 w-[3px] border-x border-surface bg-ink" style={{ left: `calc(${(band.before_share / widest) * 100}% - 1.5px)` }} />}
      </div>
      <p className="text-right text-[13px] leading-tight tabular">
        <span className="font-semibold">{share(band.share, 1)}</span>
        <span className="block text-[11px] text-muted">{shift === null ? count(band.count) : <>{shift < 0 ? "−" : "+"}{Math.abs(shift * 100).toFixed(1)} pp<span className="sr-only"> since the period before, {count(band.count)} customers</span></>}</span>
      </p>
    </li>
  );
}

export interface SpreadPanelProps { spread: Spread | null | undefined; title: string; empty: string }

/** How customers are spread over bands now; the thin line marks the period before. */
export function SpreadPanel({ spread, title, empty }: SpreadPanelProps) {
  if (!spread || spread.bands.every((band) => band.count === 0)) return <Panel title={title}><EmptyState title="No features yet" text={empty} /></Panel>;
  const widest = Math.max(...spread.bands.flatMap((band) => [band.share, band.before_share ?? 0]), 0.01);
  const [name, rest] = spread.title.split(": ", 2);
  const note = [rest ? rest.charAt(0).toUpperCase() + rest.slice(1) : null, spread.before_at ? `the thin line marks ${day(spread.before_at)}` : null, spread.note].filter(Boolean).join(" · ");
  return (
    <Panel title={name ?? title} note={note}>
      <ul className="space-y-2" data-testid={`spread-${title.toLowerCase().replaceAll(" ", "-")}`}>{spread.bands.map((band) => <Row key={band.label} band={band} widest={widest} />)}</ul>
    </Panel>
  );
}
