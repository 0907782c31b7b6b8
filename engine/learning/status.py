"""Experiments as the pages show them."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.learning.bounds import obf_bounds
from smart_reach.engine.learning.experiments import find, looks_of
from smart_reach.engine.learning.judge import ArmOutcome, harm
from smart_reach.engine.learning.looking import next_due
from smart_reach.engine.learning.promotion import ESTIMATE_NOTE, arm_json
from smart_reach.engine.learning.tables import Experiment, ExperimentLook


def experiment_status(
    session: Session, experiment_id: str, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    """One experiment with its looks, its planned bounds and what can be done."""
    experiment = find(session, experiment_id)
    looks = looks_of(session, experiment_id)
    last = looks[-1] if looks else None
    return {
        "id": experiment.id,
        "name": experiment.name,
        "campaign_id": experiment.campaign_id,
        "proposal_id": experiment.proposal_id,
        "promotion_id": experiment.promotion_id,
        "status": experiment.status,
        "metric": experiment.metric,
        "alpha": experiment.alpha,
        "min_days": experiment.min_days,
        "started_at": experiment.started_at.isoformat(),
        "control": experiment.control,
        "winner": experiment.winner,
        "arms": _arms(last, labels or {}) if last else [],
        "looks": [_look(look) for look in looks],
        "plan": _plan(experiment),
        "next_look_at": next_due(last.information if last else 0.0, experiment.looks),
        "can_roll_back": experiment.status == "promoted",
        "roll_back_advised": _harmed(experiment, last),
    }


def experiment_list(session: Session) -> list[dict[str, Any]]:
    """Every experiment, newest first."""
    ids = session.scalars(select(Experiment.id).order_by(Experiment.started_at.desc(), Experiment.id.desc()))
    return [experiment_status(session, experiment_id) for experiment_id in ids.all()]


def experiment_results(
    session: Session, proposal_id: str, labels: dict[str, str] | None = None
) -> dict[str, Any] | None:
    """`results` of a campaign's Proposal in the API: its last look; None before the first."""
    experiment = session.scalar(select(Experiment).where(Experiment.proposal_id == proposal_id))
    looks = looks_of(session, experiment.id) if experiment else []
    if experiment is None or not looks:
        return None
    last = looks[-1]
    return {
        "arms": _arms(last, labels or {}),
        "z": last.z,
        "bound": last.bound,
        "look": last.number,
        "status": experiment.status,
        "reason": last.reason,
        "estimate_note": ESTIMATE_NOTE,
    }


def _arms(look: ExperimentLook, labels: dict[str, str]) -> list[dict[str, Any]]:
    return [arm_json(arm, labels.get(arm.arm, arm.arm)) for arm in _outcomes(look)]


def _outcomes(look: ExperimentLook) -> list[ArmOutcome]:
    return [ArmOutcome(**arm) for arm in look.arms]


def _look(look: ExperimentLook) -> dict[str, Any]:
    names = ("number", "information", "best", "z", "bound", "srm_p", "verdict", "reason")
    return {"at": look.at.isoformat(), **{name: getattr(look, name) for name in names}}


def _plan(experiment: Experiment) -> list[dict[str, float | None]]:
    fractions = [(number + 1) / experiment.looks for number in range(experiment.looks)]
    bounds = obf_bounds(fractions, experiment.alpha / len(experiment.arms))
    return [
        {"information": fraction, "bound": bound if bound < math.inf else None}
        for fraction, bound in zip(fractions, bounds, strict=True)
    ]


def _harmed(experiment: Experiment, look: ExperimentLook | None) -> bool:
    if look is None or experiment.status != "promoted" or experiment.previous_control is None:
        return False
    arms = {arm.arm: arm for arm in _outcomes(look)}
    winner, control = arms.get(experiment.control), arms.get(experiment.previous_control)
    return winner is not None and control is not None and harm(winner, control)
