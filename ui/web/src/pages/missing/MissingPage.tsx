import { Compass } from "lucide-react";
import { Link, useLocation } from "react-router";
import { useTitle } from "../../hooks/useNow";

export function MissingPage() {
  const { pathname } = useLocation();
  useTitle("Not found");
  return (
    <div className="flex h-full flex-col items-center justify-center gap-2 p-6 text-center">
      <span className="mb-2 flex size-14 items-center justify-center rounded-2xl bg-accent-soft text-accent-ink"><Compass size={26} aria-hidden="true" /></span>
      <p className="text-sm font-semibold text-accent-ink">404</p>
      <h1 className="text-xl font-semibold">There is no page here</h1>
      <p className="max-w-sm text-muted">Nothing lives at <code className="rounded bg-sunken px-1 break-all">{pathname}</code>.</p>
      <Link to="/" className="mt-3 inline-flex h-9 items-center rounded-lg bg-accent px-4 font-medium text-on-accent hover:bg-accent-strong">Back to the overview</Link>
    </div>
  );
}
