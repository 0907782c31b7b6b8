"""How proposals are stored: numbers, versions, authors and the compare-and-set."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.errors import NotFound
from smart_reach.engine.governance.deciding import already_decided, changed_since
from smart_reach.engine.governance.roles import ActorLike
from smart_reach.engine.governance.tables import ProposalCounter, ProposalRow, ProposalVersion


def locked_counter(session: Session) -> ProposalCounter:
    """The counter row, locked until the transaction ends: creations stand in a line."""
    statement = select(ProposalCounter).where(ProposalCounter.id == 1).with_for_update()
    statement = statement.execution_options(populate_existing=True)
    counter = session.scalar(statement)
    if counter is None:
        session.execute(insert(ProposalCounter).values(id=1, value=0).on_conflict_do_nothing())
        counter = session.scalars(statement).one()
    return counter


def find_row(session: Session, proposal_id: str) -> ProposalRow:
    """The row as the database has it now; `NotFound` otherwise."""
    row = session.get(ProposalRow, proposal_id, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no proposal {proposal_id}.")
    return row


def authors_of(session: Session, proposal_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Everybody who wrote a version of each proposal, in the order they came."""
    found: dict[str, dict[str, None]] = {proposal_id: {} for proposal_id in proposal_ids}
    rows = session.execute(
        select(ProposalVersion.proposal_id, ProposalVersion.author_id)
        .where(ProposalVersion.proposal_id.in_(list(found)))
        .order_by(ProposalVersion.proposal_id, ProposalVersion.version)
    )
    for proposal_id, author_id in rows:
        found[proposal_id][author_id] = None
    return {proposal_id: tuple(authors) for proposal_id, authors in found.items()}


def add_version(session: Session, row: ProposalRow, author: ActorLike, at: datetime, reason: str) -> None:
    """Keep the payload as it now is, with who wrote it."""
    session.add(
        ProposalVersion(
            proposal_id=row.id,
            version=row.version,
            payload=row.payload,
            payload_hash=row.payload_hash,
            author_id=author.id,
            author_name=author.name,
            at=at,
            reason=reason,
        )
    )
    session.flush()


def compare_and_set(session: Session, row: ProposalRow, **values: Any) -> None:
    """Change a pending row that is still as `row` was read; otherwise `Conflict` naming who was first."""
    changed = session.execute(
        update(ProposalRow)
        .where(
            ProposalRow.id == row.id,
            ProposalRow.status == "pending",
            ProposalRow.version == row.version,
            ProposalRow.payload_hash == row.payload_hash,
        )
        .values(**values)
        .returning(ProposalRow.id)
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(row)
    if changed is None:
        raise changed_since(row) if row.status == "pending" else already_decided(row)
