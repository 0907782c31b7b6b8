"""Reading proposals, writing down those past their deadline, and what an approval was bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.governance.deciding import why_not
from smart_reach.engine.governance.proposal import Proposal, from_row
from smart_reach.engine.governance.roles import ActorLike
from smart_reach.engine.governance.rows import authors_of, find_row
from smart_reach.engine.governance.tables import ProposalRow
from smart_reach.engine.ports import LedgerWriter
from smart_reach.engine.state.base import transaction


class ProposalReader:
    """The reading half of the proposal service."""

    def __init__(self, db: Engine, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def get(self, proposal_id: str) -> Proposal:
        """One proposal; `NotFound` otherwise."""
        with Session(self._db) as session:
            return self._value(session, find_row(session, proposal_id))

    def list(self, status: str = "all", *, thread_id: str | None = None) -> Sequence[Proposal]:
        """Newest first. `status`: pending, decided (whatever is not pending) or all."""
        if status not in ("pending", "decided", "all"):
            raise InvalidInput("status", status, "Use pending, decided or all.")
        query = select(ProposalRow).order_by(ProposalRow.created_at.desc(), ProposalRow.id.desc())
        if thread_id is not None:
            query = query.where(ProposalRow.thread_id == thread_id)
        if status == "pending":
            query = query.where(ProposalRow.status == "pending")
        now = self._clock.now()
        with Session(self._db) as session:
            rows = session.scalars(query).all()
            authors = authors_of(session, [row.id for row in rows])
            found = [from_row(row, authors[row.id], now) for row in rows]
        # A row may still say pending although its deadline has passed.
        return [p for p in found if status == "all" or (p.status == "pending") == (status == "pending")]

    def why_not(self, proposal: Proposal, viewer: ActorLike | None) -> str | None:
        """Why this viewer cannot approve it, in one sentence; None when they can."""
        return why_not(proposal, viewer)

    def _value(self, session: Session, row: ProposalRow) -> Proposal:
        return from_row(row, authors_of(session, [row.id])[row.id], self._clock.now())


def expire_overdue(db: Engine, clock: Clock, ledger: LedgerWriter) -> Sequence[str]:
    """Write down as expired whatever has passed its deadline unanswered; returns the ids."""
    with transaction(db) as session:
        rows = session.scalars(
            select(ProposalRow)
            .where(ProposalRow.status == "pending", ProposalRow.deadline <= clock.now())
            .order_by(ProposalRow.id)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.status = "expired"
        session.flush()
        for row in rows:
            ledger(
                session,
                kind="proposal.expired",
                subject=row.id,
                actor="system",
                payload={"payload_hash": row.payload_hash, "version": row.version},
            )
        return [row.id for row in rows]


@dataclass(frozen=True)
class ApprovedPayload:
    """A payload as stored now. `intact`: approved, and its text still has the hash it was approved with."""

    payload: dict[str, Any]
    payload_hash: str
    intact: bool


def approved_payload(session: Session, proposal_id: str) -> ApprovedPayload | None:
    """What the dispatcher compares with the campaign's hash before every batch."""
    row = session.get(ProposalRow, proposal_id, populate_existing=True)
    if row is None:
        return None
    digest = hashlib.sha256(row.payload.encode()).hexdigest()
    intact = row.status == "approved" and digest == row.payload_hash
    return ApprovedPayload(json.loads(row.payload), digest, intact)
