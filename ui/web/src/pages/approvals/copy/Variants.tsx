import { useState } from "react";
import type { Proposal, Variant } from "../../../api/proposals.types";
import { wordDiff } from "../../../lib/diff";
import { capital } from "../../../lib/format";
import { plain } from "../../../lib/slots";
import { Chip } from "../../../ui/Chip";
import { Segmented } from "../../../ui/Fields";
import { Diff } from "./Copy";
import { Preview } from "./Preview";

function Difference({ variants }: { variants: Variant[] }) {
  const [a, b] = variants;
  const given = variants.filter((variant) => variant.diff && variant.diff.length > 0);
  if (given.length > 0) {
    return <div className="grid gap-3 md:grid-cols-2">{given.map((variant) => <Box key={variant.id} title={`Variant ${variant.label}, against the copy before`}><Diff parts={variant.diff ?? []} figures={variant.figures} /></Box>)}</div>;
  }
  if (!a || !b) return <p className="text-[13px] text-muted">There is one variant and no earlier copy, so there is nothing to compare.</p>;
  const subjects = [plain(a.subject, a.figures), plain(b.subject, b.figures)] as const;
  return (
    <Box title={`Variant ${a.label} (struck) against variant ${b.label} (marked)`}>
      {subjects[0] || subjects[1] ? <div className="mb-2 font-semibold"><Diff parts={wordDiff(...subjects)} /></div> : null}
      <Diff parts={wordDiff(plain(a.body, a.figures), plain(b.body, b.figures))} />
    </Box>
  );
}

function Box({ title, children }: { title: string; children: React.ReactNode }) {
  return <div className="rounded-lg border border-line p-3.5"><p className="mb-2 text-xs text-muted">{title}</p>{children}</div>;
}

/** The copy: as the channel shows it, or the difference word by word. */
export function Variants({ proposal }: { proposal: Proposal }) {
  const [view, setView] = useState("preview");
  const variants = proposal.variants ?? [];
  if (variants.length === 0) return null;
  const comparable = variants.length > 1 || variants.some((variant) => variant.diff?.length);
  return (
    <section aria-labelledby="copy-title">
      <div className="mb-3 flex items-center justify-between gap-3">
        <h3 id="copy-title" className="text-sm font-semibold">Copy{proposal.channel ? ` · ${proposal.channel.label}` : ""}</h3>
        {comparable ? <Segmented label="View of the copy" value={view} options={[{ value: "preview", label: "Preview" }, { value: "diff", label: "Difference" }]} onChange={setView} /> : null}
      </div>
      {view === "diff" ? <Difference variants={variants} /> : (
        <div className={variants.length > 1 ? "grid items-start gap-4 md:grid-cols-2" : "max-w-xl"}>
          {variants.map((variant) => (
            <figure key={variant.id} className="min-w-0">
              <figcaption className="mb-2 flex items-center gap-2 text-xs text-muted"><Chip tone="accent">Variant {variant.label}</Chip>{variant.tone ? capital(variant.tone) : ""}</figcaption>
              <Preview channel={proposal.channel?.id ?? "email"} subject={variant.subject} body={variant.body} cta={variant.preview?.cta ?? variant.cta} url={variant.url} figures={variant.figures} />
            </figure>
          ))}
        </div>
      )}
    </section>
  );
}
