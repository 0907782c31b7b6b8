"""Product terms by version: the only source of figures in a message."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Term
from smart_reach.engine.errors import NotFound


def terms_of(session: Session, offer_id: str, at: datetime) -> dict[str, Term]:
    """Terms of an offer in force at a time, by term id."""
    rows = session.scalars(
        select(Term)
        .where(
            Term.offer_id == offer_id,
            Term.valid_from <= at,
            or_(Term.valid_to.is_(None), Term.valid_to > at),
        )
        .order_by(Term.id, Term.version)
    )
    return {row.id: row for row in rows}


def term_version(session: Session, term_id: str, version: int) -> Term:
    """One version of a term, in force or not."""
    row = session.get(Term, (term_id, version))
    if row is None:
        raise NotFound(f"There is no version {version} of the term {term_id}.")
    return row


def in_force(term: Term, at: datetime) -> bool:
    """Whether this version holds at a time."""
    return term.valid_from <= at and (term.valid_to is None or at < term.valid_to)
