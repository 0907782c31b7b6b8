import type { LakeTable } from "../../api/data.types";
import { count, span } from "../../lib/format";
import { Panel } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { useWhen } from "../../shell/state/clock";

function size(bytes: number): string {
  const steps = ["B", "KB", "MB", "GB", "TB"];
  let step = 0;
  let value = bytes;
  while (value >= 1000 && step < steps.length - 1) { value /= 1000; step += 1; }
  return `${value < 10 && step ? value.toFixed(1) : Math.round(value)} ${steps[step]}`;
}

function Freshness({ seconds }: { seconds: number | null }) {
  if (seconds === null) return <span className="text-muted">–</span>;
  const text = seconds < 45 ? `${Math.max(0, Math.round(seconds))} s` : span(seconds);
  return <Chip tone={seconds < 60 ? "good" : seconds < 86_400 ? "neutral" : "warn"}>{text} old</Chip>;
}

/** One row a table of the lakehouse, with how fresh it is. */
export function Tables({ tables }: { tables: LakeTable[] }) {
  const when = useWhen();
  return (
    <Panel title="Tables" note="Iceberg tables of the lakehouse. Every query can name one of the snapshots that are kept.">
      <div className="-mx-1 overflow-x-auto px-1" tabIndex={0} role="group" aria-label="Tables of the lakehouse">
        <table className="w-full min-w-[40rem] text-left text-[13px]">
          <thead className="text-xs text-muted"><tr>{["Table", "Freshness", "Newest row", "Rows", "Files", "Size", "Snapshots"].map((title, place) => <th key={title} scope="col" className={`pb-2 font-medium ${place > 2 ? "text-right" : ""}`}>{title}</th>)}</tr></thead>
          <tbody className="divide-y divide-line">
            {tables.map((table) => (
              <tr key={table.name} data-testid={`table-${table.name}`}>
                <th scope="row" className="py-2.5 font-semibold">{table.name}<span className="block text-xs font-normal text-muted tabular">{table.snapshot ? `snapshot ${table.snapshot}` : "no snapshot"}</span></th>
                <td><Freshness seconds={table.freshness_s} /></td>
                <td className="text-muted">{when(table.newest_event_at ?? table.committed_at)}</td>
                <td className="text-right tabular">{count(table.rows)}</td>
                <td className="text-right tabular">{count(table.files)}</td>
                <td className="text-right tabular">{size(table.bytes)}</td>
                <td className="text-right tabular">{count(table.snapshots)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
