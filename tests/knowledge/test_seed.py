"""The catalog is seeded once, from a corpus that does not contradict itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer, Term
from smart_reach.engine.catalog.terms import in_force
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace
from smart_reach.knowledge.documents import offers, require_offer
from smart_reach.knowledge.lines import offer_copy
from smart_reach.knowledge.rules import load_rules
from smart_reach.knowledge.seed import seed_catalog

OFFERS = {
    "card": {"rewards-card", "low-fee-card", "travel-card", "platinum-card"},
    "loan": {"personal-loan", "car-loan", "mortgage"},
    "insurance": {"home-insurance", "travel-insurance", "life-insurance"},
    "savings": {"savings-account", "term-deposit"},
}


def test_the_twelve_offers() -> None:
    found: dict[str, set[str]] = {}
    for offer in offers().values():
        found.setdefault(offer.category, set()).add(offer.id)
        assert 4 <= len(offer.terms) <= 7
        assert offer.eligibility
    assert found == OFFERS
    assert set(offer_copy()) == set(offers())
    with pytest.raises(InvalidInput, match="gold-card"):
        require_offer("gold-card")


def test_seeding_twice_changes_nothing(workspace: Workspace) -> None:
    at = workspace.clock.now()
    counts = []
    for shift in (0, 30):
        with transaction(workspace.db) as session:
            seed_catalog(session, at + timedelta(days=shift))
        with Session(workspace.db) as session:
            counts.append(
                [session.scalar(select(func.count()).select_from(table)) for table in (Offer, Term)]
                + [session.scalar(select(func.max(Term.valid_from)))]
            )
    assert counts[0] == counts[1]
    assert counts[0][0] == 12


def test_one_version_holds_and_some_are_superseded(seeded: Workspace) -> None:
    at = seeded.clock.now()
    with Session(seeded.db) as session:
        terms = session.scalars(select(Term)).all()
    held = [term.id for term in terms if in_force(term, at)]
    assert len(held) == len(set(held)) == len({term.id for term in terms})
    assert sum(not in_force(term, at) for term in terms) >= 4
    assert sum(term.unit == "date" for term in terms) >= 2
    for term in terms:
        assert term.qualifier is None or term.qualifier in term.display
        assert term.source


def test_naive_time_is_refused(seeded: Workspace) -> None:
    with Session(seeded.db) as session, pytest.raises(ValueError, match="aware"):
        seed_catalog(session, seeded.clock.now().replace(tzinfo=None))


def test_rule_book_has_an_edition() -> None:
    assert load_rules() is load_rules()
    assert len(load_rules().version) == 12
    assert all(rule.source and rule.title and rule.text for rule in load_rules().rules)
