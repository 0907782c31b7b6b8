"""One look: whether it is due, and what it concludes. Pure; the service stores and acts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smart_reach.engine.learning.bounds import obf_bounds
from smart_reach.engine.learning.judge import (
    SRM_LIMIT,
    ArmOutcome,
    broken_guardrail,
    contest,
    sample_ratio_p,
)
from smart_reach.engine.learning.tables import Experiment, ExperimentLook


@dataclass(frozen=True)
class Finding:
    """`number` is None when the look was not due and nothing was compared."""

    verdict: str
    reason: str
    information: float
    number: int | None = None
    arms: tuple[ArmOutcome, ...] = ()
    best: str | None = None
    rival: str | None = None
    z: float | None = None
    bound: float | None = None
    srm_p: float | None = None


def information_of(arms: Sequence[ArmOutcome], remaining: int) -> float:
    """Share of the information in: matured exposures of all that have been or still will be sent."""
    final = sum(arm.exposures for arm in arms) + remaining
    return sum(arm.matured for arm in arms) / final if final else 0.0


def examine(
    experiment: Experiment,
    taken: Sequence[ExperimentLook],
    arms: Sequence[ArmOutcome],
    remaining: int,
    now: datetime,
) -> Finding:
    """too_early | not_due | srm | guardrail | continue | promote | concluded."""
    information = information_of(arms, remaining)
    earliest = experiment.started_at + timedelta(days=experiment.min_days)
    if now < earliest:
        reason = f"It runs at least {experiment.min_days} days, until {earliest:%Y-%m-%d %H:%M} UTC."
        return Finding("too_early", reason, information)
    before = taken[-1].information if taken else 0.0
    due = next_due(before, experiment.looks)
    if information < due - 1e-9 or information <= before:
        reason = f"The next look is due at {due:.0%} of the information; {information:.0%} is in."
        return Finding("not_due", reason, information)
    return _compare(experiment, taken, arms, min(1.0, information))


def next_due(before: float, looks: int) -> float:
    """The next planned share after the last look's: a jump over several counts as one look."""
    return min(1.0, (math.floor(before * looks + 1e-9) + 1) / looks)


def _compare(
    experiment: Experiment, taken: Sequence[ExperimentLook], arms: Sequence[ArmOutcome], information: float
) -> Finding:
    fractions = [*(look.information for look in taken), information]
    bound = obf_bounds(fractions, experiment.alpha / len(arms))[-1]  # α is split over the variants
    seen = contest(arms)
    p = sample_ratio_p(arms)
    last = information >= 1.0 - 1e-9
    verdict, reason = "continue", f"z = {seen.z:.2f} has not reached {bound:.2f}."
    if p < SRM_LIMIT:
        verdict = "srm"
        reason = f"The split is not what was planned (p = {p:.1g}); the comparison cannot be trusted."
    elif seen.z >= bound:
        broken = broken_guardrail(arms, seen.best)
        verdict = "guardrail" if broken else "promote"
        reason = broken or f"z = {seen.z:.2f} has reached the bound {bound:.2f}."
    elif last:
        verdict, reason = "concluded", f"All answers are in and no variant won (z = {seen.z:.2f})."
    return Finding(
        verdict=verdict,
        reason=reason,
        information=information,
        number=len(taken) + 1,
        arms=tuple(arms),
        best=seen.best,
        rival=seen.rival,
        z=seen.z,
        bound=bound if bound < math.inf else None,
        srm_p=p,
    )
