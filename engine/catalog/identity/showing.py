"""A conflict as people see it: both customers side by side, and of their keys only the kinds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.identity import people
from smart_reach.engine.catalog.tables import Customer, Holding, IdentityConflict, IdentityKey


def shown(session: Session, conflict: IdentityConflict) -> dict[str, Any]:
    """The conflict with both customers side by side; of keys only their kinds."""
    ids = (conflict.first_id, conflict.second_id)
    return {
        "id": conflict.id,
        "status": conflict.status,
        "found_at": conflict.found_at.isoformat(),
        "evidence": conflict.evidence,
        "customers": [_side(session, one) for one in ids],
        "kept_id": conflict.kept_id,
        "decided_by": conflict.decided_by,
        "decided_at": conflict.decided_at and conflict.decided_at.isoformat(),
        "reason": conflict.reason,
    }


def _side(session: Session, customer_id: str) -> dict[str, Any]:
    customer = session.get(Customer, customer_id)
    whose = or_(IdentityKey.customer_id == customer_id, IdentityKey.home_id == customer_id)
    products = select(Holding.product).where(Holding.customer_id == customer_id, Holding.status == "opened")
    return {
        "id": customer_id,
        "now": people.canonical(session, [customer_id])[customer_id],
        "described": not people.undescribed(session, [customer_id]),
        "zone": customer.zone if customer else None,
        "attributes": customer.attributes if customer else {},
        "key_kinds": sorted(session.scalars(select(IdentityKey.kind).where(whose))),
        "holdings": sorted(session.scalars(products)),
    }
