"""How a campaign's delivery stands, for the proposal page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Campaign
from smart_reach.engine.delivery.tables import OutboxRow

# campaign id → {"delivered", "opened", "clicked", "converted"}: counted in the lake
EngagementReader = Callable[[str], Mapping[str, int]]


def delivery_stats(
    session: Session, proposal_id: str, engagement: EngagementReader | None = None
) -> dict[str, int] | None:
    """`delivery` of the API's Proposal; None before a launch."""
    campaign = session.scalar(select(Campaign).where(Campaign.proposal_id == proposal_id))
    if campaign is None:
        return None
    counts = outbox_counts(session, campaign.id)
    seen = engagement(campaign.id) if engagement is not None else {}
    return {
        "queued": remaining_messages(session, campaign.id),
        "sent": counts.get("sent", 0),
        "delivered": int(seen.get("delivered", 0)),
        "held": counts.get("held", 0),
        "opened": int(seen.get("opened", 0)),
        "clicked": int(seen.get("clicked", 0)),
        "converted": int(seen.get("converted", 0)),
        "holdout": _holdout(session, campaign.id),
    }


def _holdout(session: Session, campaign_id: str) -> int:
    """Customers kept back, whether their turn has come or not."""
    query = select(func.count()).where(OutboxRow.campaign_id == campaign_id, OutboxRow.holdout)
    return session.scalar(query) or 0


def outbox_counts(session: Session, campaign_id: str) -> dict[str, int]:
    """Rows of a campaign by status."""
    rows = session.execute(
        select(OutboxRow.status, func.count())
        .where(OutboxRow.campaign_id == campaign_id)
        .group_by(OutboxRow.status)
    )
    return dict(rows.tuples().all())


def remaining_messages(session: Session, campaign_id: str) -> int:
    """Messages still to go out, the holdout left aside; learning's `remaining`."""
    query = select(func.count()).select_from(OutboxRow)
    found = session.scalar(
        query.where(
            OutboxRow.campaign_id == campaign_id,
            OutboxRow.status.in_(("queued", "sending")),
            OutboxRow.holdout.is_(False),
        )
    )
    return found or 0


def held_reasons(session: Session, campaign_id: str) -> list[tuple[str, int]]:
    """Why messages are held or wait, most frequent first."""
    count = func.count()
    rows = session.execute(
        select(OutboxRow.reason, count)
        .where(OutboxRow.campaign_id == campaign_id, OutboxRow.reason.is_not(None))
        .group_by(OutboxRow.reason)
        .order_by(count.desc(), OutboxRow.reason)
    )
    return [(str(reason), number) for reason, number in rows]


def stop_campaign(session: Session, campaign_id: str) -> None:
    """No further message of this campaign leaves; what is queued will be held."""
    session.get_one(Campaign, campaign_id).status = "stopped"
