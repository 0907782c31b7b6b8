"""Promotion: what is proposed, and what its approval does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import Conflict, Integrity, NotFound
from smart_reach.engine.learning.judge import ArmOutcome, wilson
from smart_reach.engine.learning.looking import Finding
from smart_reach.engine.learning.ports import ApprovalReader, Approved, Remaining
from smart_reach.engine.learning.tables import Experiment

ESTIMATE_NOTE = (
    "The difference seen at the moment a test stops overstates the effect, by a factor of about 1.3 in "
    "simulation. Take the uplift from the holdout, not from here."
)


class PromotionProposal(Protocol):
    """As much of a proposal as a promotion needs."""

    @property
    def id(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...


def arm_json(arm: ArmOutcome, label: str) -> dict[str, Any]:
    """An arm as the API's Proposal.results shows it."""
    return {
        "id": arm.arm,
        "label": label,
        "sent": arm.exposures,
        "matured": arm.matured,
        "clicks": arm.responses,
        "rate": arm.rate,
        "interval": list(wilson(arm.responses, arm.matured)),
        "opt_outs": arm.opt_outs,
        "complaints": arm.complaints,
    }


def labels_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Variant id → its label."""
    return {str(v["id"]): str(v.get("label") or v["id"]) for v in payload.get("variants", [])}


def promotion_payload(
    experiment: Experiment, finding: Finding, content: Approved, remaining: int
) -> dict[str, Any]:
    """The payload of a promotion proposal; the winner's copy is the one approved with the campaign."""
    campaign = content.payload
    labels = labels_of(campaign)
    winner = labels.get(str(finding.best), str(finding.best))
    return {
        "title": f"Promote variant {winner} of “{experiment.name}”",
        "experiment_id": experiment.id,
        "campaign_id": experiment.campaign_id,
        "campaign_payload_hash": content.payload_hash,
        "offer_id": campaign.get("offer_id"),
        "channel": campaign.get("channel"),
        "window": campaign.get("window"),
        "segment": campaign.get("segment"),
        "audience": {"count": remaining, "label": "messages still to go out"},
        "winner": finding.best,
        "control": experiment.control,
        "variants": [v for v in campaign.get("variants", []) if str(v.get("id")) == finding.best],
        "results": {
            "arms": [arm_json(arm, labels.get(arm.arm, arm.arm)) for arm in finding.arms],
            "z": finding.z,
            "bound": finding.bound,
            "look": finding.number,
            "estimate_note": ESTIMATE_NOTE,
        },
        "checks": _checks(experiment, finding),
        "reason": f"Variant {winner} is ahead at look {finding.number} of {experiment.looks}: "
        f"{finding.reason} {remaining:,} messages are still to go out.",
        "risk": "low",
        "funnel": [],
    }


def _checks(experiment: Experiment, finding: Finding) -> list[dict[str, str]]:
    facts = [
        ("bound", "Sequential bound", f"z {finding.z:.2f} ≥ {finding.bound:.2f} at α = {experiment.alpha:g}"),
        ("srm", "Sample ratio", f"p = {finding.srm_p:.3f}, refused below .001"),
        ("guardrails", "Opt-outs and complaints", "not worse than the other variants"),
        ("duration", "Duration", f"at least {experiment.min_days} days"),
    ]
    return [
        {"id": name, "label": label, "status": "pass", "detail": detail, "source": "experiment policy"}
        for name, label, detail in facts
    ]


class PromotionHooks:
    """`ProposalService.on_approved["promotion"]` and `.on_rejected["promotion"]`."""

    def __init__(self, clock: Clock, approved: ApprovalReader, remaining: Remaining) -> None:
        self._clock = clock
        self._approved = approved
        self._remaining = remaining

    def approve(self, session: Session, proposal: PromotionProposal) -> Mapping[str, Any]:
        """The winner becomes the control and what remaining messages carry."""
        experiment = self._locked(session, proposal)
        content = self._approved(session, experiment.proposal_id)
        if content is None or content.payload_hash != proposal.payload["campaign_payload_hash"]:
            raise Integrity("The campaign's payload is not the one this promotion was made for.")
        winner = str(proposal.payload["winner"])
        if winner not in experiment.arms:
            raise Integrity(f"{winner} is not an arm of {experiment.id}.")
        experiment.status, experiment.winner = "promoted", winner
        experiment.previous_control, experiment.control = experiment.control, winner
        experiment.decided_at = self._clock.now()
        session.flush()
        remaining = self._remaining(session, experiment.campaign_id)
        label = labels_of(content.payload).get(winner, winner)
        what = f"variant {label} is the new control; {remaining} remaining messages carry it"
        return {"what": what, "experiment_id": experiment.id, "winner": winner, "remaining": remaining}

    def reject(self, session: Session, proposal: PromotionProposal) -> Mapping[str, Any]:
        """The test goes on with its fixed split."""
        experiment = self._locked(session, proposal)
        experiment.status, experiment.winner, experiment.promotion_id = "running", None, None
        session.flush()
        return {"what": "the test goes on", "experiment_id": experiment.id}

    def _locked(self, session: Session, proposal: PromotionProposal) -> Experiment:
        key = str(proposal.payload.get("experiment_id"))
        experiment = session.get(Experiment, key, with_for_update=True, populate_existing=True)
        if experiment is None:
            raise NotFound(f"There is no experiment {key}.")
        if experiment.status != "proposed" or experiment.promotion_id != proposal.id:
            raise Conflict(f"{experiment.id} is {experiment.status}; this promotion no longer applies.")
        return experiment
