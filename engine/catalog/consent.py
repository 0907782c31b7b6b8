"""Consent per customer, channel and purpose: append-only, newest row wins."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.arrays import among, pages
from smart_reach.engine.catalog.tables import Consent


def current_consent(
    session: Session, customer_ids: Iterable[str], channel: str, purpose: str = "marketing"
) -> dict[str, Consent]:
    """The row that holds now for each customer; a customer without a row has not consented."""
    rows = session.scalars(
        select(Consent)
        .where(
            Consent.customer_id.in_(list(customer_ids)),
            Consent.channel == channel,
            Consent.purpose == purpose,
        )
        .order_by(Consent.customer_id, Consent.id.desc())
        .distinct(Consent.customer_id)
    )
    return {row.customer_id: row for row in rows}


def recent_withdrawals(session: Session, customer_ids: Iterable[str], *, since: datetime) -> set[str]:
    """Customers who withdrew a consent, on whatever channel, after `since`."""
    return set(
        session.scalars(
            select(Consent.customer_id).where(
                Consent.customer_id.in_(list(customer_ids)),
                Consent.granted.is_(False),
                Consent.changed_at > since,
            )
        )
    )


def record_consent(
    session: Session,
    customer_id: str,
    channel: str,
    *,
    granted: bool,
    at: datetime,
    source: str,
    purpose: str = "marketing",
) -> Consent:
    """Append a change of mind; returns the row whose id is the receipt."""
    row = Consent(
        customer_id=customer_id,
        channel=channel,
        purpose=purpose,
        granted=granted,
        changed_at=at,
        source=source,
    )
    session.add(row)
    session.flush()
    return row


def newest_consents(
    session: Session, customer_ids: Collection[str]
) -> dict[str, dict[tuple[str, str], Consent]]:
    """The row that holds now, by customer and by (channel, purpose)."""
    found: dict[str, dict[tuple[str, str], Consent]] = {}
    for page in pages(customer_ids):
        query = (
            select(Consent)
            .where(among(Consent.customer_id, page))
            .order_by(Consent.customer_id, Consent.channel, Consent.purpose, Consent.id.desc())
            .distinct(Consent.customer_id, Consent.channel, Consent.purpose)
        )
        for row in session.scalars(query):
            found.setdefault(row.customer_id, {})[row.channel, row.purpose] = row
    return found
