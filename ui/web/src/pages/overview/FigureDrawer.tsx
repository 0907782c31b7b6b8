import type { ReactNode } from "react";
import type { OverviewQuery, People, Tile } from "../../api/overview.types";
import { overviewApi } from "../../api/endpoints";
import { useResource, type Resource } from "../../hooks/useResource";
import { count, withUnit } from "../../lib/format";
import { useWhen } from "../../shell/state/clock";
import { Dialog } from "../../ui/Dialog";
import { EmptyState, ErrorState, Skeleton } from "../../ui/Feedback";
import { Sql } from "../../ui/Sql";

const HEADS = ["Customer", "Segment", "Region", "Age", "What", "When"];

export const intervalText = (tile: Tile) => tile.interval?.map((v) => withUnit(v, tile.unit)).join(" to ") ?? null;

function Part({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return <section><h3 className="mb-1.5 text-[13px] font-semibold">{title}{note ? <span className="ml-2 font-normal text-muted">{note}</span> : null}</h3>{children}</section>;
}

function PeopleTable({ people }: { people: Resource<People> }) {
  const when = useWhen();
  const items = people.data?.items ?? [];
  if (people.loading) return <div className="space-y-2" role="status" aria-label="Loading the people">{Array.from({ length: 8 }, (_, n) => <Skeleton key={n} className="h-9" />)}</div>;
  if (people.error) return <ErrorState error={people.error} retry={people.reload} />;
  if (items.length === 0) return <EmptyState title="Nobody" text="No customer is behind this figure in this period." />;
  return (
    <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label="People, scrollable">
      <table className="w-full text-left text-[13px]">
        <thead className="text-xs text-muted"><tr>{HEADS.map((head) => <th key={head} scope="col" className="border-b border-line py-2 pr-3 font-medium">{head}</th>)}</tr></thead>
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
  );
}

function howMany(people: People | null): string {
  if (!people) return "";
  return people.items.length < people.total ? `${count(people.total)}, the latest ${count(people.items.length)} shown` : count(people.total);
}

/** Everything behind one figure: what it means, the query that gave it, and the people it counts. */
export function FigureDrawer({ tile, query, onClose }: { tile: Tile | null; query: OverviewQuery; onClose: () => void }) {
  const people = useResource(tile ? `${tile.id}:${JSON.stringify(query)}` : null, () => overviewApi.people(tile?.id ?? "", query));
  const interval = tile ? intervalText(tile) : null;
  return (
    <Dialog open={tile !== null} onClose={onClose} side="right" width="42rem" title={tile ? `${tile.label}: ${tile.display}` : ""} note={[interval ? `Interval ${interval}` : null, tile?.note].filter(Boolean).join(" · ") || undefined} testId="people-drawer">
      {tile ? (
        <div className="space-y-5">
          <Part title="Definition"><p className="text-[13px] leading-6 text-muted" data-testid="figure-definition">{tile.definition ?? "No definition was given."}</p></Part>
          {tile.sql ? <Part title="Query"><Sql text={tile.sql} /></Part> : null}
          <Part title="People" note={howMany(people.data)}><PeopleTable people={people} /></Part>
        </div>
      ) : null}
    </Dialog>
  );
}
