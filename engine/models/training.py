"""Trains one propensity model in time order and measures it only on outcomes that came later.

Stable data: fit on the first 80 % of rows, measure on the tail, then refit on everything.
Drifting data (the outcome rate of the tail is far from the head's, as in the bank-marketing file): walk
forward, refit on the last `window_rows` before each step, measure on each step, serve the last window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.models.calibration import Calibrator, Intervals, choose_calibrator
from smart_reach.engine.models.encoding import ACTION_FEATURES, Encoder, Matrix, data_hash
from smart_reach.engine.models.leakage import refuse_leaks, suspicious
from smart_reach.engine.models.measure import Floats, measure
from smart_reach.engine.models.source import Definition

Rolling = Literal["auto", "always", "never"]
Outcome = npt.NDArray[np.int8]


@dataclass(frozen=True)
class TrainingOptions:
    """How to train. `monotone`: feature → −1 (falling) or 1 (rising)."""

    seed: int = 7
    rounds: int = 150
    tail_share: float = 0.2
    rolling: Rolling = "auto"
    window_rows: int = 6000
    step_rows: int = 500
    min_rows: int = 400
    min_positives: int = 100
    # one thread: these tables are small, and waiting threads spin when the machine is shared
    threads: int = 1
    monotone: dict[str, int] = field(default_factory=dict)
    leaves: int = 5
    learning_rate: float = 0.04


@dataclass(frozen=True)
class Trained:
    """A model in memory, ready to be saved. `text` is LightGBM's own format, empty for a base rate."""

    offer_id: str
    kind: str
    encoder: Encoder
    text: str
    calibrator: Calibrator
    intervals: Intervals
    base_rate: float
    data_hash: str
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    notes: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True)
class Table:
    """An encoded training frame. Shapes: matrix (n, columns), outcome (n,)."""

    encoder: Encoder
    matrix: Matrix
    outcome: Outcome
    data_hash: str
    until: datetime | None


def prepare(frame: pd.DataFrame, definitions: Sequence[Definition], *, pooled: bool = False) -> Table:
    """Check, order by time and encode. Raises InvalidInput for leaks and for outcomes other than 0/1."""
    refuse_leaks(definition.name for definition in definitions)
    values = set(pd.unique(frame["outcome"]).tolist())
    if not values <= {0, 1}:
        raise InvalidInput("outcome", sorted(values - {0, 1}, key=str)[0], "Outcomes must be 0 or 1.")
    frame = frame.sort_values("at", kind="stable")
    encoder = Encoder.fit(frame, definitions, pooled=pooled)
    matrix = encoder.encode(frame)
    until = frame["at"].iloc[-1].to_pydatetime() if len(frame) else None
    outcome = np.asarray(frame["outcome"], dtype=np.int8)
    return Table(encoder, matrix, outcome, data_hash(frame, encoder, matrix), until)


def parameters_of(options: TrainingOptions, encoder: Encoder) -> dict[str, Any]:
    """LightGBM's parameters; class weights are left alone because they ruin calibration."""
    unknown = set(options.monotone) - set(encoder.names)
    if unknown:
        raise InvalidInput("monotone", sorted(unknown)[0], "Name a feature of this model.")
    if any(encoder.columns[encoder.index(name)].categories is not None for name in options.monotone):
        raise InvalidInput("monotone", list(options.monotone), "Only numeric features can be monotone.")
    return {
        "objective": "binary",
        "num_leaves": options.leaves,
        "learning_rate": options.learning_rate,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.5,
        "lambda_l2": 5.0,
        "min_data_per_group": 50,
        "cat_smooth": 20.0,
        "monotone_constraints": [options.monotone.get(name, 0) for name in encoder.names],
        "seed": options.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": options.threads,
        "verbosity": -1,
    }


def fit(table: Table, rows: slice, parameters: dict[str, Any], rounds: int) -> Any:
    """A LightGBM booster on some rows of the table."""
    import lightgbm

    data = lightgbm.Dataset(
        table.matrix[rows],
        table.outcome[rows],
        categorical_feature=table.encoder.categorical,
        free_raw_data=True,
        params={"verbosity": -1},
    )
    return lightgbm.train(parameters, data, num_boost_round=rounds)


def drifts(outcome: Outcome, tail_share: float) -> bool:
    """Whether the outcome rate of the tail is over 1.5 × (or under 1/1.5 of) the head's, beyond chance."""
    cut = int(len(outcome) * (1 - tail_share))
    head, tail = outcome[:cut], outcome[cut:]
    pooled = outcome.mean()
    error = float(np.sqrt(pooled * (1 - pooled) * (1 / max(len(head), 1) + 1 / max(len(tail), 1))))
    ratio = (tail.mean() + 1e-9) / (head.mean() + 1e-9)
    return bool(abs(tail.mean() - head.mean()) > 5 * error and not 1 / 1.5 < ratio < 1.5)


def walk_forward(
    table: Table, parameters: dict[str, Any], options: TrainingOptions, start: int
) -> tuple[Outcome, Floats]:
    """Outcomes and forecasts from `start` on, each forecast by a model that saw only earlier rows."""
    forecasts: list[Floats] = []
    for begin in range(start, len(table.outcome), options.step_rows):
        window = slice(max(0, begin - options.window_rows), begin)
        booster = fit(table, window, parameters, options.rounds)
        forecasts.append(booster.predict(table.matrix[begin : begin + options.step_rows]))
    return table.outcome[start:], np.concatenate(forecasts)


def _first_step(rows: int, options: TrainingOptions) -> int:
    """Where the walk begins: one window in, moved so that a step falls on 70 % of the rows, as published."""
    cut, window = int(rows * 0.7), min(options.window_rows, rows // 2)
    return cut - (cut - window) // options.step_rows * options.step_rows


def train_one(offer_id: str, table: Table, options: TrainingOptions, kind: str = "offer") -> Trained:
    """Measure out of time, choose the calibration, refit for serving."""
    parameters = parameters_of(options, table.encoder)
    n = len(table.outcome)
    rolling = options.rolling == "always" or (
        options.rolling == "auto" and drifts(table.outcome, options.tail_share)
    )
    if rolling:
        outcome, forecast = walk_forward(table, parameters, options, _first_step(n, options))
        served = slice(max(0, n - options.window_rows), n)
        protocol = f"walk forward: last {options.window_rows} rows, refitted every {options.step_rows}"
    else:
        cut = int(n * (1 - options.tail_share))
        booster = fit(table, slice(0, cut), parameters, options.rounds)
        outcome, forecast = table.outcome[cut:], np.asarray(booster.predict(table.matrix[cut:]))
        served = slice(0, n)
        protocol = f"temporal tail: first {cut} rows against the last {n - cut}"
    calibrator, sentence = choose_calibrator(outcome, forecast)
    propensity = calibrator(forecast)
    # in drifting data only the newest forecasts say how far off today's may be
    recent = slice(max(0, len(outcome) - options.window_rows), None)
    final = fit(table, served, parameters, options.rounds)
    metrics = measure(outcome, propensity).as_json()
    metrics |= {"protocol": protocol, "raw": measure(outcome, forecast).as_json(), "rows_total": n}
    metrics["served_rows"] = served.stop - served.start
    # the last 30 % of the file is the stretch that published results on drifting data refer to
    late = slice(max(0, len(outcome) - (n - int(n * 0.7))), None)
    if rolling:
        metrics["last_30_percent"] = measure(outcome[late], propensity[late]).as_json()
    notes = [sentence, *suspicious(table.encoder, table.matrix, table.outcome)]
    if rolling and options.rolling == "auto":
        notes.append("The outcome rate drifts over time, so only the newest rows train the served model.")
    return Trained(
        offer_id=offer_id,
        kind=kind,
        encoder=table.encoder,
        text=final.model_to_string(),
        calibrator=calibrator,
        intervals=Intervals.fit(outcome[recent], propensity[recent]),
        base_rate=float(table.outcome[served].mean()),
        data_hash=table.data_hash,
        parameters=parameters | {"rounds": options.rounds, "rolling": rolling},
        metrics=metrics,
        notes=tuple(notes),
        until=table.until,
    )


def too_few(table: Table, options: TrainingOptions) -> bool:
    """Whether an offer's own outcomes cannot carry a model."""
    positives = int(table.outcome.sum())
    return (
        len(table.outcome) < options.min_rows
        or min(positives, len(table.outcome) - positives) < options.min_positives
    )


__all__ = ["ACTION_FEATURES", "Table", "Trained", "TrainingOptions", "prepare", "too_few", "train_one"]
