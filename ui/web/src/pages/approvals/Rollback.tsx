import { Undo2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { messageOf } from "../../api/client";
import { proposalsApi } from "../../api/endpoints";
import type { Proposal } from "../../api/proposals.types";
import { useSignedIn } from "../../shell/state/session";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field, inputClass } from "../../ui/Fields";
import { useToast } from "../../ui/Toast";

function Form({ proposal, onDone }: { proposal: Proposal; onDone: (proposal: Proposal | null) => void }) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const notify = useToast();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    proposalsApi.rollback(proposal.id, reason.trim()).then(
      (next) => { notify(`${proposal.id} was rolled back.`); onDone(next); },
      (error: unknown) => { notify(messageOf(error), "bad"); setBusy(false); },
    );
  };
  return (
    <form onSubmit={submit} className="space-y-4">
      <Field label="Reason" hint="Kept in the ledger."><textarea data-autofocus required rows={3} className={inputClass} value={reason} onChange={(e) => setReason(e.target.value)} data-testid="rollback-reason" /></Field>
      <div className="flex justify-end gap-2"><Button onClick={() => onDone(null)}>Cancel</Button><Button type="submit" kind="danger" className="border-bad-line" busy={busy} disabled={!reason.trim()} data-testid="rollback-confirm">Roll back</Button></div>
    </form>
  );
}

/** An approved promotion can be undone: both variants get traffic again. */
export function Rollback({ proposal, onChange }: { proposal: Proposal; onChange: (proposal: Proposal) => void }) {
  const [open, setOpen] = useState(false);
  const { user } = useSignedIn();
  const may = user.role === "manager" || user.role === "admin";
  if (proposal.kind !== "promotion" || proposal.status !== "approved" || !may) return null;
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)} data-testid="rollback"><Undo2 size={14} aria-hidden="true" />Roll back</Button>
      <Dialog open={open} onClose={() => setOpen(false)} title={`Roll back ${proposal.id}`} note={proposal.title}>
        <Form proposal={proposal} onDone={(next) => { setOpen(false); if (next) onChange(next); }} />
      </Dialog>
    </>
  );
}
