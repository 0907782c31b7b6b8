"""The page's daily lines and its odd days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from smart_reach.engine.metrics.anomalies import Anomaly, daily_arrays
from smart_reach.engine.metrics.answering import odd_days
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview.counts import Bought, Day, Purchases
from smart_reach.engine.metrics.spec import Period

ANOMALY_DAYS = 90


def shown_days(days: list[Day], reach: dict[date, int], period: Period) -> list[Day]:
    """Every day of the period, those without messages too."""
    found = {d.day: d for d in days}
    dates = [period.start + timedelta(days=i) for i in range(period.days)]
    return [replace(found.get(day, Day(day)), reach=reach.get(day, 0)) for day in dates]


def series(rows: list[Day], bank: bool, bought: Purchases | None) -> dict[str, Any]:
    """Day by day, without gaps; a rate without cases is null."""
    if not any(r.sent for r in rows) and bought is not None:
        lines = _spending(rows, bought)
    else:
        lines = _messaging(rows, bank)
    return {"dates": [r.day.isoformat() for r in rows], "series": lines}


def _messaging(rows: list[Day], bank: bool) -> list[dict[str, Any]]:
    base = [r.sent if bank else r.delivered for r in rows]
    rates = [r.converted / n if n else None for r, n in zip(rows, base, strict=True)]
    converted = _line("Conversion rate", "percent", rates)
    if bank:
        return [_line("Customers contacted", "count", [r.sent for r in rows]), converted]
    clicks = [r.clicked / r.delivered if r.delivered else None for r in rows]
    return [
        _line("Click-through rate", "percent", clicks),
        converted,
        _line("Delivered", "count", [r.delivered for r in rows]),
    ]


def _spending(rows: list[Day], bought: Purchases) -> list[dict[str, Any]]:
    days = [bought.days.get(r.day, Bought()) for r in rows]
    return [
        _line("Spend", "money", [d.spend for d in days]),
        _line("Transactions", "count", [d.transactions for d in days]),
        _line("Active customers", "count", [d.buyers for d in days]),
    ]


def _line(name: str, unit: str, values: list[Any]) -> dict[str, Any]:
    return {"name": name, "values": values, "unit": unit}


def page_anomalies(days: list[Day], period: Period, bank: bool, model: SemanticModel) -> list[Anomaly]:
    """Anomalies of the period against the last 90 days, newest first; today, not over yet, is left out."""
    known = [d for d in days if d.sent]
    if not known:
        return []
    end = period.end if bank else period.end - timedelta(days=1)
    start = max(min(d.day for d in known), end - timedelta(days=ANOMALY_DAYS - 1))
    if end <= start:
        return []
    found: list[Anomaly] = []
    kinds = (
        [("conversion_rate", "converted", "sent")]
        if bank
        else [
            ("ctr", "clicked", "delivered"),
            ("conversion_rate", "converted", "delivered"),
            ("opt_out_rate", "unsubscribed", "delivered"),
        ]
    )
    for metric, num_name, den_name in kinds:
        rows: list[tuple[date, float, float]] = [
            (d.day, getattr(d, num_name), getattr(d, den_name)) for d in known
        ]
        dates, num, den = daily_arrays(rows, start, end)
        if np.count_nonzero(den) * 2 < len(den):
            continue  # calls on a few days only have no weekly course to deviate from
        found += odd_days.anomalies(model.metric(metric), dates, num, den, model.currency)
    found = [a for a in found if period.start <= a.at <= period.end]
    return sorted(found, key=lambda a: (a.at, abs(a.z)), reverse=True)
