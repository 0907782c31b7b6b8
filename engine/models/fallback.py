"""Offers with too few outcomes of their own: a model pooled over all offers, else a shrunk base rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smart_reach.engine.models.calibration import Calibrator, Intervals
from smart_reach.engine.models.measure import Bin, measure
from smart_reach.engine.models.training import Table, Trained, TrainingOptions

# strength of the pooled rate in rows when an offer's own rate is shrunk towards it
PRIOR_ROWS = 200.0


def shrunk_rate(rows: int, positives: float, pooled: float) -> float:
    """Posterior mean of Beta(pooled·200, (1 − pooled)·200) after the offer's own outcomes."""
    return (positives + pooled * PRIOR_ROWS) / (rows + PRIOR_ROWS)


def from_pool(offer_id: str, table: Table, pooled: Trained) -> Trained:
    """The pooled model, which knows the offer as a feature, served for one offer; its note says so."""
    rows, own = len(table.outcome), int(table.outcome.sum())
    note = (
        f"Only {own} of {rows} contacts with this offer converted, too few for a model of its own: a model "
        "over all offers, which knows the offer as a feature, serves instead."
    )
    return replace(pooled, offer_id=offer_id, kind="pooled", notes=(note, *pooled.notes))


def _interval(rows: int, positives: int, rate: float) -> Bin:
    """One bin whose interval is that of the shrunk rate: Beta with the rows' and the prior's strength."""
    from scipy.stats import beta

    strength = rows + PRIOR_ROWS
    low, high = beta.ppf([0.025, 0.975], rate * strength + 0.5, (1 - rate) * strength + 0.5)
    return Bin(1.0, rows, positives, rate, rate, float(low), float(high))


def base_rate(offer_id: str, table: Table, pooled_rate: float, options: TrainingOptions) -> Trained:
    """The same propensity for every customer, with the Jeffreys-like interval of its own counts."""
    rows, positives = len(table.outcome), int(table.outcome.sum())
    rate = shrunk_rate(rows, positives, pooled_rate)
    forecast = np.full(rows, rate)
    note = (
        f"Only {positives} of {rows} contacts with this offer converted, too few for a model: every customer "
        f"gets the base rate of {rate:.2%}."
    )
    return Trained(
        offer_id=offer_id,
        kind="base-rate",
        encoder=table.encoder,
        text="",
        calibrator=Calibrator(),
        intervals=Intervals((_interval(rows, positives, rate),)),
        base_rate=rate,
        data_hash=table.data_hash,
        parameters={"prior_rows": PRIOR_ROWS, "seed": options.seed},
        metrics=measure(table.outcome, forecast).as_json() | {"protocol": "base rate", "rows_total": rows},
        notes=(note,),
        until=table.until,
    )
