import { useSearchParams } from "react-router";
import { dataApi } from "../../api/data";
import type { Schema } from "../../api/data.types";
import { useResource } from "../../hooks/useResource";
import { cx } from "../../lib/cx";
import { Panel } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { ErrorState, Skeleton } from "../../ui/Feedback";

function Fields({ schema }: { schema: Schema }) {
  return (
    <div className="-mx-1 overflow-x-auto px-1" tabIndex={0} role="group" aria-label={`Fields of ${schema.title}`}>
      <table className="w-full min-w-[36rem] text-left text-[13px]">
        <thead className="text-xs text-muted"><tr>{["Field", "Type", "Meaning"].map((title) => <th key={title} scope="col" className="pb-2 font-medium">{title}</th>)}</tr></thead>
        <tbody className="divide-y divide-line">
          {schema.fields.map((field) => (
            <tr key={field.name} className="align-top">
              <th scope="row" className="py-2 pr-3 font-mono text-xs font-semibold whitespace-nowrap">{field.name}{field.required ? <span className="ml-1.5 font-sans text-[11px] font-medium text-warn">required</span> : null}</th>
              <td className="py-2 pr-3 text-muted">{field.type}{field.personal ? <Chip className="ml-1.5">personal</Chip> : null}</td>
              <td className="py-2">{field.description}{field.enum?.length ? <span className="block text-xs text-muted">{field.enum.join(" · ")}</span> : null}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Every contract with its fields and an example, as the validator uses it. */
export function Schemas() {
  const [params, setParams] = useSearchParams();
  const schemas = useResource("schemas", (signal) => dataApi.schemas(signal));
  if (schemas.loading) return <Skeleton className="h-72 rounded-xl" />;
  if (!schemas.data) return <ErrorState error={schemas.error} retry={schemas.reload} />;
  const items = schemas.data.items;
  const chosen = items.find((schema) => schema.name === params.get("schema")) ?? items[0];
  if (!chosen) return null;
  return (
    <div className="grid gap-4 lg:grid-cols-[15rem_minmax(0,1fr)]">
      <nav aria-label="Contracts" className="flex gap-1 overflow-x-auto lg:flex-col">
        {items.map((schema) => (
          <button key={schema.name} type="button" aria-current={schema.name === chosen.name ? "true" : undefined} data-testid={`schema-${schema.name}`} onClick={() => setParams({ tab: "schemas", schema: schema.name })}
            className={cx("shrink-0 rounded-lg px-3 py-2 text-left text-[13px] font-medium", schema.name === chosen.name ? "bg-accent-soft text-accent-ink" : "text-muted hover:bg-sunken hover:text-ink")}>
            {schema.title}
          </button>
        ))}
      </nav>
      <Panel title={`${chosen.title} · version ${chosen.version}`} note={chosen.description} action={<a href={`/api/schemas/${chosen.name}`} className="text-[13px] font-medium text-accent-ink hover:underline">JSON Schema</a>}>
        <Fields schema={chosen} />
        {chosen.example !== undefined ? (
          <div className="mt-5"><h3 className="mb-2 text-[13px] font-semibold">Example</h3><pre tabIndex={0} aria-label="Example record" className="overflow-x-auto rounded-lg bg-sunken p-3 font-mono text-xs">{JSON.stringify(chosen.example, null, 2)}</pre></div>
        ) : null}
      </Panel>
    </div>
  );
}
