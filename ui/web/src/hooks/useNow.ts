import { useEffect, useState } from "react";

/** The browser's clock in ms, refreshed every `every` ms. */
export function useNow(every = 30_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), every);
    return () => window.clearInterval(timer);
  }, [every]);
  return now;
}

export function useTitle(title: string): void {
  useEffect(() => { document.title = `${title} · Smart Reach`; }, [title]);
}
