"""Writes the corpus's offers and terms into the catalog."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer, Term
from smart_reach.knowledge.documents import OfferEntry, TermEntry, offers


def seed_catalog(session: Session, at: datetime) -> None:
    """Add the 12 offers and every version of their terms; dates count from `at` (aware).

    Idempotent: what is there stays as it is, so a second call at another time changes nothing.
    """
    if at.tzinfo is None:
        raise ValueError("seed_catalog needs an aware datetime")
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    there = set(session.scalars(select(Offer.id)))
    versions = {tuple(row) for row in session.execute(select(Term.id, Term.version))}
    session.add_all(_row(offer) for offer in offers().values() if offer.id not in there)
    session.flush()  # terms point at offers
    for offer in offers().values():
        for term in offer.terms:
            rows = term_versions(offer.id, term, midnight)
            session.add_all(row for row in rows if (row.id, row.version) not in versions)
    session.flush()


def _row(offer: OfferEntry) -> Offer:
    return Offer(
        id=offer.id,
        name=offer.name,
        category=offer.category,
        margin_minor=offer.margin_minor,
        currency="EUR",
        active=True,
        eligibility=[dict(rule) for rule in offer.eligibility],
        description=offer.description,
    )


def term_versions(offer_id: str, term: TermEntry, midnight: datetime) -> list[Term]:
    """Rows of a term; their days count from `midnight`. A date shown in the text is itself still in force."""
    return [
        Term(
            id=term.id,
            version=number,
            offer_id=offer_id,
            label=term.label,
            display=version.shown(midnight),
            number=version.number,
            unit=version.unit,
            qualifier=version.qualifier,
            source=term.source,
            valid_from=midnight + timedelta(days=version.from_day),
            valid_to=None
            if version.to_day is None
            else midnight + timedelta(days=version.to_day + 1)
            if version.date_day is not None
            else midnight + timedelta(days=version.to_day),
        )
        for number, version in enumerate(term.versions, 1)
    ]
