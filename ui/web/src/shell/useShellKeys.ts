import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { useHotkeys } from "../hooks/useHotkeys";
import { toggleTheme } from "../hooks/useTheme";

const PAGES: Record<string, string> = { o: "/", c: "/copilot", q: "/approvals", d: "/data" };

/** Ctrl/Cmd-K, `?`, `t`, and `g` followed by the letter of a page. */
export function useShellKeys(openPalette: () => void, openHelp: () => void): void {
  const navigate = useNavigate();
  const goUntil = useRef(0);
  const go = (event: KeyboardEvent) => {
    const page = PAGES[event.key];
    if (page && Date.now() < goUntil.current) { goUntil.current = 0; void navigate(page); }
  };
  useHotkeys({ "?": openHelp, t: toggleTheme, g: () => { goUntil.current = Date.now() + 1200; }, o: go, c: go, q: go, d: go });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [openPalette]);
}
