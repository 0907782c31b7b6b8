"""Days that do not fit: STL for level and week shape, an overdispersed binomial (or Poisson) z, floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

MIN_DAYS = 21
Z_LIMIT = 3.5
MIN_COUNT = 10.0
MIN_RELATIVE = 0.2
SEASON, TREND = 35, 29
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Anomaly:
    """One day whose figure lies far from what level and weekday lead to expect."""

    at: date
    metric: str
    label: str
    value: float
    expected: float
    z: float
    text: str
    severity: str  # warn | high

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "metric": self.metric,
            "label": self.label,
            "text": self.text,
            "severity": self.severity,
            "value": self.value,
            "expected": self.expected,
        }


def detect(num: Floats, den: Floats | None) -> list[tuple[int, float, float, float]]:
    """(index, value, expected, z) of anomalous days. `den` None: counts; else rates num/den.

    STL: Cleveland et al. 1990. The dispersion is estimated robustly from the Pearson residuals, so
    ordinary day-to-day extra variation does not raise alarms.
    """
    if len(num) < MIN_DAYS:
        return []
    if den is None:
        level = np.log(num + 0.5)
        expected = np.exp(_fit(level)) - 0.5
        expected = np.maximum(expected, 0.5)
        variance = expected
        observed, mean = num, expected
    else:
        cases = np.maximum(den, 0.0)
        rate = (num + 0.5) / (cases + 1.0)
        rate = _fill(rate, cases > 0)
        fitted = _fit(np.log(rate / (1 - np.minimum(rate, 0.999))))
        p = 1 / (1 + np.exp(-fitted))
        expected = cases * p
        variance = np.maximum(cases * p * (1 - p), 1e-9)
        observed, mean = num, expected
    pearson = (observed - mean) / np.sqrt(variance)
    usable = variance > 1e-6
    spread = (
        float(np.median(np.abs(pearson[usable] - np.median(pearson[usable]))) * 1.4826)
        if usable.any()
        else 1.0
    )
    z = pearson / max(spread, 1.0)
    out = []
    for i in np.flatnonzero(np.abs(z) >= Z_LIMIT):
        gap = abs(observed[i] - mean[i])
        if gap < MIN_COUNT or gap < MIN_RELATIVE * max(mean[i], 1e-9):
            continue
        scale = 1.0 if den is None else float(den[i])
        if scale > 0:
            out.append((int(i), float(observed[i]) / scale, float(mean[i]) / scale, float(z[i])))
    return out


def _fit(series: Floats) -> Floats:
    from statsmodels.tsa.seasonal import STL

    # stiff season and trend: a single odd day must not bend what it is compared with
    trend = min(TREND, len(series) - 1 + len(series) % 2)
    fit = STL(series, period=7, seasonal=SEASON, trend=trend, robust=True).fit()
    fitted: Floats = np.asarray(fit.trend + fit.seasonal, dtype=np.float64)
    return fitted


def _fill(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Days without cases take the rate of their neighbours, so that they neither alarm nor bend the fit."""
    if known.all() or not known.any():
        return values
    index = np.arange(len(values))
    return np.interp(index, index[known], values[known])


def daily_arrays(
    rows: Sequence[tuple[date, float, float]], start: date, end: date
) -> tuple[list[date], Floats, Floats]:
    """(day, num, den) rows as gapless arrays from start to end."""
    days = [start + timedelta(days=i) for i in range((end - start).days + 1)]
    found = {day: (num, den) for day, num, den in rows}
    num = np.array([float(found.get(day, (0.0, 0.0))[0] or 0) for day in days])
    den = np.array([float(found.get(day, (0.0, 0.0))[1] or 0) for day in days])
    return days, num, den


def severity_of(z: float) -> str:
    return "high" if abs(z) >= 6 else "warn"
