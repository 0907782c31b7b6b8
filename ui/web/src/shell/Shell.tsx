import { Menu } from "lucide-react";
import { Suspense, useCallback, useEffect, useState } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { useMedia } from "../hooks/useMedia";
import { IconButton } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Skeleton } from "../ui/Feedback";
import { ClockProvider } from "./state/clock";
import { DemoBar } from "./DemoBar";
import { ErrorBoundary } from "./ErrorBoundary";
import { Help } from "./Help";
import { Logo } from "./Logo";
import { Palette } from "./Palette";
import { QueueProvider, pendingOf, useQueue } from "./state/queue";
import { useSignedIn } from "./state/session";
import { SidebarBody } from "./Sidebar";
import { StreamProvider } from "./state/stream";
import { useShellKeys } from "./useShellKeys";

function TopBar({ onMenu }: { onMenu: () => void }) {
  const { count } = pendingOf(useQueue().data);
  return (
    <header className="flex h-13 shrink-0 items-center justify-between border-b border-line bg-surface px-4 py-2">
      <Logo />
      <div className="flex items-center gap-2">
        {count > 0 ? <Link to="/approvals" className="rounded-full border border-warn-line bg-warn-soft px-2 py-0.5 text-xs font-semibold text-warn">{count} pending</Link> : null}
        <IconButton label="Open menu" data-testid="menu-open" onClick={onMenu}><Menu size={20} aria-hidden="true" /></IconButton>
      </div>
    </header>
  );
}

export function PageSkeleton() {
  return (
    <div className="space-y-4 p-6" role="status" aria-label="Loading">
      <Skeleton className="h-8 w-64" />
      <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4">{[0, 1, 2, 3].map((n) => <Skeleton key={n} className="h-36 rounded-xl" />)}</div>
      <Skeleton className="h-72 rounded-xl" />
    </div>
  );
}

function Frame() {
  const { demo } = useSignedIn();
  const wide = useMedia("(min-width: 1024px)");
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const [menu, setMenu] = useState(false);
  const location = useLocation();
  const openPalette = useCallback(() => { setMenu(false); setPalette(true); }, []);
  const openHelp = useCallback(() => { setMenu(false); setHelp(true); }, []);
  useShellKeys(openPalette, openHelp);
  useEffect(() => { setMenu(false); }, [location.pathname]);

  return (
    <div className="flex h-dvh overflow-hidden">
      <a href="#main" className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2">Skip to content</a>
      {wide ? <aside aria-label="Sidebar" className="w-[232px] shrink-0 border-r border-line bg-surface"><SidebarBody onPalette={openPalette} onHelp={openHelp} /></aside> : null}
      <div className="flex min-w-0 flex-1 flex-col">
        {wide ? null : <TopBar onMenu={() => setMenu(true)} />}
        {demo ? <DemoBar /> : null}
        <main id="main" tabIndex={-1} className="relative min-h-0 flex-1 overflow-y-auto outline-none">
          <ErrorBoundary key={location.pathname.split("/")[1] ?? ""}>
            <Suspense fallback={<PageSkeleton />}><Outlet /></Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <Dialog open={menu && !wide} onClose={() => setMenu(false)} title="Menu" bare side="left" width="17rem">
        <SidebarBody onPick={() => setMenu(false)} onPalette={openPalette} onHelp={openHelp} />
      </Dialog>
      <Palette open={palette} onClose={() => setPalette(false)} />
      <Help open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

/** The frame around every signed-in page, with what they share: stream, clock and queue. */
export function Shell() {
  const { demo } = useSignedIn();
  return <StreamProvider><ClockProvider demo={demo}><QueueProvider><Frame /></QueueProvider></ClockProvider></StreamProvider>;
}
