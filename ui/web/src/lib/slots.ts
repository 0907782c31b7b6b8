/** Copy with figures: `{term:rewards-card.apr@2}` slots, or rendered text whose figures are known. */

import type { Figure } from "../api/proposals.types";

export type Piece = { kind: "text"; text: string } | { kind: "figure"; text: string; figure: Figure };

const SLOT = /\{term:([a-z0-9_.-]+)(?:@([^}]+))?\}/gi;

export function slotsOf(text: string): string[] {
  return text.match(SLOT) ?? [];
}

/** Slots of `before` that `after` no longer carries, each as often as it is missing. */
export function missingSlots(before: string, after: string): string[] {
  const left = slotsOf(after);
  return slotsOf(before).filter((slot) => {
    const at = left.indexOf(slot);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}

function bySlot(text: string, figures: readonly Figure[]): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(SLOT)) {
    if (match.index > from) pieces.push({ kind: "text", text: text.slice(from, match.index) });
    const term = match[1] ?? "";
    const known = figures.find((figure) => figure.term_id === term);
    const figure: Figure = known ?? { text: match[0], term_id: term, version: match[2] ?? null };
    pieces.push({ kind: "figure", text: known?.text ?? match[0], figure });
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ kind: "text", text: text.slice(from) });
  return pieces;
}

function byText(text: string, figures: readonly Figure[]): Piece[] {
  const sorted = figures.filter((f) => f.text).toSorted((a, b) => b.text.length - a.text.length);
  const pieces: Piece[] = [];
  let rest = text;
  while (rest) {
    let best: { at: number; figure: Figure } | null = null;
    for (const figure of sorted) {
      const at = rest.indexOf(figure.text);
      if (at >= 0 && (!best || at < best.at)) best = { at, figure };
    }
    if (!best) break;
    if (best.at > 0) pieces.push({ kind: "text", text: rest.slice(0, best.at) });
    pieces.push({ kind: "figure", text: best.figure.text, figure: best.figure });
    rest = rest.slice(best.at + best.figure.text.length);
  }
  if (rest) pieces.push({ kind: "text", text: rest });
  return pieces;
}

export function pieces(text: string, figures: readonly Figure[] | null | undefined): Piece[] {
  const known = figures ?? [];
  return slotsOf(text).length > 0 ? bySlot(text, known) : byText(text, known);
}

/** The text a customer would read. */
export function plain(text: string | null | undefined, figures: readonly Figure[] | null | undefined): string {
  return pieces(text ?? "", figures).map((piece) => piece.text).join("");
}
