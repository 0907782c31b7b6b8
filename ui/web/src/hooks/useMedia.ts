import { useSyncExternalStore } from "react";

export function useMedia(queryText: string): boolean {
  return useSyncExternalStore(
    (change) => {
      const media = window.matchMedia(queryText);
      media.addEventListener("change", change);
      return () => media.removeEventListener("change", change);
    },
    () => window.matchMedia(queryText).matches,
  );
}
