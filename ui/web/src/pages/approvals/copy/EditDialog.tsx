import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { Proposal, Variant, VariantEdit } from "../../../api/proposals.types";
import { missingSlots, slotsOf } from "../../../lib/slots";
import { Button } from "../../../ui/Button";
import { Chip } from "../../../ui/Chip";
import { Dialog } from "../../../ui/Dialog";
import { Banner } from "../../../ui/Feedback";
import { Field, inputClass } from "../../../ui/Fields";

const start = (v: Variant): VariantEdit => ({ id: v.id, subject: v.subject_template ?? v.subject ?? "", body: v.body_template ?? v.body });
const whole = (e: VariantEdit) => `${e.subject}\n${e.body}`;

/** What each slot or figure stands for, so that it can be kept while the words around it change. */
function Legend({ variant }: { variant: Variant }) {
  const slots = [...new Set(slotsOf(whole(start(variant))))];
  const figures = variant.figures ?? [];
  if (figures.length === 0 && slots.length === 0) return null;
  const rows = slots.length > 0 ? slots.map((slot) => ({ slot, figure: figures.find((f) => slot.includes(f.term_id)) })) : figures.map((figure) => ({ slot: figure.text, figure }));
  return (
    <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-xs text-muted">
      <span>Keep as written:</span>
      {rows.map(({ slot, figure }, index) => <span key={index} className="inline-flex items-center gap-1.5"><Chip tone="accent"><code className="font-mono text-[11px]">{slot}</code></Chip>{figure ? (slots.length > 0 ? figure.text : `${figure.term_id}${figure.version ? `@${figure.version}` : ""}`) : ""}</span>)}
    </div>
  );
}

function lost(variant: Variant, edit: VariantEdit): string[] {
  const before = whole(start(variant));
  if (slotsOf(before).length > 0) return missingSlots(before, whole(edit));
  return (variant.figures ?? []).map((f) => f.text).filter((text) => text && before.includes(text) && !whole(edit).includes(text));
}

function VariantForm({ variant, edit, onChange }: { variant: Variant; edit: VariantEdit; onChange: (edit: VariantEdit) => void }) {
  const gone = lost(variant, edit);
  return (
    <fieldset className="rounded-xl border border-line p-4">
      <legend className="px-1 text-[13px] font-semibold">Variant {variant.label}</legend>
      {variant.subject ? <div className="mb-3"><Field label="Subject"><input className={inputClass} value={edit.subject} onChange={(e) => onChange({ ...edit, subject: e.target.value })} data-testid={`edit-subject-${variant.id}`} /></Field></div> : null}
      <Field label="Text" hint={`${edit.body.length} characters`}><textarea className={inputClass} rows={6} value={edit.body} onChange={(e) => onChange({ ...edit, body: e.target.value })} data-testid={`edit-body-${variant.id}`} /></Field>
      <Legend variant={variant} />
      {gone.length > 0 ? <Banner tone="warn" className="mt-3"><TriangleAlert size={15} aria-hidden="true" className="mt-0.5 shrink-0" /><span>No longer in the text: {gone.join(", ")}. A figure typed by hand is not bound to a term and will be blocked.</span></Banner> : null}
    </fieldset>
  );
}

export interface EditDialogProps { proposal: Proposal; open: boolean; busy: boolean; onClose: () => void; onSave: (edits: VariantEdit[], reason: string) => void }

function Body({ proposal, busy, onClose, onSave }: Omit<EditDialogProps, "open">) {
  const variants = proposal.variants ?? [];
  const [edits, setEdits] = useState(() => variants.map(start));
  const [reason, setReason] = useState("");
  const changed = edits.some((edit, i) => variants[i] && whole(edit) !== whole(start(variants[i])));
  return (
    <div className="space-y-4">
      {variants.map((variant, i) => {
        const edit = edits[i];
        return edit ? <VariantForm key={variant.id} variant={variant} edit={edit} onChange={(next) => setEdits((all) => all.map((old) => (old.id === next.id ? next : old)))} /> : null;
      })}
      <Field label="Why (kept in the ledger)"><input required maxLength={1000} className={inputClass} value={reason} onChange={(e) => setReason(e.target.value)} placeholder="e.g. friendlier opening" data-testid="edit-reason" /></Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" busy={busy} disabled={!changed || !reason.trim()} onClick={() => onSave(edits, reason.trim())} data-testid="edit-save">Save and check again</Button>
      </div>
    </div>
  );
}

export function EditDialog(props: EditDialogProps) {
  return (
    <Dialog open={props.open} onClose={props.onClose} title={`Edit the copy of ${props.proposal.id}`} note="An edit makes a new version with a new hash, runs the checks again, and makes you an author: somebody else must approve." width="46rem" testId="edit-dialog">
      <Body {...props} />
    </Dialog>
  );
}
