import { ArrowDownRight, ArrowRight, ArrowUpRight, Bot, Info, Users } from "lucide-react";
import type { Tile } from "../../api/overview.types";
import { Sparkline } from "../../charts/Sparkline";
import { cx } from "../../lib/cx";
import { DASH, capital, count, withUnit } from "../../lib/format";
import { changeOf } from "../../lib/tiles";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Popover } from "../../ui/Popover";
import { Sql } from "../../ui/Sql";
import { intervalText } from "./FigureDrawer";

const ARROW = { up: ArrowUpRight, down: ArrowDownRight, flat: ArrowRight };
const TONE = { good: "text-good", bad: "text-bad", neutral: "text-muted" };

/** Coloured only when the change is more than chance or rounding. */
function Delta({ tile }: { tile: Tile }) {
  if (tile.delta === null || tile.delta === undefined || !tile.delta_display || tile.delta_display === DASH) return null;
  const change = changeOf(tile);
  const Arrow = ARROW[change.way];
  return (
    <span title={capital(change.words)} data-tone={change.tone} className={cx("inline-flex items-center gap-0.5 text-[13px] font-medium tabular", TONE[change.tone])}>
      <Arrow size={14} aria-hidden="true" /><span className="sr-only">{change.words}: </span>{tile.delta_display.replace(/^[+−-]\s?/, "")}
    </span>
  );
}

function note(tile: Tile): string {
  const interval = intervalText(tile);
  return tile.note || (interval ? `Interval ${interval}` : "vs the period before");
}

/** One click to the figure with machine events counted, and back. */
function Machine({ tile, raw, onRaw }: { tile: Tile; raw: boolean; onRaw: () => void }) {
  if (!tile.machine) return null;
  return (
    <button type="button" onClick={onRaw} aria-pressed={raw} data-testid={`tile-raw-${tile.id}`} title={`${count(tile.machine.events)} ${tile.machine.events === 1 ? "message was" : "messages were"} touched by machines alone. Click to ${raw ? "leave them out" : "count them too"}.`} className="mt-1 flex w-full items-center gap-1 truncate text-left text-xs text-muted hover:text-ink">
      <Bot size={13} aria-hidden="true" className="shrink-0" /><span className="truncate underline decoration-line-strong decoration-dotted underline-offset-2">{tile.machine.label}</span> <span className="font-medium tabular">{tile.machine.display}</span>
    </button>
  );
}

function Definition({ tile, onOpen }: { tile: Tile; onOpen: () => void }) {
  return (
    <Popover
      label={`About ${tile.label}`} align="end" className="w-[25rem]" trigger={<Info size={15} aria-hidden="true" />}
      triggerClass="flex size-7 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink" testId={`tile-info-${tile.id}`}
    >
      {(close) => (
        <>
          <p className="font-semibold">{tile.label}</p>
          <p className="mt-1 text-muted">{tile.definition ?? "No definition was given."}</p>
          {tile.interval ? <p className="mt-2"><span className="text-muted">Interval </span><span className="font-medium tabular">{intervalText(tile)}</span></p> : null}
          {tile.sql ? <Sql text={tile.sql} className="mt-3" /> : null}
          <Button size="sm" className="mt-3" onClick={() => { close(); onOpen(); }}><Users size={14} aria-hidden="true" />See the people behind it</Button>
        </>
      )}
    </Popover>
  );
}

export interface KpiTileProps { tile: Tile; raw: boolean; onOpen: () => void; onRaw: () => void }

export function KpiTile({ tile, raw, onOpen, onRaw }: KpiTileProps) {
  return (
    <Card aria-label={tile.label} data-testid={`tile-${tile.id}`} className="min-w-0 p-4 transition-shadow hover:shadow-[0_4px_16px_-6px_rgb(20_22_40/0.14)]">
      <div className="flex items-start justify-between gap-1">
        <h2 className="pt-1 text-[13px] leading-5 text-muted">{tile.label}{raw && tile.machine ? <span className="text-warn"> · all</span> : null}</h2>
        <div className="-mt-0.5 -mr-1.5"><Definition tile={tile} onOpen={onOpen} /></div>
      </div>
      <div className="mb-2 flex flex-wrap items-baseline gap-x-2.5">
        <button type="button" onClick={onOpen} title="See its definition, its query and the people" data-testid={`tile-figure-${tile.id}`} className="text-[25px] leading-9 font-semibold tracking-[-0.025em] tabular decoration-line-strong decoration-2 underline-offset-4 hover:underline">{tile.display}</button>
        <Delta tile={tile} />
      </div>
      <Sparkline values={tile.spark ?? []} labels={tile.spark_labels} title={tile.label} format={(v) => withUnit(v, tile.unit)} />
      <p className="mt-2 truncate text-xs text-muted" title={note(tile)}>{note(tile)}</p>
      <Machine tile={tile} raw={raw} onRaw={onRaw} />
    </Card>
  );
}
