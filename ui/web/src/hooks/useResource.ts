import { useCallback, useEffect, useRef, useState } from "react";

export interface Resource<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
  /** True while newer data for the same or a new key is on its way and older data is shown. */
  refreshing: boolean;
  reload: () => void;
  set: (data: T) => void;
}

/** Loads by key; keeps showing the old data while the new one is loading; ignores answers that come late. */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; error: unknown }>({ key: null, data: null, error: null });
  const [busy, setBusy] = useState(key !== null);
  const [turn, setTurn] = useState(0);
  const loader = useRef(load);
  loader.current = load;

  useEffect(() => {
    if (key === null) { setBusy(false); return; }
    const abort = new AbortController();
    setBusy(true);
    loader.current(abort.signal).then(
      (data) => { if (!abort.signal.aborted) { setState({ key, data, error: null }); setBusy(false); } },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState((old) => ({ key, data: old.key === key ? old.data : null, error }));
        setBusy(false);
      },
    );
    return () => abort.abort();
  }, [key, turn]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const set = useCallback((data: T) => setState({ key, data, error: null }), [key]);
  return { data: state.data, error: state.error, loading: busy && state.data === null, refreshing: busy && state.data !== null, reload, set };
}
