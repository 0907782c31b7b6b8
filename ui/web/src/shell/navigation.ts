import { Bot, ClipboardCheck, Database, LayoutDashboard, MessagesSquare, type LucideIcon } from "lucide-react";

export interface NavItem { id: string; label: string; to: string; icon: LucideIcon; external?: boolean; key?: string }

/** Pages in the order of the sidebar; the chat is another application on the same origin. */
export function navItems(chat: boolean): NavItem[] {
  const items: NavItem[] = [
    { id: "overview", label: "Overview", to: "/", icon: LayoutDashboard, key: "o" },
    { id: "copilot", label: "Copilot", to: "/copilot", icon: MessagesSquare, key: "c" },
    { id: "approvals", label: "Approvals", to: "/approvals", icon: ClipboardCheck, key: "q" },
    { id: "data", label: "Data", to: "/data", icon: Database, key: "d" },
  ];
  return chat ? [...items, { id: "chat", label: "Chat", to: "/chat", icon: Bot, external: true }] : items;
}
