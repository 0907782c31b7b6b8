"""What becomes of consent and holdings when two customers become one, or one becomes two again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, aliased

from smart_reach.engine.catalog.consent import newest_consents
from smart_reach.engine.catalog.holdings import HOLDING_COLUMNS, upsert_holdings
from smart_reach.engine.catalog.tables import Consent, Holding

MERGED = "identity: now part of"
APART = "identity: taken apart"


def carry_over(session: Session, pairs: Mapping[str, str], at: datetime, source: str) -> None:
    """Give each customer's consent and holdings to the one it becomes part of.

    Of two answers for one channel and purpose the newer holds. The absorbed customer keeps no consent of its
    own, so that nobody is written to twice.
    """
    if not pairs:
        return
    states = newest_consents(session, {*pairs, *pairs.values()})
    rows: list[Consent] = []
    for absorbed, into in sorted(pairs.items()):
        for (channel, purpose), theirs in sorted(states.get(absorbed, {}).items()):
            ours = states.get(into, {}).get((channel, purpose))
            if ours is None or ours.changed_at < theirs.changed_at:
                row = _row(into, channel, purpose, theirs.granted, theirs.changed_at, source)
                states.setdefault(into, {})[channel, purpose] = row
                rows.append(row)
            if theirs.granted:
                rows.append(_row(absorbed, channel, purpose, False, at, f"{MERGED} {into}"))
    session.add_all(rows)
    session.flush()
    held = session.scalars(select(Holding).where(Holding.customer_id.in_(list(pairs)))).all()
    upsert_holdings(
        session,
        [
            {c: getattr(row, c) for c in HOLDING_COLUMNS} | {"customer_id": pairs[row.customer_id]}
            for row in held
        ],
    )


def take_back(session: Session, absorbed: str, into: str, at: datetime, source: str) -> None:
    """Undo `carry_over`: each has the consent again that it had of its own, unless something newer came."""
    states = newest_consents(session, {absorbed, into})
    rows: list[Consent] = []
    for customer_id, ours in ((absorbed, f"{MERGED} {into}"), (into, source)):
        for (channel, purpose), newest in sorted(states.get(customer_id, {}).items()):
            if newest.source != ours:
                continue
            before = _own(session, newest, ours)
            granted, since = (before.granted, before.changed_at) if before else (False, at)
            rows.append(_row(customer_id, channel, purpose, granted, since, APART))
    session.add_all(rows)
    theirs = aliased(Holding)
    copied = select(theirs.product).where(
        theirs.customer_id == absorbed,
        theirs.product == Holding.product,
        theirs.record_id == Holding.record_id,
    )
    session.execute(
        delete(Holding)
        .where(Holding.customer_id == into, copied.exists())
        .execution_options(synchronize_session=False)
    )
    session.flush()


def _own(session: Session, newest: Consent, source: str) -> Consent | None:
    """The newest row of the same customer, channel and purpose that the merge did not write."""
    query = select(Consent).where(
        Consent.customer_id == newest.customer_id,
        Consent.channel == newest.channel,
        Consent.purpose == newest.purpose,
        Consent.source != source,
    )
    return session.scalars(query.order_by(Consent.id.desc()).limit(1)).first()


def _row(
    customer_id: str, channel: str, purpose: str, granted: bool, changed_at: datetime, source: str
) -> Consent:
    return Consent(
        customer_id=customer_id,
        channel=channel,
        purpose=purpose,
        granted=granted,
        changed_at=changed_at,
        source=source,
    )
