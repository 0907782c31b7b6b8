import { Beaker, Megaphone, Share2, Bell, Mail, MessageSquare, AppWindow, type LucideIcon } from "lucide-react";
import type { Proposal } from "../../api/proposals.types";
import { Chip, type Tone } from "../../ui/Chip";

const STATUS: Record<string, [Tone, string]> = {
  pending: ["warn", "Awaiting approval"], approved: ["good", "Approved"], rejected: ["bad", "Rejected"], expired: ["neutral", "Expired"],
};

export function StatusChip({ status }: { status: Proposal["status"] }) {
  const [tone, text] = STATUS[status] ?? ["neutral", status];
  return <span data-testid="proposal-status" data-status={status}><Chip tone={tone}>{text}</Chip></span>;
}

const CHANNEL: Record<string, LucideIcon> = { email: Mail, push: Bell, sms: MessageSquare, in_app: AppWindow, social: Share2 };

export function KindIcon({ proposal, size = 16 }: { proposal: Proposal; size?: number }) {
  const Icon = proposal.kind === "promotion" ? Beaker : (CHANNEL[proposal.channel?.id ?? ""] ?? Megaphone);
  return <Icon size={size} aria-hidden="true" />;
}
