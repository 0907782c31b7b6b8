import { Check, Lock, Pencil, X } from "lucide-react";
import { useEffect, useState } from "react";
import type { Proposal } from "../../api/proposals.types";
import { useHotkeys } from "../../hooks/useHotkeys";
import { count } from "../../lib/format";
import { useWhen } from "../../shell/state/clock";
import { Button } from "../../ui/Button";
import { Kbd } from "../../ui/Chip";
import { Dialog } from "../../ui/Dialog";
import { Banner } from "../../ui/Feedback";
import { Field, inputClass } from "../../ui/Fields";
import { EditDialog } from "./copy/EditDialog";
import { Rollback } from "./Rollback";
import { holdoutOf, nameOf, useDecide } from "./useProposal";

function RejectBody({ busy, onClose, onReject }: { busy: boolean; onClose: () => void; onReject: (reason: string) => void }) {
  const [reason, setReason] = useState("");
  return (
    <form onSubmit={(event) => { event.preventDefault(); onReject(reason.trim()); }} className="space-y-4">
      <Field label="Reason" hint="The author and the ledger get it word for word."><textarea data-autofocus required rows={4} className={inputClass} value={reason} onChange={(e) => setReason(e.target.value)} data-testid="reject-reason" /></Field>
      <div className="flex justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button type="submit" kind="danger" className="border-bad-line" busy={busy} disabled={!reason.trim()} data-testid="reject-confirm">Reject</Button></div>
    </form>
  );
}

/** Who gets it and who is kept back; the split itself is drawn at dispatch, so the holdout is "about". */
function Consequence({ proposal }: { proposal: Proposal }) {
  const people = proposal.audience?.count;
  if (proposal.kind !== "campaign" || !people) return <p className="text-sm">It takes effect at once and can be undone.</p>;
  const kept = holdoutOf(proposal);
  return (
    <p className="text-sm" data-testid="approve-consequence">
      <strong className="font-semibold">{count(people - kept)} people</strong> will get this{proposal.channel?.label ? ` by ${/^[A-Z]+$/.test(proposal.channel.label) ? proposal.channel.label : proposal.channel.label.toLowerCase()}` : ""} in their window{proposal.window?.label ? ` (${proposal.window.label}, their own time zone)` : ""}{kept ? `; about ${count(kept)} are kept back as holdout` : ""}. Consent, caps and terms are checked once more before each message leaves.
    </p>
  );
}

/** One look at what will happen before it does; a reason may be given and goes to the ledger. */
function ApproveBody({ proposal, busy, onClose, onApprove }: { proposal: Proposal; busy: boolean; onClose: () => void; onApprove: (reason: string) => void }) {
  const [reason, setReason] = useState("");
  return (
    <form onSubmit={(event) => { event.preventDefault(); onApprove(reason.trim()); }} className="space-y-4">
      <Consequence proposal={proposal} />
      <Field label="Reason (optional)" hint={`Kept in the ledger with payload ${proposal.payload_hash.slice(0, 12)}…`}><input maxLength={1000} className={inputClass} value={reason} onChange={(e) => setReason(e.target.value)} data-testid="approve-reason" /></Field>
      <div className="flex justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button data-autofocus type="submit" kind="primary" busy={busy} data-testid="confirm-approve"><Check size={16} aria-hidden="true" />Approve</Button></div>
    </form>
  );
}

function Decided({ proposal }: { proposal: Proposal }) {
  const when = useWhen();
  if (proposal.status === "pending") return null;
  return (
    <p className="text-[13px] text-muted" data-testid="decided">
      {proposal.status === "expired" ? "Expired without a decision." : <>{proposal.status === "approved" ? "Approved" : "Rejected"} by <span className="font-medium text-ink">{nameOf(proposal.decided_by) || "somebody"}</span> · {when(proposal.decided_at)}</>}
      {proposal.decision_reason ? <span className="block">“{proposal.decision_reason}”</span> : null}
    </p>
  );
}

export interface ActionsProps { proposal: Proposal; onChange: (proposal: Proposal) => void; keys?: boolean; onEdit?: () => void }

/** Approve, edit, reject: by button, or by the keys a, e and x where `keys` is set. */
export function Actions({ proposal, onChange, keys = false, onEdit }: ActionsProps) {
  const { busy, conflict, decide } = useDecide(proposal, onChange);
  const [dialog, setDialog] = useState<"approve" | "reject" | "edit" | null>(null);
  const pending = proposal.status === "pending";
  const allowed = pending && proposal.can_decide !== false;
  const close = () => setDialog(null);
  const edit = () => { if (onEdit) onEdit(); else setDialog("edit"); };

  useEffect(() => { setDialog(null); }, [proposal.id]);
  useHotkeys({
    a: () => setDialog("approve"),
    x: () => setDialog("reject"),
    e: () => { if (proposal.variants?.length) edit(); },
  }, keys && allowed && busy === null);

  return (
    <div className="space-y-2.5">
      {conflict ? <div role="alert"><Banner tone="warn"><Lock size={15} aria-hidden="true" className="mt-0.5 shrink-0" /><span data-testid="conflict">{conflict}</span></Banner></div> : null}
      {pending && proposal.can_decide === false ? <Banner><Lock size={15} aria-hidden="true" className="mt-0.5 shrink-0" /><span data-testid="why-not">{proposal.why_not ?? "You may not decide this proposal."}</span></Banner> : null}
      <Decided proposal={proposal} />
      <Rollback proposal={proposal} onChange={onChange} />
      {pending ? (
        <div className="flex flex-wrap items-center gap-2">
          <Button kind="primary" disabled={!allowed} busy={busy === "approve"} onClick={() => setDialog("approve")} data-testid="approve"><Check size={16} aria-hidden="true" />Approve</Button>
          {proposal.kind === "campaign" && proposal.variants?.length ? <Button disabled={!allowed} onClick={edit} data-testid="edit"><Pencil size={14} aria-hidden="true" />Edit</Button> : null}
          <Button kind="danger" disabled={!allowed} onClick={() => setDialog("reject")} data-testid="reject"><X size={16} aria-hidden="true" />Reject</Button>
          {keys && allowed ? <span className="ml-auto hidden items-center gap-1 text-xs text-muted xl:flex"><Kbd>a</Kbd><Kbd>e</Kbd><Kbd>x</Kbd><span className="mx-1">decide</span><Kbd>j</Kbd><Kbd>k</Kbd><span className="ml-1">move</span></span> : null}
        </div>
      ) : null}
      <Dialog open={dialog === "approve"} onClose={close} title={`Approve ${proposal.id}`} note={proposal.title}>
        <ApproveBody proposal={proposal} busy={busy === "approve"} onClose={close} onApprove={(reason) => void decide("approve", reason).then(close)} />
      </Dialog>
      <Dialog open={dialog === "reject"} onClose={close} title={`Reject ${proposal.id}`} note={proposal.title}>
        <RejectBody busy={busy === "reject"} onClose={close} onReject={(reason) => void decide("reject", reason).then(close)} />
      </Dialog>
      {onEdit ? null : <EditDialog proposal={proposal} open={dialog === "edit"} busy={busy === "edit"} onClose={close} onSave={(edits, reason) => void decide("edit", reason, edits).then((ok) => { if (ok) close(); })} />}
    </div>
  );
}
