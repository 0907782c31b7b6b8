import { ArrowUpRight, CircleHelp, LogOut, Moon, Search, Sun } from "lucide-react";
import { NavLink } from "react-router";
import { toggleTheme, useTheme } from "../hooks/useTheme";
import { cx } from "../lib/cx";
import { capital } from "../lib/format";
import { IconButton } from "../ui/Button";
import { Kbd } from "../ui/Chip";
import { Logo } from "./Logo";
import { navItems, type NavItem } from "./navigation";
import { pendingOf, useQueue } from "./state/queue";
import { useSession, useSignedIn } from "./state/session";

const linkClass = "flex h-9 items-center gap-3 rounded-lg px-2.5 text-sm font-medium transition-colors";

function Badge({ count }: { count: number }) {
  if (count === 0) return null;
  return <span className="ml-auto rounded-full bg-accent px-1.5 text-[11px] leading-[18px] font-semibold text-on-accent tabular" data-testid="pending-badge"><span className="sr-only">, pending: </span>{count}</span>;
}

function Item({ item, pending, onPick }: { item: NavItem; pending: number; onPick?: (() => void) | undefined }) {
  const Icon = item.icon;
  const inside = <><Icon size={17} strokeWidth={1.9} aria-hidden="true" />{item.label}</>;
  if (item.external) {
    return <a href={item.to} data-testid={`nav-${item.id}`} className={cx(linkClass, "text-ink hover:bg-sunken")}>{inside}<ArrowUpRight size={14} aria-hidden="true" className="ml-auto text-muted" /></a>;
  }
  return (
    <NavLink
      to={item.to} end={item.to === "/"} data-testid={`nav-${item.id}`} onClick={onPick}
      className={({ isActive }) => cx(linkClass, isActive ? "bg-accent-soft text-accent-ink" : "text-ink hover:bg-sunken")}
    >
      {inside}
      {item.id === "approvals" ? <Badge count={pending} /> : null}
    </NavLink>
  );
}

export function ThemeButton() {
  const theme = useTheme();
  return (
    <IconButton label={theme === "dark" ? "Switch to light theme" : "Switch to dark theme"} data-testid="theme-toggle" onClick={toggleTheme}>
      {theme === "dark" ? <Sun size={17} aria-hidden="true" /> : <Moon size={17} aria-hidden="true" />}
    </IconButton>
  );
}

function Account() {
  const { user } = useSignedIn();
  const { logout } = useSession();
  return (
    <div className="flex items-center gap-2.5 border-t border-line px-1 pt-3">
      <span aria-hidden="true" className="flex size-8 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent-ink">
        {user.name.split(" ").map((word) => word.charAt(0)).slice(0, 2).join("")}
      </span>
      <div className="min-w-0 flex-1 leading-tight">
        <p className="truncate text-[13px] font-semibold" data-testid="user-name">{user.name}</p>
        <p className="text-xs text-muted">{capital(user.role)}</p>
      </div>
      <div className="flex">
        <ThemeButton />
        <IconButton label="Log out" data-testid="logout" onClick={() => void logout()}><LogOut size={17} aria-hidden="true" /></IconButton>
      </div>
    </div>
  );
}

/** Everything inside the sidebar; the same content fills the drawer on a narrow screen. */
export function SidebarBody({ onPick, onPalette, onHelp }: { onPick?: () => void; onPalette: () => void; onHelp: () => void }) {
  const { chat } = useSignedIn();
  const { count } = pendingOf(useQueue().data);
  return (
    <div className="flex h-full flex-col px-3 py-4">
      <div className="px-2 pb-5"><Logo /></div>
      <button type="button" onClick={onPalette} className="mb-3 flex h-9 items-center gap-2.5 rounded-lg border border-line bg-page px-2.5 text-[13px] text-muted transition-colors hover:border-line-strong">
        <Search size={15} aria-hidden="true" />Search<span className="ml-auto"><Kbd>Ctrl K</Kbd></span>
      </button>
      <nav aria-label="Main" className="flex flex-col gap-1">
        {navItems(chat === true).map((item) => <Item key={item.id} item={item} pending={count} onPick={onPick} />)}
      </nav>
      <div className="mt-auto">
        <button type="button" onClick={onHelp} className={cx(linkClass, "mb-2 w-full text-[13px] text-muted hover:bg-sunken hover:text-ink")}>
          <CircleHelp size={16} aria-hidden="true" />Shortcuts<span className="ml-auto"><Kbd>?</Kbd></span>
        </button>
        <Account />
      </div>
    </div>
  );
}
