import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";
const KEY = "smart-reach-theme";
const listeners = new Set<() => void>();

function read(): Theme {
  return document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
}

function apply(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  listeners.forEach((listener) => listener());
}

export function toggleTheme(): void {
  const next: Theme = read() === "dark" ? "light" : "dark";
  try { localStorage.setItem(KEY, next); } catch { /* private mode: the choice lasts for this page */ }
  apply(next);
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  let stored: string | null = null;
  try { stored = localStorage.getItem(KEY); } catch { stored = null; }
  if (!stored) apply(event.matches ? "dark" : "light");
});

export function useTheme(): Theme {
  return useSyncExternalStore((change) => { listeners.add(change); return () => listeners.delete(change); }, read);
}
