import { CircleCheck, TriangleAlert } from "lucide-react";
import { Link } from "react-router";
import type { Anomaly } from "../../api/overview.types";
import { day } from "../../lib/format";
import { cx } from "../../lib/cx";
import { EmptyState } from "../../ui/Feedback";
import { Panel } from "../../ui/Card";

const strong = (severity: string | undefined) => severity === "high" || severity === "critical" || severity === "bad";

export function Anomalies({ items }: { items: Anomaly[] }) {
  return (
    <Panel title="Anomalies" note={items.length ? "Days that differ from what the weekday and trend predict" : undefined}>
      {items.length === 0 ? <EmptyState icon={CircleCheck} title="Nothing unusual" text="Every metric is within what its weekday and trend predict." /> : (
        <ul className="-mx-2 max-h-64 space-y-0.5 overflow-y-auto" tabIndex={0} aria-label="Anomalies">
          {items.map((item, index) => (
            <li key={`${item.at}-${item.metric ?? index}`}>
              <Link to="/copilot" state={{ ask: `Why did ${(item.label ?? item.metric ?? "engagement").toLowerCase()} change on ${day(item.at)}?`, nonce: index }} className="flex gap-3 rounded-lg p-2 hover:bg-sunken">
                <span className={cx("mt-0.5 flex size-7 shrink-0 items-center justify-center rounded-lg", strong(item.severity) ? "bg-bad-soft text-bad" : "bg-warn-soft text-warn")}><TriangleAlert size={15} aria-hidden="true" /></span>
                <span className="min-w-0 flex-1 text-[13px]">
                  <span className="flex items-baseline justify-between gap-2"><span className="font-medium">{item.label ?? item.metric}</span><span className="shrink-0 text-xs text-muted">{day(item.at)}</span></span>
                  <span className="block text-muted">{item.text}</span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
