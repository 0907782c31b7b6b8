import { Fragment, type ReactNode } from "react";
import type { Fact } from "../../../api/copilot.types";
import { Popover } from "../../../ui/Popover";

function FactMark({ fact, text }: { fact: Fact; text: string }) {
  return (
    <Popover label={`Source of ${text}`} trigger={text} triggerClass="rounded-[3px] font-semibold tabular underline decoration-accent decoration-dotted decoration-[1.5px] underline-offset-[3px] hover:bg-accent-soft">
      <p className="font-semibold">{fact.display}</p>
      <p className="mt-1 text-muted">{fact.source || "A cell of the result below."}</p>
    </Popover>
  );
}

/** Marks every fact of the answer where it stands in the text, by reference or by its display. */
function withFacts(text: string, facts: Fact[], key: string): ReactNode[] {
  const sorted = facts.filter((f) => f.display.length > 0).toSorted((a, b) => b.display.length - a.display.length);
  const out: ReactNode[] = [];
  let rest = text;
  for (let n = 0; rest; n++) {
    let at = -1;
    let found: Fact | null = null;
    let length = 0;
    for (const fact of sorted) {
      for (const needle of [`{fact:${fact.id}}`, fact.display]) {
        const i = indexOfWhole(rest, needle);
        if (i >= 0 && (at < 0 || i < at)) { at = i; found = fact; length = needle.length; }
      }
    }
    if (!found) break;
    if (at > 0) out.push(rest.slice(0, at));
    out.push(<FactMark key={`${key}-${n}`} fact={found} text={found.display} />);
    rest = rest.slice(at + length);
  }
  if (rest) out.push(rest);
  return out;
}

/** "12" must not be marked inside "2012" or "12.5". */
function indexOfWhole(text: string, needle: string): number {
  for (let i = text.indexOf(needle); i >= 0; i = text.indexOf(needle, i + 1)) {
    const before = text[i - 1] ?? " ";
    const after = text.slice(i + needle.length, i + needle.length + 2);
    if (!/[\p{L}\d]/u.test(before) && !/^[\p{L}\d]|^[.,]\d/u.test(after)) return i;
  }
  return -1;
}

function inline(text: string, facts: Fact[], key: string): ReactNode[] {
  return text.split(/(\*\*[^*]+\*\*)/).map((part, i) => (
    part.startsWith("**") && part.endsWith("**") && part.length > 4
      ? <strong key={`${key}-${i}`} className="font-semibold">{withFacts(part.slice(2, -2), facts, `${key}-${i}`)}</strong>
      : <Fragment key={`${key}-${i}`}>{withFacts(part, facts, `${key}-${i}`)}</Fragment>
  ));
}

/** Paragraphs, bullet lists and bold: as much markup as an answer needs, and never raw HTML. */
export function AnswerText({ text, facts }: { text: string; facts: Fact[] }) {
  const blocks = text.trim().split(/\n{2,}/);
  return (
    <div className="space-y-3 text-[15px] leading-7">
      {blocks.map((block, b) => {
        const lines = block.split("\n");
        if (lines.every((line) => /^\s*[-•*]\s+/.test(line))) {
          return <ul key={b} className="list-disc space-y-1 pl-5 marker:text-muted">{lines.map((line, l) => <li key={l}>{inline(line.replace(/^\s*[-•*]\s+/, ""), facts, `${b}-${l}`)}</li>)}</ul>;
        }
        return <p key={b} className="whitespace-pre-line">{inline(block, facts, String(b))}</p>;
      })}
    </div>
  );
}
