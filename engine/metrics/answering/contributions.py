"""Tells what contributed to a change: the change itself, its largest parts, a table and a chart of them."""

from __future__ import annotations

from typing import Any

from smart_reach.engine.metrics.answering.story import Story, show, show_change
from smart_reach.engine.metrics.drivers import REST, Drivers
from smart_reach.engine.metrics.model import SemanticModel, Unit
from smart_reach.engine.metrics.spec import QuerySpec


def tell_nothing(story: Story, spec: QuerySpec) -> None:
    """Say that the two periods cannot be compared."""
    assert spec.period is not None
    dates = story.fact(spec.period.dates, spec.period.dates, "period")
    story.say(f"There is nothing to report: no comparable data for {dates}.")


def tell(story: Story, drivers: Drivers, spec: QuerySpec, model: SemanticModel) -> None:
    """Say how far the metric moved and which groups had the largest part in it."""
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
    moved = "rose" if drivers.change > 0 else "fell" if drivers.change < 0 else "did not change"
    amount = f" by {size}" if drivers.change else ""
    story.say(f"{metric.label} {moved}{amount} to {now} ({dates}), from {before} ({past}).")
    named = _largest(story, drivers, model)
    if named:
        label = drivers.cuts[0].label.lower()
        story.say(f"By {label}, the largest contribution came from {' and '.join(named)}.")
    story.say("Contributions add up to the change; they do not say what brought it about.")


def _largest(story: Story, drivers: Drivers, model: SemanticModel) -> list[str]:
    cut, unit = drivers.cuts[0], _unit(drivers, model)
    with_it = [p for p in cut.parts if p.value != REST and p.contribution * drivers.change > 0]
    named = []
    for part in with_it[:2]:
        name = story.fact(part.label, part.label, f"{cut.dimension} · {part.label}")
        share = story.fact(
            part.contribution,
            show(part.contribution, unit, model.currency),
            f"derived · contribution of {part.label}",
        )
        named.append(f"{name} ({share})")
    return named


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
