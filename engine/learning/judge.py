"""What a look concludes from counts alone: no database, no clock, so that it can be simulated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr
from scipy.stats import chisquare

from smart_reach.engine.learning.bounds import sequence_margin

SRM_LIMIT = 0.001
GUARDRAIL_LIMIT = 0.05
GUARDRAIL_EVENTS = 5


@dataclass(frozen=True)
class ArmOutcome:
    """Counts of one arm. `responses` are counted among the `matured` exposures only."""

    arm: str
    exposures: int
    matured: int
    responses: int
    opt_outs: int = 0
    complaints: int = 0

    @property
    def rate(self) -> float:
        return self.responses / self.matured if self.matured else 0.0


@dataclass(frozen=True)
class Contest:
    """The best arm against its strongest rival; `z` is the smallest of its pairwise z values."""

    best: str
    rival: str
    z: float


def z_value(one: ArmOutcome, other: ArmOutcome) -> float:
    """Pooled two-proportion z of `one` over `other`; 0 when nothing can be said."""
    return _z(one.responses, one.matured, other.responses, other.matured)


def _z(hits: int, count: int, other_hits: int, other_count: int) -> float:
    if count == 0 or other_count == 0:
        return 0.0
    pooled = (hits + other_hits) / (count + other_count)
    variance = pooled * (1.0 - pooled) * (1.0 / count + 1.0 / other_count)
    return (hits / count - other_hits / other_count) / math.sqrt(variance) if variance > 0.0 else 0.0


def contest(arms: Sequence[ArmOutcome]) -> Contest:
    """To win, an arm must beat every other: a wrong arm then wins with probability α/k at most."""
    best = max(arms, key=lambda arm: (arm.rate, -arms.index(arm)))
    rivals = [arm for arm in arms if arm is not best]
    rival = min(rivals, key=lambda arm: z_value(best, arm))
    return Contest(best.arm, rival.arm, z_value(best, rival))


def sample_ratio_p(arms: Sequence[ArmOutcome]) -> float:
    """p of a chi-square test that exposures are split evenly, as they were meant to be."""
    counts = [arm.exposures for arm in arms]
    return float(chisquare(counts).pvalue) if sum(counts) else 1.0


def broken_guardrail(arms: Sequence[ArmOutcome], best: str) -> str | None:
    """Why the best arm must not be promoted although it wins: more opt-outs or complaints than others."""
    winner = next(arm for arm in arms if arm.arm == best)
    others = [arm for arm in arms if arm.arm != best]
    for name, word in (("opt_outs", "opt-outs"), ("complaints", "complaints")):
        hits, rest = getattr(winner, name), sum(getattr(arm, name) for arm in others)
        z = _z(hits, winner.exposures, rest, sum(arm.exposures for arm in others))
        if hits >= GUARDRAIL_EVENTS and 1.0 - float(ndtr(z)) < GUARDRAIL_LIMIT:
            return f"It has more {word} than the others ({hits} in {winner.exposures}, z = {z:.2f})."
    return None


def harm(winner: ArmOutcome, control: ArmOutcome, alpha: float = 0.05) -> bool:
    """Whether the winner is worse than the control, safely at any time (one-sided confidence sequence)."""
    count = min(winner.matured, control.matured)
    if count == 0:
        return False
    spread = math.sqrt(sum(arm.rate * (1.0 - arm.rate) for arm in (winner, control)))
    return winner.rate - control.rate + sequence_margin(count, spread, alpha) < 0.0


def wilson(hits: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate; (0, 1) without observations."""
    if count == 0:
        return 0.0, 1.0
    rate, z2 = hits / count, z * z
    middle = (rate + z2 / (2 * count)) / (1 + z2 / count)
    half = z * math.sqrt(rate * (1 - rate) / count + z2 / (4 * count * count)) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)
