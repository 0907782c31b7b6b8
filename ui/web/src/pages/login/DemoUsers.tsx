import { ArrowRight, FlaskConical } from "lucide-react";
import { sessionApi } from "../../api/endpoints";
import type { DemoUser, Role } from "../../api/types";
import { useResource } from "../../hooks/useResource";
import { cx } from "../../lib/cx";
import { capital } from "../../lib/format";
import { Spinner } from "../../ui/Feedback";

const CAN: Record<Role, string> = {
  marketer: "asks, drafts, proposes",
  manager: "approves and rejects",
  evaluator: "measures and compares",
  admin: "does everything",
};

/** The first of a role keeps the short test id; a second one gets its first name appended. */
function testId(user: DemoUser, all: DemoUser[]): string {
  const first = all.find((other) => other.role === user.role);
  return first === user ? `login-${user.role}` : `login-${user.role}-${user.name.split(" ")[0]?.toLowerCase() ?? ""}`;
}

/** One-click users; the list exists in demo mode only (elsewhere the API answers 404 and nothing is shown). */
export function DemoUsers({ busy, onPick }: { busy: string | null; onPick: (user: DemoUser) => void }) {
  const { data } = useResource("demo-users", () => sessionApi.demoUsers());
  const users = data?.users ?? [];
  if (users.length === 0) return null;
  return (
    <section aria-labelledby="demo-users" className="mt-8">
      <div className="mb-3 flex items-center gap-2 text-[13px] text-muted">
        <FlaskConical size={14} aria-hidden="true" className="text-warn" />
        <h2 id="demo-users">Demo mode: enter as one of the team</h2>
        <span aria-hidden="true" className="h-px flex-1 bg-line" />
      </div>
      <ul className="grid gap-2">
        {users.map((user) => (
          <li key={user.email}>
            <button
              type="button" data-testid={testId(user, users)} disabled={busy !== null} onClick={() => onPick(user)}
              className={cx("group flex w-full items-center gap-3 rounded-xl border border-line px-3 py-2.5 text-left transition-colors hover:border-accent hover:bg-accent-soft")}
            >
              <span aria-hidden="true" className="flex size-9 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent-ink group-hover:bg-surface">{user.name.split(" ").map((w) => w.charAt(0)).join("")}</span>
              <span className="min-w-0 flex-1 leading-snug">
                <span className="block text-[13px] font-semibold">{user.name}</span>
                <span className="block truncate text-xs text-muted group-hover:text-ink">{capital(user.role)}: {CAN[user.role] ?? ""}</span>
              </span>
              {busy === user.email ? <Spinner /> : <ArrowRight size={16} aria-hidden="true" className="text-muted transition-transform group-hover:translate-x-0.5 group-hover:text-accent-ink" />}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
