"""Measures of a probability forecast: ranking (AUC, AP) and calibration (ECE, Brier, reliability)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class Bin:
    """One reliability bin: mean forecast, observed rate and its Jeffreys 95 % interval."""

    upper: float
    count: int
    positives: int
    mean: float
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Measures:
    """How good a forecast was on outcomes that came after its training data."""

    rows: int
    positives: int
    base_rate: float
    auc: float
    average_precision: float
    ece: float
    brier: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def auc(outcome: npt.NDArray[Any], score: npt.NDArray[Any]) -> float:
    """Area under the ROC curve by ranks (ties count half); 0.5 when only one class is present."""
    from scipy.stats import rankdata

    positive = np.asarray(outcome) > 0
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    if n_pos == 0 or n_neg == 0:
        return 0.5
    ranks = rankdata(score)
    return float((ranks[positive].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def average_precision(outcome: npt.NDArray[Any], score: npt.NDArray[Any]) -> float:
    """Mean precision over the positives (scikit-learn's definition)."""
    from sklearn.metrics import average_precision_score

    if not np.any(np.asarray(outcome) > 0):
        return 0.0
    return float(average_precision_score(outcome, score))


def reliability(outcome: npt.NDArray[Any], forecast: Floats, bins: int = BINS) -> list[Bin]:
    """Equal-count bins in order of the forecast; equal forecasts share a bin."""
    from scipy.stats import beta

    order = np.argsort(forecast, kind="stable")
    p, y = forecast[order], np.asarray(outcome, dtype=np.float64)[order]
    found: list[Bin] = []
    start = 0
    for number in range(1, bins + 1):
        end = round(len(p) * number / bins)
        if end <= start:
            continue
        end = int(np.searchsorted(p, p[end - 1], side="right"))
        count, positives = end - start, int(y[start:end].sum())
        low, high = beta.ppf([0.025, 0.975], positives + 0.5, count - positives + 0.5)
        found.append(
            Bin(
                upper=float(p[end - 1]),
                count=count,
                positives=positives,
                mean=float(p[start:end].mean()),
                rate=positives / count,
                low=float(low),
                high=float(high),
            )
        )
        start = end
    return found


def expected_calibration_error(outcome: npt.NDArray[Any], forecast: Floats, bins: int = BINS) -> float:
    """ECE = Σ (bin size / n) · |observed rate − mean forecast|, equal-count bins."""
    parts = reliability(outcome, forecast, bins)
    total = sum(part.count for part in parts)
    return sum(part.count * abs(part.rate - part.mean) for part in parts) / total if total else 0.0


def measure(outcome: npt.NDArray[Any], forecast: Floats) -> Measures:
    """All measures of one forecast. Shapes: (n,), (n,)."""
    y = np.asarray(outcome, dtype=np.float64)
    return Measures(
        rows=len(y),
        positives=int(y.sum()),
        base_rate=float(y.mean()) if len(y) else 0.0,
        auc=auc(y, forecast),
        average_precision=average_precision(y, forecast),
        ece=expected_calibration_error(y, forecast),
        brier=float(np.mean((forecast - y) ** 2)) if len(y) else 0.0,
    )
