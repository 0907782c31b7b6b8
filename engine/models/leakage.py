"""Refuses features that are known only after the outcome, and reports those too good to be true."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.models.encoding import Encoder, Matrix
from smart_reach.engine.models.measure import auc

# name (letters and digits only) -> why it cannot be known when the decision is taken
KNOWN_AFTER: dict[str, str] = {
    "duration": "the length of a call is known only when the call is over, and decides the outcome by itself "
    "(no call of 0 seconds ever ended in a yes)",
    "callduration": "the length of a call is known only when the call is over",
    "durationseconds": "the length of a call is known only when the call is over",
    "lastcontactduration": "the length of the contact is known only when it is over",
    "y": "it is the outcome itself",
    "outcome": "it is the outcome itself",
    "converted": "it is the outcome itself",
    "convertedat": "it exists only for customers who converted",
    "revenueminor": "revenue exists only after the conversion",
    "opened": "opening happens after the message is sent",
    "clicked": "clicking happens after the message is sent",
    "unsubscribed": "it happens after the message is sent",
    "complained": "it happens after the message is sent",
}
SUSPICIOUS_AUC = 0.95


def refuse_leaks(names: Iterable[str]) -> None:
    """Raises InvalidInput for the first feature that is known only after the outcome."""
    for name in names:
        reason = KNOWN_AFTER.get(re.sub(r"[^a-z0-9]", "", name.lower()))
        if reason is not None:
            raise InvalidInput(
                "feature",
                name,
                f"It leaks the outcome: {reason}. Remove it from the features and train again.",
            )


def suspicious(encoder: Encoder, matrix: Matrix, outcome: npt.NDArray[np.int8]) -> list[str]:
    """One plain sentence for each feature that alone separates the outcomes with AUC ≥ 0.95."""
    found = []
    for index, column in enumerate(encoder.columns):
        strength = _alone(matrix[:, index], outcome, column.categories)
        if strength >= SUSPICIOUS_AUC:
            found.append(
                f"{column.name} alone reaches AUC {strength:.3f}: check that it is known before the outcome."
            )
    return found


def _alone(values: Matrix, outcome: npt.NDArray[np.int8], categories: Sequence[str] | None) -> float:
    """AUC of one column; categories are ranked on even rows and judged on odd ones."""
    if categories is None:
        known = ~np.isnan(values)
        if known.sum() < 50:
            return 0.5
        strength = auc(outcome[known], values[known])
        return max(strength, 1 - strength)
    codes = np.where(np.isnan(values), len(categories), values).astype(np.int64)
    even, odd = slice(0, None, 2), slice(1, None, 2)
    size = len(categories) + 1
    seen = np.bincount(codes[even], minlength=size)
    positive = np.bincount(codes[even], weights=outcome[even], minlength=size)
    rate = (positive + outcome.mean()) / (seen + 1.0)
    return auc(outcome[odd], rate[codes[odd]])
