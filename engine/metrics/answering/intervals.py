"""Intervals of figures against the holdout: the difference of two arms' means (Welch)."""

from __future__ import annotations

import math
from typing import Any

from smart_reach.engine.metrics.execute import Row
from smart_reach.engine.metrics.model import Metric

Z = {"0.90": 1.6448536269514722, "0.95": 1.959963984540054}
MIN_HELD = 10


def against_holdout(metric: Metric, row: Row) -> tuple[float, float] | None:
    """Lower and upper bound of an incremental figure; None with too few cases in an arm.

    (x̄_t − x̄_h) ± z·√(s²_t/n_t + s²_h/n_h), for money times n_t. `row` holds the metric's arms.
    """
    if not metric.arms or row.get(metric.id) is None:
        return None
    n, held = _cell(metric, row, "treated"), _cell(metric, row, "held")
    if n < 2 or held < MIN_HELD:
        return None
    variance = _variance(n, _cell(metric, row, "sum"), _cell(metric, row, "squares")) / n
    variance += _variance(held, _cell(metric, row, "held_sum"), _cell(metric, row, "held_squares")) / held
    half = Z[metric.arms["level"]] * math.sqrt(variance) * (n if metric.unit == "money" else 1.0)
    value = float(row[metric.id])
    return value - half, value + half


def _cell(metric: Metric, row: Row, name: str) -> float:
    value: Any = row[f"{metric.id}__{name}"]
    return float(value or 0)


def _variance(n: float, total: float, squares: float) -> float:
    return max(0.0, (squares - total**2 / n) / (n - 1))
