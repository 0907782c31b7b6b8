import { UserCheck } from "lucide-react";
import { useState } from "react";
import { messageOf } from "../../api/client";
import { dataApi } from "../../api/data";
import type { Conflict } from "../../api/data.types";
import { useResource } from "../../hooks/useResource";
import { useWhen } from "../../shell/state/clock";
import { useSignedIn } from "../../shell/state/session";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";
import { inputClass } from "../../ui/Fields";
import { useToast } from "../../ui/Toast";

function Item({ conflict, decides, onDone }: { conflict: Conflict; decides: boolean; onDone: () => void }) {
  const when = useWhen();
  const notify = useToast();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState<string | null>(null);
  const open = conflict.status === "open";
  const decide = async (decision: "merge" | "keep_apart") => {
    setBusy(decision);
    try {
      await dataApi.decide(conflict.id, decision, reason);
      notify(decision === "merge" ? "Joined. It can be undone." : "Kept apart.");
      onDone();
    } catch (error) { notify(messageOf(error), "bad"); } finally { setBusy(null); }
  };
  return (
    <li className="py-4 first:pt-0 last:pb-0" data-testid={`conflict-${conflict.id}`}>
      <div className="flex flex-wrap items-center gap-2 text-sm font-semibold">
        <span>{conflict.first_id}</span><span className="font-normal text-muted">and</span><span>{conflict.second_id}</span>
        <Chip tone={open ? "warn" : "neutral"}>{open ? "needs a decision" : conflict.status.replace("_", " ")}</Chip>
        <span className="ml-auto text-xs font-normal text-muted">{when(conflict.found_at)}</span>
      </div>
      <p className="mt-1 text-[13px] text-muted">{conflict.evidence.reason ?? "A record gives both customers as one person."}{conflict.evidence.source ? ` Record ${conflict.evidence.record_id ?? ""} of ${conflict.evidence.source}.` : ""}</p>
      {open && decides ? (
        <div className="mt-3 flex flex-wrap gap-2">
          <label className="min-w-40 flex-1"><span className="sr-only">Reason</span><input value={reason} onChange={(event) => setReason(event.target.value)} placeholder="Reason, kept in the ledger" className={`${inputClass} h-8 py-1`} /></label>
          <Button size="sm" className="h-8" disabled={!reason.trim() || busy !== null} busy={busy === "keep_apart"} onClick={() => void decide("keep_apart")}>Keep apart</Button>
          <Button size="sm" className="h-8" kind="primary" disabled={!reason.trim() || busy !== null} busy={busy === "merge"} onClick={() => void decide("merge")}>Same person</Button>
        </div>
      ) : null}
      {!open && conflict.decided_by ? <p className="mt-1 text-xs text-muted">Decided by {conflict.decided_by}, {when(conflict.decided_at)}{conflict.reason ? `: ${conflict.reason}` : ""}</p> : null}
    </li>
  );
}

/** Customers that a record claims are one person; nothing is joined until somebody says so. */
export function Conflicts({ changed }: { changed: () => void }) {
  const conflicts = useResource("conflicts", (signal) => dataApi.conflicts(signal));
  const { user } = useSignedIn();
  const decides = user.role === "manager" || user.role === "admin";
  const items = [...(conflicts.data?.items ?? [])].sort((a, b) => Number(b.status === "open") - Number(a.status === "open") || b.id - a.id);
  return (
    <Panel title="Identity review" note="Keys of one record that belong to two known customers. They stay two until a manager decides.">
      {conflicts.loading ? <Skeleton className="h-40" /> : conflicts.error && !conflicts.data ? <ErrorState error={conflicts.error} retry={conflicts.reload} />
        : items.length === 0 ? <EmptyState icon={UserCheck} title="No conflicts" text="Every record's keys agree on who it is about." />
        : <ul className="divide-y divide-line">{items.map((conflict) => <Item key={conflict.id} conflict={conflict} decides={decides} onDone={() => { conflicts.reload(); changed(); }} />)}</ul>}
    </Panel>
  );
}
