"""One tile at a time: value, change, interval, spark line, definition and the query that measures it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from smart_reach.engine.metrics.answering.story import money, show, wilson
from smart_reach.engine.metrics.compile import compile_spec
from smart_reach.engine.metrics.model import Metric, SemanticModel
from smart_reach.engine.metrics.overview.counts import Z95, Day, Totals, incremental
from smart_reach.engine.metrics.spec import Period, QuerySpec


class Tiles:
    """Collects tiles, in the order in which they are measured."""

    def __init__(self, model: SemanticModel, period: Period, days: list[Day]) -> None:
        self.model, self.period = model, period
        found = {d.day: d for d in days}
        dates = [period.start + timedelta(days=i) for i in range(period.days)]
        self.days = [found.get(d, Day(d)) for d in dates]
        self.labels = [d.isoformat() for d in dates]
        self.tiles: list[dict[str, Any]] = []

    def count(
        self, id: str, now: float, before: float, of: Callable[[Day], int], *, raw: bool = False
    ) -> None:
        metric = self.model.metric(id)
        change = now / before - 1 if before else 0.0
        self._add(
            metric,
            now,
            change,
            f"{abs(change) * 100:.1f}%" if before else "–",
            None,
            f"{show(before, metric.unit, self.model.currency)} before",
            [of(d) for d in self.days],
            measured=f"{id}_raw" if raw else id,
        )

    def rate(
        self,
        id: str,
        now: tuple[int, int],
        before: tuple[int, int],
        of: Callable[[Day], tuple[int, int]],
        note: str | None = None,
        *,
        raw: bool = False,
        machine: dict[str, Any] | None = None,
    ) -> None:
        value = now[0] / now[1] if now[1] else 0.0
        old = before[0] / before[1] if before[1] else None
        change = value - old if old is not None else 0.0
        spark = [num / den if den else None for num, den in map(of, self.days)]
        text = f"{abs(change) * 100:.2f} pp" if old is not None else "–"
        interval = list(wilson(*now, Z95)) if now[1] else None
        self._add(
            self.model.metric(id),
            value,
            change,
            text,
            interval,
            note or f"{now[0]:,} of {now[1]:,}",
            spark,
            measured=f"{id}_raw" if raw else id,
            machine=machine,
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
        currency = self.model.currency
        note = f"90% CI {money(low, currency)} to {money(high, currency)}"
        by = money(abs(change), currency) if old else "–"
        self._add(metric, value, change, by, [low, high], note, spark)

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
        *,
        measured: str = "",
        machine: dict[str, Any] | None = None,
    ) -> None:
        asked = self.model.metric(measured or metric.id)
        timed = self.model.sources[metric.source].time is not None
        spec = QuerySpec((asked.id,), period=self.period if timed else None)
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
                "definition": asked.definition,
                "machine": machine,
                "sql": compile_spec(spec, self.model).display_sql,
            }
        )
