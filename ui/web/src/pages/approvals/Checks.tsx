import { Check as Tick, ChevronDown, CircleX, TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { Check } from "../../api/proposals.types";
import { toneClass, type Tone } from "../../ui/Chip";
import { cx } from "../../lib/cx";
import { Popover } from "../../ui/Popover";

const LOOK: Record<Check["status"], [Tone, typeof Tick, string]> = {
  pass: ["neutral", Tick, "passed"], warn: ["warn", TriangleAlert, "warning"], fail: ["bad", CircleX, "failed"],
};

/** With more passed checks than this, they fold into one chip, so that what needs a look stands out. */
const FEW = 6;

export function Checks({ checks }: { checks: Check[] | null | undefined }) {
  const [all, setAll] = useState(false);
  if (!checks?.length) return null;
  const sorted = checks.toSorted((a, b) => "fail warn pass".indexOf(a.status) - "fail warn pass".indexOf(b.status));
  const passed = checks.filter((check) => check.status === "pass").length;
  const folded = passed > FEW && !all;
  return (
    <ul className="flex flex-wrap gap-1.5" aria-label="Compliance checks">
      {sorted.filter((check) => !folded || check.status !== "pass").map((check) => {
        const [tone, Icon, word] = LOOK[check.status] ?? LOOK.warn;
        return (
          <li key={check.id}>
            <Popover
              label={`${check.label}: ${word}`}
              triggerClass={cx("inline-flex items-center gap-1 rounded-full border px-2 py-0.5 text-xs font-medium hover:border-line-strong hover:text-ink", toneClass[tone])}
              trigger={<><Icon size={12} aria-hidden="true" className={check.status === "pass" ? "text-good" : ""} />{check.label}</>}
            >
              <p className="font-semibold">{check.label} <span className={cx("font-medium", check.status === "pass" ? "text-good" : check.status === "warn" ? "text-warn" : "text-bad")}>{word}</span></p>
              <p className="mt-1 text-muted">{check.detail || "Nothing to add."}</p>
              {check.source ? <p className="mt-2 border-t border-line pt-2 text-xs text-muted">Source: {check.source}</p> : null}
            </Popover>
          </li>
        );
      })}
      {passed > FEW ? (
        <li>
          <button type="button" aria-expanded={all} onClick={() => setAll(!all)} data-testid="checks-toggle" className={cx("inline-flex items-center gap-1 rounded-full border px-2 py-0.5 text-xs font-medium hover:border-good", toneClass.good)}>
            <Tick size={12} aria-hidden="true" />{folded ? `${passed} checks passed` : "Show fewer"}<ChevronDown size={12} aria-hidden="true" className={cx("transition-transform", all && "rotate-180")} />
          </button>
        </li>
      ) : null}
    </ul>
  );
}
