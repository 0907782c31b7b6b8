import { X } from "lucide-react";
import type { Choice, Overview, OverviewQuery } from "../../api/overview.types";
import { capital } from "../../lib/format";
import { Button } from "../../ui/Button";
import { Segmented, Select, type Option } from "../../ui/Fields";
import { DAYS } from "./useOverview";

function options(all: string, choices: Choice[] | undefined, current: string): Option[] {
  const list = (choices ?? []).map((choice): Option => {
    if (typeof choice === "string") return { value: choice, label: capital(choice.replaceAll("_", "-")) };
    return { value: choice.id, label: "name" in choice ? choice.name : choice.label };
  });
  if (current && !list.some((option) => option.value === current)) list.push({ value: current, label: current });
  return [{ value: "", label: all }, ...list];
}

export interface FiltersProps { query: OverviewQuery; choices: Overview["filters"]; onChange: (part: Partial<OverviewQuery>) => void }

export function Filters({ query, choices, onChange }: FiltersProps) {
  const active = query.offer || query.channel || query.segment;
  return (
    <div role="group" aria-label="Filters" className="flex flex-wrap items-center gap-2">
      <Segmented label="Period" value={String(query.days)} options={DAYS.map((d) => ({ value: String(d), label: `${d} d` }))} onChange={(value) => onChange({ days: Number(value) })} />
      <Select label="Offer" value={query.offer} options={options("All offers", choices?.offers, query.offer)} onChange={(offer) => onChange({ offer })} />
      <Select label="Channel" value={query.channel} options={options("All channels", choices?.channels, query.channel)} onChange={(channel) => onChange({ channel })} />
      <Select label="Segment" value={query.segment} options={options("All segments", choices?.segments, query.segment)} onChange={(segment) => onChange({ segment })} />
      <Segmented label="Opens and clicks of" value={query.raw ? "1" : ""} options={[{ value: "", label: "People" }, { value: "1", label: "With machines" }]} onChange={(value) => onChange({ raw: value === "1" })} />
      {active ? <Button size="sm" kind="ghost" onClick={() => onChange({ offer: "", channel: "", segment: "" })}><X size={14} aria-hidden="true" />Clear</Button> : null}
    </div>
  );
}
