"""Assignment by stable hash: the same customer gets the same arm in every process, without state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import stable_unit
from smart_reach.engine.learning.tables import Assignment, Experiment

HOLDOUT = "holdout"


def assign(experiment_id: str, unit: str, arms: Sequence[str]) -> str:
    """One of the arms with equal shares. Independent between experiments, for the id is part of the hash."""
    return arms[int(stable_unit("arm", experiment_id, unit) * len(arms))]


def in_holdout(campaign_id: str, unit: str, share: float) -> bool:
    """Whether a customer is kept back from a campaign; independent of the arm."""
    return stable_unit("holdout", campaign_id, unit) < share


def arm_for(experiment: Experiment, unit: str) -> tuple[str, bool]:
    """The variant a customer gets now, and whether chance chose it (then it counts in the test)."""
    if experiment.status == "promoted" and experiment.winner is not None:
        return experiment.winner, False
    if experiment.status == "rolled_back":
        return experiment.control, False
    return assign(experiment.id, unit, experiment.arms), True


def record_assignment(
    session: Session,
    experiment_id: str,
    unit: str,
    arm: str,
    *,
    message_id: str,
    randomised: bool,
    at: datetime,
) -> None:
    """Write the assignment down once; a repeat leaves the first."""
    session.execute(
        insert(Assignment)
        .values(
            experiment_id=experiment_id,
            unit=unit,
            arm=arm,
            message_id=message_id,
            randomised=randomised,
            at=at,
        )
        .on_conflict_do_nothing()
    )
