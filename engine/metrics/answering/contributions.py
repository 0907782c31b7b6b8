"""Tells what contributed to a change: the change itself, its largest parts, a table and a chart of them."""

from __future__ import annotations

import re
from typing import Any

from smart_reach.engine.metrics.answering.story import Story, show, show_change
from smart_reach.engine.metrics.drivers import REST, Drivers, Part
from smart_reach.engine.metrics.model import SemanticModel, Unit
from smart_reach.engine.metrics.spec import QuerySpec

FEW = 6
_FELL = re.compile(r"\b(?:drop\w*|f[ae]ll\w*|declin\w+|decreas\w+|lower|down|worse)\b", re.IGNORECASE)
_ROSE = re.compile(r"\b(?:ris\w+|rose|grow\w*|grew|increas\w+|improv\w+|higher|up|better)\b", re.IGNORECASE)


def tell_nothing(story: Story, spec: QuerySpec) -> None:
    """Say that the two periods cannot be compared."""
    assert spec.period is not None
    dates = story.fact(spec.period.dates, spec.period.dates, "period")
    story.say(f"There is nothing to report: no comparable data for {dates}.")


def tell(story: Story, drivers: Drivers, spec: QuerySpec, model: SemanticModel, *, asked: str = "") -> None:
    """Say how far the metric moved and which groups had a part in it; `asked` may suppose a direction."""
    assert spec.period is not None
    assert spec.comparison is not None
    metric, currency = model.metric(drivers.metric), model.currency
    # registered first: facts are numbered in the order in which they are named
    dates = story.fact(spec.period.dates, spec.period.dates, "period")
    now = story.fact(drivers.now, show(drivers.now, metric.unit, currency), f"period · {metric.id}")
    before = story.fact(
        drivers.before, show(drivers.before, metric.unit, currency), f"comparison · {metric.id}"
    )
    size = story.fact(
        drivers.change,
        show_change(drivers.now, drivers.before, metric.unit, currency),
        f"derived · change of {metric.id}",
    )
    past = story.fact(spec.comparison.dates, spec.comparison.dates, "comparison period")
    still = show(drivers.now, metric.unit, currency) == show(drivers.before, metric.unit, currency)
    moved = "rose" if drivers.change > 0 else "fell"
    if still:
        story.say(f"{metric.label} hardly changed: {now} ({dates}), {before} before ({past}).")
    else:
        wrong = _FELL if drivers.change > 0 else _ROSE
        denied = f" did not {'fall' if wrong is _FELL else 'rise'}; it" if wrong.search(asked) else ""
        story.say(f"{metric.label}{denied} {moved} by {size} to {now} ({dates}), from {before} ({past}).")
    cut = drivers.cuts[0]
    if len(cut.parts) <= FEW:
        named = [_part(story, drivers, model, part) for part in cut.parts]
        story.say(f"Contributions by {cut.label.lower()}: {', '.join(named)}.")
    elif named := _largest(story, drivers, model):
        story.say(f"By {cut.label.lower()}, the largest contribution came from {' and '.join(named)}.")
    story.say("Contributions add up to the change; they do not say what brought it about.")


def _largest(story: Story, drivers: Drivers, model: SemanticModel) -> list[str]:
    cut = drivers.cuts[0]
    with_it = [p for p in cut.parts if p.value != REST and p.contribution * drivers.change > 0]
    return [_part(story, drivers, model, part) for part in with_it[:2]]


def _part(story: Story, drivers: Drivers, model: SemanticModel, part: Part) -> str:
    name = story.fact(part.label, part.label, f"{drivers.cuts[0].dimension} · {part.label}")
    share = story.fact(
        part.contribution,
        show(part.contribution, _unit(drivers, model), model.currency),
        f"derived · contribution of {part.label}",
    )
    return f"{name} ({share})"


def table(drivers: Drivers, model: SemanticModel) -> dict[str, Any]:
    """Contribution, mix and rate of each group."""
    cut, unit = drivers.cuts[0], _unit(drivers, model)
    return {
        "columns": [{"id": cut.dimension, "label": cut.label, "unit": ""}]
        + [{"id": n, "label": n.capitalize(), "unit": unit} for n in ("contribution", "mix", "rate")],
        "rows": [[p.label, p.contribution, p.mix, p.rate] for p in cut.parts],
    }


def chart(drivers: Drivers, model: SemanticModel) -> dict[str, Any]:
    """The contributions as bars."""
    cut, unit = drivers.cuts[0], _unit(drivers, model)
    return {
        "type": "bar",
        "title": f"Contribution to the change of {model.metric(drivers.metric).label}",
        "x": {"label": cut.label, "values": [p.label for p in cut.parts]},
        "series": [{"name": "Contribution", "values": [p.contribution for p in cut.parts], "unit": unit}],
    }


def _unit(drivers: Drivers, model: SemanticModel) -> Unit:
    unit = model.metric(drivers.metric).unit
    return "points" if unit == "percent" else unit
