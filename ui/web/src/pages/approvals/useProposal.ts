import { useCallback, useState } from "react";
import { ApiError, messageOf } from "../../api/client";
import { proposalsApi } from "../../api/endpoints";
import type { DecideRequest, Proposal, VariantEdit } from "../../api/proposals.types";
import type { IdName } from "../../api/types";
import { useQueue } from "../../shell/state/queue";
import { useToast } from "../../ui/Toast";

export type Decision = DecideRequest["decision"];

export interface Deciding {
  busy: Decision | null;
  /** Set when somebody else was first or the payload has changed since it was read (409). */
  conflict: string | null;
  decide: (decision: Decision, reason: string, edits?: VariantEdit[]) => Promise<boolean>;
  clear: () => void;
}

const DONE: Record<Decision, string> = { approve: "approved", reject: "rejected", edit: "changed; it was checked again and waits for an approval" };

/** Sends a verdict bound to the payload hash that was on screen; tells everybody concerned what became of it. */
export function useDecide(proposal: Proposal, onChange: (proposal: Proposal) => void): Deciding {
  const [busy, setBusy] = useState<Decision | null>(null);
  const [conflict, setConflict] = useState<string | null>(null);
  const notify = useToast();
  const queue = useQueue();

  const decide = useCallback<Deciding["decide"]>(async (decision, reason, edits) => {
    setBusy(decision);
    setConflict(null);
    try {
      const request: DecideRequest = { decision, reason, payload_hash: proposal.payload_hash, edits: edits ? { variants: edits } : null };
      onChange(await proposalsApi.decide(proposal.id, request));
      notify(`${proposal.id} ${DONE[decision]}.`);
      queue.reload();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) {
        setConflict(error.message);
        proposalsApi.get(proposal.id).then(onChange, () => undefined);
        queue.reload();
      } else {
        notify(messageOf(error), "bad");
      }
      return false;
    } finally {
      setBusy(null);
    }
  }, [notify, onChange, proposal.id, proposal.payload_hash, queue]);

  return { busy, conflict, decide, clear: useCallback(() => setConflict(null), []) };
}

export function nameOf(person: string | IdName | null | undefined): string {
  if (!person) return "";
  return typeof person === "string" ? person : person.name;
}

/** How many of the audience are kept back: as the server counts them, else by the planned share. */
export function holdoutOf(proposal: Proposal): number {
  const people = proposal.audience?.count ?? 0;
  return Math.min(people, proposal.audience?.holdout ?? Math.round(people * (proposal.experiment?.holdout_share ?? 0)));
}
