import type { DiffPart, Figure, Variant } from "../../../api/proposals.types";
import { pieces } from "../../../lib/slots";
import { Popover } from "../../../ui/Popover";

/** Copy whose figures can be opened: each says which version of which term it comes from. */
export function Copy({ text, figures, quiet = false }: { text: string; figures: Figure[] | null | undefined; quiet?: boolean }) {
  return (
    <>
      {pieces(text, figures).map((piece, index) => {
        if (piece.kind === "text" || quiet) return <span key={index}>{piece.text}</span>;
        const { figure } = piece;
        return (
          <Popover
            key={index} label={`Source of ${piece.text}`} trigger={piece.text}
            triggerClass="rounded-[4px] bg-accent-soft px-0.5 font-medium text-accent-ink underline decoration-dotted decoration-1 underline-offset-[3px]"
          >
            <p className="font-semibold">{figure.label ?? figure.term_id}</p>
            <dl className="mt-1.5 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5">
              <dt className="text-muted">Shown</dt><dd>{piece.text}</dd>
              <dt className="text-muted">Term</dt><dd className="font-mono text-xs leading-5">{figure.term_id}{figure.version ? `@${figure.version}` : ""}</dd>
              {figure.qualifier ? <><dt className="text-muted">Qualifier</dt><dd>{figure.qualifier}</dd></> : null}
              {figure.source ? <><dt className="text-muted">Source</dt><dd className="break-words">{figure.source}</dd></> : null}
            </dl>
          </Popover>
        );
      })}
    </>
  );
}

/** Word-level difference: what is gone is struck, what is new is marked; both are said to screen readers. */
export function Diff({ parts, figures }: { parts: DiffPart[]; figures?: Variant["figures"] }) {
  return (
    <p className="text-[13px] leading-6 whitespace-pre-line">
      {parts.map((part, index) => {
        const text = pieces(part.text, figures).map((piece) => piece.text).join("");
        if (part.op === "equal") return <span key={index}>{text}</span>;
        if (part.op === "insert") return <ins key={index} className="rounded-[4px] bg-good-soft px-0.5 text-good no-underline"><span className="sr-only"> added: </span>{text}</ins>;
        return <del key={index} className="rounded-[4px] bg-bad-soft px-0.5 text-bad decoration-1"><span className="sr-only"> removed: </span>{text}</del>;
      })}
    </p>
  );
}
