import { useEffect, useState } from "react";
import { messageOf } from "../../api/client";
import { dataApi } from "../../api/data";
import type { DeadLetter } from "../../api/data.types";
import { count } from "../../lib/format";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Banner } from "../../ui/Feedback";
import { Field, inputClass } from "../../ui/Fields";
import { useToast } from "../../ui/Toast";

/** The mended record; what is not one JSON object is said before it is sent. */
function parsed(text: string): Record<string, unknown> {
  let value: unknown;
  try { value = JSON.parse(text); } catch (error) { throw new Error(`This is not JSON yet: ${messageOf(error)}`); }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("A record is one JSON object: { … }.");
  return value as Record<string, unknown>;
}

/** One refused record: what it said, why it was refused; it can be mended here and tried again. */
export function LetterDrawer({ letter, onClose, onDone }: { letter: DeadLetter | null; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState<"retry" | "discard" | null>(null);
  const [problem, setProblem] = useState("");
  const notify = useToast();
  useEffect(() => { setText(letter?.raw ?? ""); setProblem(""); }, [letter]);
  if (!letter) return <Dialog open={false} onClose={onClose} title="Refused record" side="right"><span /></Dialog>;
  const cut = letter.size > letter.raw.length + 8 && letter.size > 60_000;

  const run = async (what: "retry" | "discard") => {
    setBusy(what);
    setProblem("");
    try {
      if (what === "discard") { await dataApi.discard([letter.id]); notify("Discarded. It stays listed under Discarded."); }
      else {
        const edited = text !== letter.raw;
        const result = await dataApi.retry({ ids: [letter.id], ...(edited ? { edits: { [letter.id]: parsed(text) } } : {}) });
        if (result.refused) { setProblem(result.errors?.[0]?.reason ?? "It was refused again."); return; }
        notify("Accepted.");
      }
      onDone();
      onClose();
    } catch (error) { setProblem(messageOf(error)); } finally { setBusy(null); }
  };

  return (
    <Dialog
      open onClose={onClose} title="Refused record" note={`${letter.source} · ${letter.partition} · ${letter.position}`} side="right" width="38rem" testId="letter-drawer"
      footer={letter.status === "open" ? <><Button kind="danger" busy={busy === "discard"} disabled={busy !== null} onClick={() => void run("discard")}>Discard</Button><Button kind="primary" busy={busy === "retry"} disabled={busy !== null || cut} onClick={() => void run("retry")} data-testid="retry-one">Try again</Button></> : undefined}
    >
      <div className="space-y-4 text-[13px]">
        <Banner tone="warn"><span><strong>{letter.reason}</strong><br />{letter.remedy}</span></Banner>
        <dl className="grid grid-cols-[7rem_1fr] gap-y-1.5">
          {([["Contract", letter.contract], ["Record", letter.record_id], ["Customer", letter.customer_id], ["Field", letter.field], ["Value", letter.value], ["Size", `${count(letter.size)} bytes`], ["Tried again", count(letter.attempts)]] as const).map(([label, value]) => value ? <div key={label} className="contents"><dt className="text-muted">{label}</dt><dd className="break-all">{value}</dd></div> : null)}
        </dl>
        {problem ? <Banner tone="bad">{problem}</Banner> : null}
        <Field label="Record" hint={cut ? "Only the first 64 KB were kept; send the whole record again from its source." : letter.status === "open" ? "Mend it here and try again." : undefined}>
          <textarea value={text} readOnly={letter.status !== "open" || cut} onChange={(event) => setText(event.target.value)} rows={14} spellCheck={false} className={`${inputClass} font-mono text-xs`} />
        </Field>
      </div>
    </Dialog>
  );
}
