import type { OverviewQuery, Tile } from "../../api/overview.types";
import { overviewApi } from "../../api/endpoints";
import { useResource } from "../../hooks/useResource";
import { count, when } from "../../lib/format";
import { Dialog } from "../../ui/Dialog";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";

export function PeopleDrawer({ tile, query, onClose }: { tile: Tile | null; query: OverviewQuery; onClose: () => void }) {
  const people = useResource(tile ? `${tile.id}:${JSON.stringify(query)}` : null, () => overviewApi.people(tile?.id ?? "", query));
  const items = people.data?.items ?? [];
  return (
    <Dialog open={tile !== null} onClose={onClose} side="right" width="40rem" title={tile ? `${tile.label}: ${tile.display}` : ""} note={people.data ? `${count(people.data.total)} people behind this figure${items.length < people.data.total ? `, the latest ${items.length} shown` : ""}` : "The people behind this figure"} testId="people-drawer">
      {people.loading ? <div className="space-y-2">{Array.from({ length: 10 }, (_, n) => <Skeleton key={n} className="h-9" />)}</div> : people.error ? <ErrorState error={people.error} retry={people.reload} /> : items.length === 0 ? <EmptyState title="Nobody" text="No customer is behind this figure in this period." /> : (
        <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label="People, scrollable">
          <table className="w-full text-left text-[13px]">
            <thead className="text-xs text-muted"><tr>{["Customer", "Segment", "Region", "Age", "What", "When"].map((head) => <th key={head} scope="col" className="border-b border-line py-2 pr-3 font-medium">{head}</th>)}</tr></thead>
            <tbody>
              {items.map((person, index) => (
                <tr key={`${person.id}-${index}`} className="border-b border-line last:border-0">
                  <th scope="row" className="py-2 pr-3 font-mono text-xs font-medium whitespace-nowrap">{person.id}</th>
                  <td className="py-2 pr-3">{person.segment ?? "–"}</td>
                  <td className="py-2 pr-3">{person.region ?? "–"}</td>
                  <td className="py-2 pr-3 whitespace-nowrap">{person.age_band ?? "–"}</td>
                  <td className="py-2 pr-3 text-muted">{person.what ?? "–"}</td>
                  <td className="py-2 text-muted whitespace-nowrap tabular">{when(person.at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Dialog>
  );
}
