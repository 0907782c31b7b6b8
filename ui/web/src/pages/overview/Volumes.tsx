import type { Volume } from "../../api/overview.types";
import { Sparkline } from "../../charts/Sparkline";
import { cx } from "../../lib/cx";
import { DASH, share, withUnit } from "../../lib/format";
import { changeOf } from "../../lib/tiles";
import { Panel } from "../../ui/Card";

const TONE = { good: "text-good", bad: "text-bad", neutral: "text-muted" };
const ARROW = { up: "↗", down: "↘", flat: "→" };

function Change({ item }: { item: Volume }) {
  if (!item.delta_display || item.delta_display === DASH) return <span className="text-muted">{DASH}</span>;
  const change = changeOf(item);
  return <span className={cx("whitespace-nowrap", TONE[change.tone])} title={change.words}><span aria-hidden="true">{ARROW[change.way]} </span><span className="sr-only">{change.words}: </span>{item.delta_display}</span>;
}

/** Every count of the period, from what was sent to what was complained about. */
export function Volumes({ items, onOpen }: { items: Volume[]; onOpen: (item: Volume) => void }) {
  if (items.length === 0) return null;
  return (
    <Panel title="From sends to complaints" note="Counts of the period; shares of what was delivered (deliveries and bounces: of what was sent)">
      <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label="Counts table, scrollable">
        <table className="w-full text-left text-[13px] tabular" data-testid="volumes">
          <thead className="text-xs text-muted"><tr>{["What", "Count", "Share", "Change"].map((head, i) => <th key={head} scope="col" className={cx("border-b border-line py-2 font-medium", i ? "pl-4 text-right" : "")}>{head}</th>)}<th scope="col" className="hidden border-b border-line py-2 pl-8 font-medium sm:table-cell">Day by day</th></tr></thead>
          <tbody>
            {items.map((item) => (
              <tr key={item.id} className="border-b border-line last:border-0">
                <th scope="row" className="py-1.5 font-medium whitespace-nowrap">{item.label}</th>
                <td className="py-1.5 pl-4 text-right"><button type="button" onClick={() => onOpen(item)} title="See its definition, its query and the people" className="font-semibold decoration-line-strong decoration-2 underline-offset-4 hover:underline">{item.display}</button></td>
                <td className="py-1.5 pl-4 text-right text-muted">{item.share === null || item.share === undefined ? DASH : share(item.share)}</td>
                <td className="py-1.5 pl-4 text-right"><Change item={item} /></td>
                <td className="hidden w-2/5 py-1 pl-8 sm:table-cell"><div className="h-7 [&_svg]:h-7"><Sparkline values={item.spark ?? []} labels={item.spark_labels} title={item.label} format={(v) => withUnit(v, item.unit)} /></div></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
