"""From raw score to propensity: calibration only where it helps, and the interval around it.

Interval of a propensity p. The out-of-time forecasts are cut into equal-count bins; a bin with mean
forecast m and Jeffreys 95 % interval [l, h] of its observed rate says that forecasts like p were off by a
factor between l/m and h/m. The interval is [p·l/m, p·h/m], widened to hold p and cut to [0, 1]. It thus
covers both the sampling error of the bin and any miscalibration seen there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smart_reach.engine.models.measure import Bin, Floats, expected_calibration_error, reliability

# a calibrator must cut the ECE of unseen outcomes by this share, else the raw score stays as it is
WORTHWHILE = 0.1
MIN_POSITIVES = 100


def sigmoid(raw: Floats) -> Floats:
    """1 / (1 + e^−x), element by element."""
    result: Floats = 1.0 / (1.0 + np.exp(-raw))
    return result


def logit(p: Floats) -> Floats:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    result: Floats = np.log(clipped / (1 - clipped))
    return result


@dataclass(frozen=True)
class Calibrator:
    """`none`, `sigmoid` (slope and intercept on the log-odds) or `isotonic` (steps, interpolated)."""

    kind: str = "none"
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def __call__(self, forecast: Floats) -> Floats:
        if self.kind == "sigmoid":
            return sigmoid(self.x[0] * logit(forecast) + self.x[1])
        if self.kind == "isotonic":
            return np.interp(forecast, self.x, self.y)
        return forecast

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "x": list(self.x), "y": list(self.y)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Calibrator:
        return cls(value["kind"], tuple(value["x"]), tuple(value["y"]))


def fit_sigmoid(outcome: npt.NDArray[Any], forecast: Floats) -> Calibrator:
    """Platt scaling on the log-odds."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(logit(forecast).reshape(-1, 1), outcome)
    return Calibrator("sigmoid", (float(model.coef_[0, 0]), float(model.intercept_[0])))


def fit_isotonic(outcome: npt.NDArray[Any], forecast: Floats) -> Calibrator:
    """Isotonic regression; its thresholds are kept, so that serving needs no scikit-learn."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(forecast, outcome)
    return Calibrator(
        "isotonic",
        tuple(float(value) for value in model.X_thresholds_),
        tuple(float(value) for value in model.y_thresholds_),
    )


def choose_calibrator(outcome: npt.NDArray[Any], forecast: Floats) -> tuple[Calibrator, str]:
    """Fit on the earlier half of out-of-time forecasts, judge on the later one; the raw score by default.

    Returns the calibrator refitted on all of them and a sentence for the record.
    """
    half = len(outcome) // 2
    early, late = slice(0, half), slice(half, None)
    if outcome[early].sum() < MIN_POSITIVES or outcome[late].sum() < MIN_POSITIVES:
        return Calibrator(), "Not recalibrated: too few outcomes to judge whether it would help."
    raw = expected_calibration_error(outcome[late], forecast[late])
    best, best_error = None, raw * (1 - WORTHWHILE)
    for fit in (fit_sigmoid, fit_isotonic):
        error = expected_calibration_error(
            outcome[late], fit(outcome[early], forecast[early])(forecast[late])
        )
        if error < best_error:
            best, best_error = fit, error
    if best is None:
        return Calibrator(), f"Not recalibrated: the raw score's error of {raw:.4f} could not be cut by 10 %."
    chosen = best(outcome, forecast)
    return chosen, f"Recalibrated ({chosen.kind}): error on later outcomes {raw:.4f} → {best_error:.4f}."


@dataclass(frozen=True)
class Intervals:
    """Reliability bins of out-of-time propensities, as factors around a forecast."""

    bins: tuple[Bin, ...]

    @classmethod
    def fit(cls, outcome: npt.NDArray[Any], propensity: Floats) -> Intervals:
        return cls(tuple(reliability(outcome, propensity)))

    def __call__(self, propensity: Floats) -> tuple[Floats, Floats]:
        """(low, high), each of the shape of `propensity`."""
        if not self.bins:
            return np.zeros_like(propensity), np.ones_like(propensity)
        uppers = np.array([part.upper for part in self.bins[:-1]])
        index = np.searchsorted(uppers, propensity, side="left")
        means = np.array([max(part.mean, 1e-9) for part in self.bins])
        low = propensity * (np.array([part.low for part in self.bins]) / means)[index]
        high = propensity * (np.array([part.high for part in self.bins]) / means)[index]
        return np.clip(np.minimum(low, propensity), 0, 1), np.clip(np.maximum(high, propensity), 0, 1)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(part) for part in self.bins]

    @classmethod
    def from_json(cls, value: Sequence[dict[str, Any]]) -> Intervals:
        return cls(tuple(Bin(**part) for part in value))
