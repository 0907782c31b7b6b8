/** Word-level difference by longest common subsequence: enough for messages of a few hundred words. */

import type { DiffPart } from "../api/proposals.types";

export function words(text: string): string[] {
  return text.match(/\{term:[^}]*\}|[€$£]?\d+(?:[.,]\d+)*%?|[\p{L}\p{N}'’-]+|\s+|[^\s]/gu) ?? [];
}

function table(a: string[], b: string[]): Uint16Array[] {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const here = rows[i]!;
      const below = rows[i + 1]!;
      here[j] = a[i] === b[j] ? below[j + 1]! + 1 : Math.max(below[j]!, here[j + 1]!);
    }
  }
  return rows;
}

function push(parts: DiffPart[], op: DiffPart["op"], text: string): void {
  const last = parts.at(-1);
  if (last && last.op === op) last.text += text;
  else parts.push({ op, text });
}

/**
 * Makes a difference readable: an unchanged scrap (spaces, one short word) between two changes joins them, and each
 * change reads as everything that went, then everything that came.
 */
function tidy(parts: DiffPart[]): DiffPart[] {
  const out: DiffPart[] = [];
  let gone = "";
  let come = "";
  const flush = () => {
    if (gone) push(out, "delete", gone);
    if (come) push(out, "insert", come);
    gone = "";
    come = "";
  };
  parts.forEach((part, i) => {
    if (part.op === "delete") gone += part.text;
    else if (part.op === "insert") come += part.text;
    else if ((gone || come) && i < parts.length - 1 && part.text.trim().length < 5 && !part.text.includes("\n")) {
      gone += part.text;
      come += part.text;
    } else {
      flush();
      push(out, "equal", part.text);
    }
  });
  flush();
  return out;
}

export function wordDiff(before: string, after: string): DiffPart[] {
  const a = words(before);
  const b = words(after);
  const lengths = table(a, b);
  const parts: DiffPart[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) { push(parts, "equal", a[i]!); i++; j++; }
    else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) push(parts, "delete", a[i++]!);
    else push(parts, "insert", b[j++]!);
  }
  while (i < a.length) push(parts, "delete", a[i++]!);
  while (j < b.length) push(parts, "insert", b[j++]!);
  return tidy(parts);
}
