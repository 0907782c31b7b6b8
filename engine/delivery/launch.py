"""Launching an approved campaign: the hook that runs in the deciding transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import content_hash, stable_unit
from smart_reach.engine.catalog.tables import Campaign, Customer, Offer
from smart_reach.engine.catalog.words import require_channel, require_window
from smart_reach.engine.clock import Clock
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.learning.assignment import in_holdout
from smart_reach.engine.learning.tables import Experiment

MAX_HOLDOUT = 0.9


class ApprovedProposal(Protocol):
    """As much of a proposal as a launch needs."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def payload_hash(self) -> str: ...


class CampaignLauncher:
    """`ProposalService.on_approved["campaign"]`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, session: Session, proposal: ApprovedProposal) -> Mapping[str, Any]:
        return launch_campaign(session, proposal, at=self._clock.now())


def campaign_id_of(proposal_id: str) -> str:
    """`PRP-0007` → `CMP-0007`: one approval, one campaign."""
    return proposal_id.replace("PRP-", "CMP-", 1)


def message_id_of(campaign_id: str, customer_id: str) -> str:
    """Depends on nothing but campaign and customer: a second launch cannot make a second message."""
    return f"msg_{content_hash([campaign_id, customer_id])[:24]}"


def launch_campaign(session: Session, proposal: ApprovedProposal, *, at: datetime) -> Mapping[str, Any]:
    """Make campaign, experiment and outbox rows in the caller's transaction; returns the effect's facts."""
    payload = proposal.payload
    customers = _audience(session, payload)
    share = _share(payload)
    campaign = _campaign(session, proposal, at)
    rows = [_outbox_row(campaign, payload, share, customer, kept, at) for customer, kept in customers]
    if rows:
        session.execute(insert(OutboxRow), rows)
    held = sum(row["holdout"] for row in rows)
    experiment = _experiment(session, campaign, payload, len(rows) - held, at)
    what = f"{campaign.id} launched: {len(rows) - held} messages queued, {held} customers kept back"
    return {
        "what": what,
        "campaign_id": campaign.id,
        "experiment_id": experiment.id if experiment else None,
        "queued": len(rows) - held,
        "holdout": held,
    }


def _campaign(session: Session, proposal: ApprovedProposal, at: datetime) -> Campaign:
    payload = proposal.payload
    if session.get(Offer, str(payload.get("offer_id"))) is None:
        raise NotFound(f"There is no offer {payload.get('offer_id')}.")
    campaign = Campaign(
        id=campaign_id_of(proposal.id),
        name=proposal.title,
        offer_id=payload["offer_id"],
        channel=require_channel(str(payload.get("channel"))),
        window=require_window(str(payload.get("window"))).id,
        status="active",
        proposal_id=proposal.id,
        payload_hash=proposal.payload_hash,
        created_at=at,
    )
    session.add(campaign)
    session.flush()
    return campaign


def _audience(session: Session, payload: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """(customer, in the global holdout) in sorted order, each customer once."""
    ids = sorted(set(map(str, (payload.get("audience") or {}).get("customer_ids") or [])))
    if not ids:
        raise InvalidInput("audience.customer_ids", [], "Name at least one customer.")
    if not payload.get("variants"):
        raise InvalidInput("variants", [], "Give at least one variant.")
    kept = dict(
        session.execute(select(Customer.id, Customer.holdout).where(Customer.id.in_(ids))).tuples().all()
    )
    if missing := [customer for customer in ids if customer not in kept]:
        raise InvalidInput("audience.customer_ids", missing[:3], f"{len(missing)} customers are unknown.")
    return [(customer, kept[customer]) for customer in ids]


def _share(payload: Mapping[str, Any]) -> float:
    share = float(payload.get("holdout_share") or 0.0)
    if not 0.0 <= share <= MAX_HOLDOUT:
        raise InvalidInput("holdout_share", share, f"Use a share from 0 to {MAX_HOLDOUT}.")
    return share


def _outbox_row(
    campaign: Campaign, payload: Mapping[str, Any], share: float, customer: str, kept: bool, at: datetime
) -> dict[str, Any]:
    return {
        "message_id": message_id_of(campaign.id, customer),
        "campaign_id": campaign.id,
        "customer_id": customer,
        "channel": campaign.channel,
        "payload_hash": campaign.payload_hash,
        "holdout": kept or in_holdout(campaign.id, customer, share),
        "status": "queued",
        "not_before": at + _ramp(campaign.id, customer, payload),
        "created_at": at,
        "deferrals": 0,
    }


def _ramp(campaign_id: str, customer: str, payload: Mapping[str, Any]) -> timedelta:
    """Spread over `experiment.ramp_days` days by stable hash, the holdout just like everybody else."""
    days = int((payload.get("experiment") or {}).get("ramp_days") or 1)
    return timedelta(days=int(stable_unit("ramp", campaign_id, customer) * max(1, days)))


def _experiment(
    session: Session, campaign: Campaign, payload: Mapping[str, Any], planned: int, at: datetime
) -> Experiment | None:
    arms = [str(variant["id"]) for variant in payload["variants"]]
    if len(set(arms)) != len(arms):
        raise InvalidInput("variants", arms, "Give each variant an id of its own.")
    plan = payload.get("experiment") or {}
    if len(arms) < 2:
        return None
    experiment = Experiment(
        id=campaign.id.replace("CMP-", "EXP-", 1),
        campaign_id=campaign.id,
        proposal_id=campaign.proposal_id,
        name=campaign.name,
        metric=str(plan.get("metric") or "click"),
        arms=arms,
        control=arms[0],
        looks=int(plan.get("looks") or 5),
        alpha=float(plan.get("alpha") or 0.05),
        min_days=int(plan.get("min_days", 7)),
        planned=planned,
        status="running",
        started_at=at,
    )
    session.add(experiment)
    session.flush()
    return experiment
