"""KPI tiles: value, change, interval, spark line, definition and the query that measures it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from smart_reach.engine.metrics.answering.intervals import MIN_HELD, against_holdout
from smart_reach.engine.metrics.answering.story import money, show, wilson
from smart_reach.engine.metrics.compile import compile_spec
from smart_reach.engine.metrics.model import Metric, SemanticModel
from smart_reach.engine.metrics.spec import Period, QuerySpec

Z90 = 1.6448536269514722
Z95 = 1.96


@dataclass(frozen=True)
class Day:
    """Counts of one local day of treated messages (or of contacts)."""

    day: date
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    unsubscribed: int = 0
    revenue: int = 0
    reach: int = 0
    held: int = 0
    held_converted: int = 0
    held_revenue: int = 0


@dataclass(frozen=True)
class Arm:
    """Totals of one arm in one stretch. `revenue_sq`: sum of squared revenue a message, for the interval."""

    sent: int = 0
    reach: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    unsubscribed: int = 0
    revenue: float = 0.0
    revenue_sq: float = 0.0


@dataclass(frozen=True)
class Totals:
    """Treated and holdout arms of the shown days and of the days before."""

    now: Arm
    held: Arm
    before: Arm
    held_before: Arm


def incremental(treated: Arm, held: Arm, z: float = Z90) -> tuple[float, float, float] | None:
    """Revenue above what the same messages would have brought at the holdout's mean, with an interval.

    n_t(x̄_t − x̄_h) ± z·n_t·√(s²_t/n_t + s²_h/n_h) (Welch), minor units. None without enough holdout.
    """
    if treated.sent < 2 or held.sent < 10:
        return None
    estimate = treated.sent * (treated.revenue / treated.sent - held.revenue / held.sent)
    spread = math.sqrt(_variance(treated) / treated.sent + _variance(held) / held.sent)
    half = z * treated.sent * spread
    return estimate, estimate - half, estimate + half


def _variance(arm: Arm) -> float:
    return max(0.0, (arm.revenue_sq - arm.revenue**2 / arm.sent) / (arm.sent - 1))


def demo_tiles(
    model: SemanticModel, totals: Totals, days: list[Day], period: Period, extra: dict[str, Any]
) -> list[dict[str, Any]]:
    """The ten tiles of the demo bank."""
    build = _Tiles(model, period, days)
    now, before = totals.now, totals.before
    build.count("reach", now.reach, before.reach, lambda d: d.reach)
    build.count("delivered", now.delivered, before.delivered, lambda d: d.delivered)
    build.rate(
        "open_rate",
        (now.opened, now.delivered),
        (before.opened, before.delivered),
        lambda d: (d.opened, d.delivered),
    )
    build.rate(
        "ctr",
        (now.clicked, now.delivered),
        (before.clicked, before.delivered),
        lambda d: (d.clicked, d.delivered),
    )
    build.rate(
        "conversion_rate",
        (now.converted, now.delivered),
        (before.converted, before.delivered),
        lambda d: (d.converted, d.delivered),
        uplift_note(model, totals),
    )
    build.incremental(totals)
    build.rate(
        "opt_out_rate",
        (now.unsubscribed, now.delivered),
        (before.unsubscribed, before.delivered),
        lambda d: (d.unsubscribed, d.delivered),
        "guardrail 0.40%",
    )
    if extra.get("now"):
        build.snapshot(extra)
    return build.tiles


def uplift_note(model: SemanticModel, totals: Totals) -> str | None:
    """The analyst's uplift with its interval, by message sent as the holdout is by message kept back."""
    now, held = totals.now, totals.held
    if now.sent < 2 or held.sent < MIN_HELD:
        return None
    cells = {
        "treated": now.sent,
        "sum": now.converted,
        "squares": now.converted,
        "held": held.sent,
        "held_sum": held.converted,
        "held_squares": held.converted,
    }
    value = now.converted / now.sent - held.converted / held.sent
    bounds = against_holdout(
        model.metric("uplift"), {"uplift": value, **{f"uplift__{k}": n for k, n in cells.items()}}
    )
    assert bounds is not None
    low, high = (show(bound, "points") for bound in bounds)
    return f"uplift {show(value, 'points')}, 95% CI {low} to {high}"


def bank_tiles(model: SemanticModel, totals: Totals, days: list[Day], period: Period) -> list[dict[str, Any]]:
    """The tiles of a bank-marketing workspace."""
    build = _Tiles(model, period, days)
    now, before = totals.now, totals.before
    build.count("contacts", now.sent, before.sent, lambda d: d.sent)
    build.count("conversions", now.converted, before.converted, lambda d: d.converted)
    build.rate(
        "conversion_rate",
        (now.converted, now.sent),
        (before.converted, before.sent),
        lambda d: (d.converted, d.sent),
    )
    return build.tiles


class _Tiles:
    def __init__(self, model: SemanticModel, period: Period, days: list[Day]) -> None:
        self.model, self.period = model, period
        found = {d.day: d for d in days}
        dates = [period.start + timedelta(days=i) for i in range(period.days)]
        self.days = [found.get(d, Day(d)) for d in dates]
        self.labels = [d.isoformat() for d in dates]
        self.tiles: list[dict[str, Any]] = []

    def count(self, id: str, now: int, before: int, of: Callable[[Day], int]) -> None:
        change = now / before - 1 if before else 0.0
        self._add(
            self.model.metric(id),
            now,
            change,
            f"{abs(change) * 100:.1f}%" if before else "–",
            None,
            f"{before:,} before",
            [of(d) for d in self.days],
        )

    def rate(
        self,
        id: str,
        now: tuple[int, int],
        before: tuple[int, int],
        of: Callable[[Day], tuple[int, int]],
        note: str | None = None,
    ) -> None:
        value = now[0] / now[1] if now[1] else 0.0
        old = before[0] / before[1] if before[1] else None
        change = value - old if old is not None else 0.0
        spark = [num / den if den else None for num, den in map(of, self.days)]
        text = f"{abs(change) * 100:.2f} pp" if old is not None else "–"
        interval = list(wilson(*now, Z95)) if now[1] else None
        self._add(
            self.model.metric(id), value, change, text, interval, note or f"{now[0]:,} of {now[1]:,}", spark
        )

    def incremental(self, totals: Totals) -> None:
        metric = self.model.metric("incremental_revenue")
        found, old = incremental(totals.now, totals.held), incremental(totals.before, totals.held_before)
        spark = [d.revenue - d.sent * d.held_revenue / d.held if d.held else None for d in self.days]
        if found is None:
            self._add(metric, 0, 0.0, "–", None, "too few holdout customers", spark)
            return
        value, low, high = found
        change = value - old[0] if old else 0.0
        note = f"90% CI {money(low)} to {money(high)}"
        self._add(metric, value, change, money(abs(change)) if old else "–", [low, high], note, spark)

    def snapshot(self, extra: dict[str, Any]) -> None:
        """Churn risk and yearly spend a customer, from feature snapshots."""
        now, before = extra["now"], extra.get("before")
        share = now["at_risk"] / now["known"] if now["known"] else 0.0
        old = before["at_risk"] / before["known"] if before and before["known"] else None
        sparks = extra.get("spark", [])
        metric = self.model.metric("churn_risk")
        note = f"{now['at_risk']:,} customers quiet for 45 days"
        change = share - old if old is not None else 0.0
        text = f"{abs(change) * 100:.2f} pp" if old is not None else "–"
        interval = list(wilson(now["at_risk"], now["known"], Z95))
        days = [s["day"] for s in sparks]
        line = [s["at_risk"] / s["known"] if s["known"] else None for s in sparks]
        self._add(metric, share, change, text, interval, note, line, days)
        value = 12 * now["spend"] / now["known"] if now["known"] else 0.0
        past = 12 * before["spend"] / before["known"] if before and before["known"] else None
        change = value / past - 1 if past else 0.0
        text = f"{abs(change) * 100:.1f}%" if past else "–"
        line = [12 * s["spend"] / s["known"] if s["known"] else None for s in sparks]
        yearly = self.model.metric("yearly_spend")
        self._add(yearly, value, change, text, None, "lifetime value proxy", line, days)

    def _add(
        self,
        metric: Metric,
        value: float,
        change: float,
        change_text: str,
        interval: list[float] | None,
        note: str,
        spark: list[Any],
        labels: list[str] | None = None,
    ) -> None:
        timed = self.model.sources[metric.source].time is not None
        spec = QuerySpec((metric.id,), period=self.period if timed else None)
        self.tiles.append(
            {
                "id": metric.id,
                "label": metric.label,
                "value": value,
                "unit": "percent" if metric.unit in ("percent", "points") else metric.unit,
                "display": show(value, metric.unit, self.model.currency),
                "delta": change,
                "delta_display": change_text,
                "better": metric.better,
                "interval": interval,
                "note": note,
                "spark": spark,
                "spark_labels": self.labels if labels is None else labels,
                "definition": metric.definition,
                "sql": compile_spec(spec, self.model).display_sql,
            }
        )
