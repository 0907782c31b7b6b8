import { ArrowDownRight, ArrowRight, ArrowUpRight, Info, Users } from "lucide-react";
import type { Tile } from "../../api/overview.types";
import { Sparkline } from "../../charts/Sparkline";
import { cx } from "../../lib/cx";
import { DASH, formatLike } from "../../lib/format";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Popover } from "../../ui/Popover";
import { Sql } from "../../ui/Sql";

function Delta({ tile }: { tile: Tile }) {
  if (tile.delta === null || tile.delta === undefined || !tile.delta_display || tile.delta_display === DASH) return null;
  const flat = tile.delta === 0;
  const good = tile.delta > 0 === (tile.better === "up");
  const Arrow = flat ? ArrowRight : tile.delta > 0 ? ArrowUpRight : ArrowDownRight;
  const word = flat ? "unchanged" : `${tile.delta > 0 ? "up" : "down"} ${good ? "(better)" : "(worse)"}`;
  return (
    <span className={cx("inline-flex items-center gap-0.5 text-[13px] font-medium tabular", flat ? "text-muted" : good ? "text-good" : "text-bad")}>
      <Arrow size={14} aria-hidden="true" /><span className="sr-only">{word}</span>{tile.delta_display.replace(/^[+−-]\s?/, "")}
    </span>
  );
}

function note(tile: Tile): string {
  if (tile.note) return tile.note;
  return tile.interval ? `90% interval ${tile.interval.map((v) => formatLike(v, tile.unit, tile)).join(" to ")}` : "vs the period before";
}

function Definition({ tile, onPeople }: { tile: Tile; onPeople: () => void }) {
  return (
    <Popover
      label={`About ${tile.label}`} align="end" className="w-[25rem]" trigger={<Info size={15} aria-hidden="true" />}
      triggerClass="flex size-7 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink" testId={`tile-info-${tile.id}`}
    >
      {(close) => (
        <>
          <p className="font-semibold">{tile.label}</p>
          <p className="mt-1 text-muted">{tile.definition ?? "No definition was given."}</p>
          {tile.interval ? <p className="mt-2"><span className="text-muted">Interval </span><span className="font-medium tabular">{tile.interval.map((v) => formatLike(v, tile.unit, tile)).join(" to ")}</span></p> : null}
          {tile.sql ? <Sql text={tile.sql} className="mt-3" /> : null}
          <Button size="sm" className="mt-3" onClick={() => { close(); onPeople(); }}><Users size={14} aria-hidden="true" />See the people behind it</Button>
        </>
      )}
    </Popover>
  );
}

export function KpiTile({ tile, onPeople }: { tile: Tile; onPeople: () => void }) {
  return (
    <Card aria-label={tile.label} data-testid={`tile-${tile.id}`} className="min-w-0 p-4 transition-shadow hover:shadow-[0_4px_16px_-6px_rgb(20_22_40/0.14)]">
      <div className="flex items-start justify-between gap-1">
        <h2 className="pt-1 text-[13px] leading-5 text-muted">{tile.label}</h2>
        <div className="-mt-0.5 -mr-1.5"><Definition tile={tile} onPeople={onPeople} /></div>
      </div>
      <div className="mb-2 flex flex-wrap items-baseline gap-x-2.5">
        <button type="button" onClick={onPeople} title="See the people behind it" className="text-[25px] leading-9 font-semibold tracking-[-0.025em] tabular decoration-line-strong decoration-2 underline-offset-4 hover:underline">{tile.display}</button>
        <Delta tile={tile} />
      </div>
      <Sparkline values={tile.spark ?? []} labels={tile.spark_labels} title={tile.label} format={(v) => formatLike(v, tile.unit, tile)} />
      <p className="mt-2 truncate text-xs text-muted" title={note(tile)}>{note(tile)}</p>
    </Card>
  );
}
