"""Tells days that do not fit: each with what level and weekday lead to expect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from smart_reach.engine.metrics.anomalies import Anomaly, Floats, detect, severity_of
from smart_reach.engine.metrics.answering.story import Story, show
from smart_reach.engine.metrics.model import Metric
from smart_reach.engine.metrics.spec import Period, day_text


def anomalies(
    metric: Metric, dates: Sequence[date], num: Floats, den: Floats | None, currency: str
) -> list[Anomaly]:
    """Anomalous days of gapless daily figures, in words; `den` None for counts."""
    found = []
    for index, value, expected, z in detect(num, den):
        shown, usual = (show(x, metric.unit, currency) for x in (value, expected))
        text = f"{metric.label} {shown}, expected {usual}"
        found.append(Anomaly(dates[index], metric.id, metric.label, value, expected, z, text, severity_of(z)))
    return found


def tell(
    story: Story, found: Sequence[Anomaly], metrics: Sequence[Metric], period: Period, currency: str
) -> None:
    """Say the newest three, or that no day stands out."""
    by_id = {metric.id: metric for metric in metrics}
    if not found:
        names = [metric.label.lower() for metric in metrics]
        listed = ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else names[0]
        dates = story.fact(period.dates, period.dates, "period")
        story.say(f"Nothing unusual: from {dates}, no day of {listed} stands out from its level and weekday.")
    for item in found[:3]:
        metric = by_id[item.metric]
        day = story.fact(item.at, day_text(item.at), f"day {item.at}")
        value = story.fact(
            item.value, show(item.value, metric.unit, currency), f"day {item.at} · {metric.id}"
        )
        usual = story.fact(
            item.expected, show(item.expected, metric.unit, currency), f"day {item.at} · expected"
        )
        side = "above" if item.value > item.expected else "below"
        story.say(
            f"On {day}, {metric.label.lower()} {metric.verb} {value}, {side} the {usual}"
            " that level and weekday lead to expect."
        )


def table(found: Sequence[Anomaly], metrics: Sequence[Metric]) -> dict[str, Any]:
    """Day, value and expectation, one row a day; several figures are named in a column."""
    several = len(metrics) > 1
    metric = metrics[0]
    value = ("value", "Value", metric.unit) if several else (metric.id, metric.label, metric.unit)
    columns = [
        ("day", "Day", ""),
        *([("metric", "Figure", "")] if several else []),
        value,
        ("expected", "Expected", metric.unit),
    ]
    return {
        "columns": [{"id": id, "label": label, "unit": unit} for id, label, unit in columns],
        "rows": [[day_text(a.at), *([a.label] if several else []), a.value, a.expected] for a in found],
    }
