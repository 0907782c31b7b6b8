/** How a tile's change is read: which way it went, and whether it is worth a colour. */

import type { Tile } from "../api/overview.types";

export interface Change {
  way: "up" | "down" | "flat";
  tone: "good" | "bad" | "neutral";
  /** Told to screen readers and on hover. */
  words: string;
}

type Measured = Pick<Tile, "value" | "unit" | "delta" | "delta_display" | "better" | "interval" | "significant">;

/** A change smaller than this share of the value is not called better or worse. */
const TINY = 0.01;

/** Amounts change by a share of what they were ("12.4%"), rates and money by their own unit ("0.3 pp", "€410"). */
const relative = (tile: Measured) => tile.unit !== "percent" && (tile.delta_display ?? "").trim().endsWith("%");

function meaningful(tile: Measured, delta: number): [boolean, string] {
  const value = tile.value ?? 0;
  if (typeof tile.significant === "boolean") return [tile.significant, "may be chance"];
  if (tile.interval) {
    const before = relative(tile) ? value / (1 + delta) : value - delta;
    return [before < tile.interval[0] || before > tile.interval[1], "within its interval, may be chance"];
  }
  return [(relative(tile) ? Math.abs(delta) : Math.abs(delta) / Math.abs(value)) >= TINY, "hardly changed"];
}

export function changeOf(tile: Measured): Change {
  const delta = tile.delta ?? 0;
  if (delta === 0) return { way: "flat", tone: "neutral", words: "unchanged" };
  const way = delta > 0 ? "up" : "down";
  const [real, doubt] = meaningful(tile, delta);
  if (!real) return { way, tone: "neutral", words: `${way}, ${doubt}` };
  const good = way === tile.better;
  return { way, tone: good ? "good" : "bad", words: `${way}, ${good ? "better" : "worse"}` };
}

/** Columns on a wide screen that leave no tile alone in the last row, where that is possible. */
export function tileColumns(tiles: number): 3 | 4 {
  if (tiles % 4 === 0) return 4;
  if (tiles % 3 === 0) return 3;
  return tiles % 4 === 1 && tiles % 3 !== 1 ? 3 : 4;
}
