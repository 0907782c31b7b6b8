"""What stays of a decision when its person is erased: its number, its time, its hash, and the day.

The record is the personal part. It stands apart from the ledger, which holds its hash only, so it is
erased in place and the chain does not notice.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.decisioning.tables import DecisionRow, SegmentDecisionRow

NOBODY = "erased"


def erase_decisions(session: Session, customer_ids: Collection[str], at: datetime) -> int:
    """Empty the records of these people's decisions; returns how many."""
    rows = session.scalars(
        update(DecisionRow)
        .where(DecisionRow.customer_id.in_(list(customer_ids)))
        .values(
            customer_id=NOBODY,
            record=canonical_json({"erased_on": at.date().isoformat(), "schema": 1}),
            offer_id=None,
            channel=None,
            window=None,
        )
        .returning(DecisionRow.id)
    )
    return len(rows.all())


def erase_from_audiences(session: Session, customer_ids: Collection[str]) -> int:
    """Take these people out of stored audiences; returns how many segment decisions held one of them.

    The record keeps the audience's size and hash of the time; the list is shorter from now on.
    """
    ids, changed = set(customer_ids), 0
    for customer_id in sorted(ids):
        holds = SegmentDecisionRow.audience.contains([customer_id])
        for row in session.scalars(select(SegmentDecisionRow).where(holds).with_for_update()):
            row.audience = [one for one in row.audience if one not in ids]
            changed += 1
        session.flush()
    return changed


def erased_on(row: DecisionRow) -> str | None:
    """The day (ISO) on which a decision's person was erased, if they were."""
    if row.customer_id != NOBODY:
        return None
    try:
        day: str | None = json.loads(row.record).get("erased_on")
    except (ValueError, AttributeError):
        return None
    return day


def erased_text(decision_id: str, day: str) -> str:
    return f"The record of {decision_id} was erased on {day}, with everything about its customer."
