import { BadgeCheck, LineChart, Lock, MessagesSquare, type LucideIcon } from "lucide-react";
import { useEffect, useState, type FormEvent } from "react";
import { Navigate, useLocation, useSearchParams } from "react-router";
import { ApiError, messageOf } from "../../api/client";
import { useTitle } from "../../hooks/useNow";
import { Logo } from "../../shell/Logo";
import { useSession } from "../../shell/state/session";
import { ThemeButton } from "../../shell/Sidebar";
import { Button } from "../../ui/Button";
import { Banner } from "../../ui/Feedback";
import { Field, inputClass } from "../../ui/Fields";
import { DemoUsers } from "./DemoUsers";

const POINTS: [LucideIcon, string, string][] = [
  [LineChart, "See what works", "Every figure is measured against a holdout and opens to its definition, its query and the people behind it."],
  [MessagesSquare, "Ask, and get an answer you can check", "A team of specialists answers, proposes the next best action and writes the message."],
  [BadgeCheck, "Send only what was approved", "An approval is bound to the exact payload; terms, consent and caps are checked again at dispatch."],
];

function Pitch() {
  return (
    <div className="relative hidden overflow-hidden bg-[#17164a] p-12 text-white lg:flex lg:flex-col lg:justify-between">
      <div aria-hidden="true" className="absolute inset-0 bg-[radial-gradient(60rem_36rem_at_110%_-10%,#6d63ff88,transparent_60%),radial-gradient(44rem_30rem_at_-20%_110%,#2b8dff55,transparent_60%)]" />
      <svg aria-hidden="true" viewBox="0 0 600 200" preserveAspectRatio="none" className="absolute inset-x-0 bottom-0 h-56 w-full opacity-40">
        <path d="M0 170C70 150 90 160 150 128S250 140 310 100s90-12 150-44 90-14 140-50V200H0z" fill="#8b8cff" fillOpacity=".16" />
        <path d="M0 170C70 150 90 160 150 128S250 140 310 100s90-12 150-44 90-14 140-50" fill="none" stroke="#a9abff" strokeWidth="1.6" vectorEffect="non-scaling-stroke" />
      </svg>
      <div className="relative"><Logo /></div>
      <div className="relative max-w-md">
        <p className="text-[34px] leading-[1.15] font-semibold tracking-[-0.025em]">The right offer, to the right customer, with a reason you can read.</p>
        <p className="mt-4 text-[15px] text-[#d4d5ff]">Smart Reach is the live campaign cockpit of a bank: watch engagement, approve next best actions, send compliant messages and learn from every answer.</p>
        <ul className="mt-10 space-y-5">
          {POINTS.map(([Icon, title, text]) => (
            <li key={title} className="flex gap-3.5">
              <span className="flex size-9 shrink-0 items-center justify-center rounded-lg bg-white/10 ring-1 ring-white/15"><Icon size={17} aria-hidden="true" /></span>
              <div><p className="text-sm font-semibold">{title}</p><p className="mt-0.5 text-[13px] text-[#c6c8f5]">{text}</p></div>
            </li>
          ))}
        </ul>
      </div>
      <p className="relative text-xs text-[#c6c8f5]">Open source under Apache 2.0. Nothing leaves this server.</p>
    </div>
  );
}

/** Only paths of our own are followed after the login. */
function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : "/";
}

/** The chat is another application on the same origin: the browser has to load it. */
function Leave({ to }: { to: string }) {
  useEffect(() => { window.location.replace(to); }, [to]);
  return null;
}

export function LoginPage() {
  const { state, login } = useSession();
  const [params] = useSearchParams();
  const location = useLocation();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  useTitle("Log in");
  const next = safeNext(params.get("next"));
  const expired = (location.state as { expired?: boolean } | null)?.expired === true;

  const enter = async (mail: string, secret: string) => {
    setBusy(mail);
    setError(null);
    try {
      await login(mail, secret);
    } catch (cause) {
      setError(cause instanceof ApiError && cause.status === 401 ? "E-mail or password is not right." : messageOf(cause));
    } finally {
      setBusy(null);
    }
  };
  const submit = (event: FormEvent) => { event.preventDefault(); void enter(email, password); };

  if (state.status === "in") return next.startsWith("/chat") ? <Leave to={next} /> : <Navigate to={next} replace />;
  return (
    <div className="grid min-h-full bg-surface lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <Pitch />
      <main className="relative flex items-center justify-center px-5 py-14">
        <div className="absolute top-4 right-4"><ThemeButton /></div>
        <div className="w-full max-w-[25rem]">
          <div className="mb-8 lg:hidden"><Logo /><p className="mt-3 text-[13px] text-muted">The live campaign cockpit of a bank: watch engagement, approve next best actions, send compliant messages.</p></div>
          <h1 className="text-2xl font-semibold tracking-[-0.02em]">Log in</h1>
          <p className="mt-1 text-[13px] text-muted">Welcome back. Use your work e-mail.</p>
          {expired ? <Banner tone="warn" className="mt-4">Your session has ended. Log in to go on where you were.</Banner> : null}
          <form onSubmit={submit} className="mt-6 space-y-4">
            <Field label="E-mail"><input className={inputClass} type="email" name="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.target.value)} placeholder="you@bank.example" data-testid="login-email" /></Field>
            <Field label="Password"><input className={inputClass} type="password" name="password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.target.value)} data-testid="login-password" /></Field>
            {error ? <div role="alert"><Banner tone="bad">{error}</Banner></div> : null}
            <Button type="submit" kind="primary" className="w-full" busy={busy !== null && busy === email} data-testid="login-submit"><Lock size={15} aria-hidden="true" />Log in</Button>
          </form>
          <DemoUsers busy={busy} onPick={(user) => void enter(user.email, user.password)} />
        </div>
      </main>
    </div>
  );
}
