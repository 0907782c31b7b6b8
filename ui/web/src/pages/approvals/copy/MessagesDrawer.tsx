import { proposalsApi } from "../../../api/endpoints";
import type { Proposal } from "../../../api/proposals.types";
import { useResource } from "../../../hooks/useResource";
import { count } from "../../../lib/format";
import { useWhen } from "../../../shell/state/clock";
import { Chip } from "../../../ui/Chip";
import { Dialog } from "../../../ui/Dialog";
import { EmptyState, ErrorState, Skeleton } from "../../../ui/Feedback";
import { Preview } from "./Preview";

/** What the loopback connector kept, as each customer would see it. */
export function MessagesDrawer({ proposal, open, onClose }: { proposal: Proposal; open: boolean; onClose: () => void }) {
  const when = useWhen();
  const key = open ? `${proposal.id}:${proposal.delivery?.sent ?? 0}` : null;
  const kept = useResource(key, () => proposalsApi.messages(proposal.id));
  const items = kept.data?.items ?? [];
  const total = Math.max(kept.data?.total ?? proposal.delivery?.sent ?? 0, items.length);
  const variants = proposal.variants ?? [];
  return (
    <Dialog open={open} onClose={onClose} side="right" width="34rem" title="Received messages" note={`${items.length < total ? `The latest ${items.length} of ` : ""}${count(total)} kept by the loopback connector for ${proposal.id}; each exactly once`} testId="messages-drawer">
      {kept.loading ? <div className="space-y-3">{[0, 1, 2].map((n) => <Skeleton key={n} className="h-40" />)}</div> : kept.error ? <ErrorState error={kept.error} retry={kept.reload} /> : items.length === 0 ? (
        <EmptyState title="Nothing has been received yet" text="Messages leave when the window opens in the customer's own time zone. Skip to the next window to see them." />
      ) : (
        <ul className="space-y-6">
          {items.slice(0, 60).map((message) => {
            const variant = variants.find((v) => v.id === message.variant || v.label === message.variant);
            return (
              <li key={message.message_id} data-testid="kept-message">
                <div className="mb-2 flex flex-wrap items-center gap-2 text-xs text-muted">
                  <span className="font-mono font-medium text-ink">{message.customer_id}</span>
                  {message.variant ? <Chip tone="accent">Variant {variant?.label ?? message.variant}</Chip> : null}
                  <span className="ml-auto tabular">{when(message.accepted_at)}</span>
                </div>
                <Preview channel={message.channel ?? proposal.channel?.id ?? "email"} subject={message.subject} body={message.body} cta={message.cta ?? variant?.preview?.cta ?? variant?.cta} url={message.url ?? variant?.url} quiet />
                <p className="mt-1.5 truncate font-mono text-[11px] text-muted">{message.message_id}</p>
              </li>
            );
          })}
          {items.length > 60 ? <li className="text-center text-[13px] text-muted">The first 60 of {count(items.length)} are shown.</li> : null}
        </ul>
      )}
    </Dialog>
  );
}
