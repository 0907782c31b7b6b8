import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { ApiError, onSessionExpired } from "../../api/client";
import { sessionApi } from "../../api/endpoints";
import type { SessionInfo } from "../../api/types";

type State = { status: "loading" } | { status: "out"; why: "first" | "expired" | "logout" } | { status: "in"; info: SessionInfo } | { status: "failed"; error: unknown };

interface SessionValue {
  state: State;
  refresh: () => Promise<void>;
  login: (email: string, password: string) => Promise<void>;
  logout: () => Promise<void>;
}

const SessionContext = createContext<SessionValue | null>(null);

export function useSession(): SessionValue {
  const value = useContext(SessionContext);
  if (!value) throw new Error("useSession is used outside its provider");
  return value;
}

/** The signed-in session; only for pages inside the shell. */
export function useSignedIn(): SessionInfo {
  const { state } = useSession();
  if (state.status !== "in") throw new Error("this page needs a session");
  return state.info;
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ status: "loading" });

  const refresh = useCallback(async () => {
    try {
      setState({ status: "in", info: await sessionApi.get() });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) setState({ status: "out", why: "first" });
      else setState({ status: "failed", error });
    }
  }, []);

  const login = useCallback(async (email: string, password: string) => {
    await sessionApi.login(email, password);
    setState({ status: "in", info: await sessionApi.get() });
  }, []);

  const logout = useCallback(async () => {
    await sessionApi.logout().catch(() => undefined);
    setState({ status: "out", why: "logout" });
  }, []);

  useEffect(() => { void refresh(); }, [refresh]);
  useEffect(() => onSessionExpired(() => setState({ status: "out", why: "expired" })), []);

  const value = useMemo(() => ({ state, refresh, login, logout }), [state, refresh, login, logout]);
  return <SessionContext value={value}>{children}</SessionContext>;
}
