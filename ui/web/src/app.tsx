import { lazy } from "react";
import { BrowserRouter, Navigate, Route, Routes, useLocation } from "react-router";
import { LoginPage } from "./pages/login/LoginPage";
import { OverviewPage } from "./pages/overview/OverviewPage";
import { ErrorBoundary } from "./shell/ErrorBoundary";
import { LogoMark } from "./shell/Logo";
import { SessionProvider, useSession } from "./shell/state/session";
import { Shell } from "./shell/Shell";
import { ErrorState } from "./ui/Feedback";
import { ToastProvider } from "./ui/Toast";

const ApprovalsPage = lazy(() => import("./pages/approvals/ApprovalsPage").then((m) => ({ default: m.ApprovalsPage })));
const CopilotPage = lazy(() => import("./pages/copilot/CopilotPage").then((m) => ({ default: m.CopilotPage })));
const DataPage = lazy(() => import("./pages/data/DataPage").then((m) => ({ default: m.DataPage })));
const MissingPage = lazy(() => import("./pages/missing/MissingPage").then((m) => ({ default: m.MissingPage })));

/** Lets the signed-in through; everybody else goes to the login and comes back to where they were. */
function Gate() {
  const { state, refresh } = useSession();
  const location = useLocation();
  if (state.status === "loading") return <div className="flex h-full items-center justify-center" role="status" aria-label="Loading"><span className="animate-pulse"><LogoMark size={44} /></span></div>;
  if (state.status === "failed") return <main className="flex h-full items-center justify-center"><ErrorState error={state.error} retry={() => void refresh()} /></main>;
  if (state.status === "out") {
    const next = location.pathname + location.search;
    const back = next !== "/" && state.why !== "logout";
    return <Navigate to={back ? `/login?next=${encodeURIComponent(next)}` : "/login"} replace state={{ expired: state.why === "expired" }} />;
  }
  return <Shell />;
}

export function App() {
  return (
    <ErrorBoundary>
      <ToastProvider>
        <SessionProvider>
          <BrowserRouter>
            <Routes>
              <Route path="/login" element={<LoginPage />} />
              <Route element={<Gate />}>
                <Route index element={<OverviewPage />} />
                <Route path="approvals/:id?" element={<ApprovalsPage />} />
                <Route path="copilot/:id?" element={<CopilotPage />} />
                <Route path="data" element={<DataPage />} />
                <Route path="*" element={<MissingPage />} />
              </Route>
            </Routes>
          </BrowserRouter>
        </SessionProvider>
      </ToastProvider>
    </ErrorBoundary>
  );
}
