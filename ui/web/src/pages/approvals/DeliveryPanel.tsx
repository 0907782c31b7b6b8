import { Inbox } from "lucide-react";
import { useState } from "react";
import { DELIVERY_FIELDS, type Delivery, type DeliveryField, type Proposal } from "../../api/proposals.types";
import { count, share } from "../../lib/format";
import { Button } from "../../ui/Button";
import { Section } from "./Facts";
import { MessagesDrawer } from "./copy/MessagesDrawer";

const LABEL: Record<DeliveryField, string> = {
  queued: "Queued", sent: "Sent", delivered: "Delivered", held: "Held", opened: "Opened", clicked: "Clicked", converted: "Converted", holdout: "Holdout",
};
const NOTE: Partial<Record<DeliveryField, string>> = { held: "stopped by a last check", holdout: "got nothing, on purpose" };

function Bar({ delivery }: { delivery: Delivery }) {
  const sent = delivery.sent ?? 0;
  const held = delivery.held ?? 0;
  const queued = delivery.queued ?? 0;
  const total = Math.max(1, sent + held + queued);
  const percent = Math.round((sent / total) * 100);
  return (
    <div className="mb-3">
      <div role="img" aria-label={`${percent}% of the messages sent`} className="flex h-2.5 overflow-hidden rounded-full bg-sunken">
        <i className="bg-accent transition-[width] duration-500" style={{ width: `${(sent / total) * 100}%` }} />
        <i className="bg-warn transition-[width] duration-500" style={{ width: `${(held / total) * 100}%` }} />
      </div>
      <p className="mt-1.5 text-xs text-muted">{queued > 0 ? `${count(queued)} wait for their window in the customer's own time zone.` : sent > 0 ? "Everything due has left." : "Waiting for the first dispatch."}</p>
    </div>
  );
}

function rate(field: DeliveryField, delivery: Delivery): string | null {
  const base = delivery.delivered || delivery.sent;
  const value = delivery[field];
  if (!base || value === null || value === undefined || !["opened", "clicked", "converted"].includes(field)) return null;
  return share(value / base, 1);
}

/** What became of the approved messages, live. */
export function DeliveryPanel({ proposal }: { proposal: Proposal }) {
  const [open, setOpen] = useState(false);
  const delivery = proposal.delivery;
  if (!delivery) return null;
  return (
    <Section title="Delivery" note="live">
      <Bar delivery={delivery} />
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line sm:grid-cols-4">
        {DELIVERY_FIELDS.map((field) => (
          <div key={field} className="bg-surface px-3.5 py-2.5">
            <dt className="text-xs text-muted">{LABEL[field]}</dt>
            <dd className="text-base font-semibold tabular"><span data-testid={`delivery-${field}`} data-value={delivery[field] ?? ""}>{count(delivery[field])}</span><span className="ml-1.5 text-xs font-normal text-muted">{rate(field, delivery)}</span>
              {NOTE[field] ? <span className="block text-[11px] font-normal text-muted">{NOTE[field]}</span> : null}</dd>
          </div>
        ))}
      </dl>
      <Button size="sm" className="mt-3" data-testid="messages-open" onClick={() => setOpen(true)}><Inbox size={14} aria-hidden="true" />See the messages that were received</Button>
      <MessagesDrawer proposal={proposal} open={open} onClose={() => setOpen(false)} />
    </Section>
  );
}
