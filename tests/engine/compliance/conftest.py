"""Facts and rules of the demo bank's corpus, without a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.rules import RuleBook
from smart_reach.knowledge.documents import offers
from smart_reach.knowledge.rules import load_rules

AT = datetime(2026, 11, 20, tzinfo=UTC)


def facts_at(offer_id: str, at: datetime = AT) -> tuple[TermFact, ...]:
    return tuple(
        TermFact(
            term.id,
            number,
            offer_id,
            term.label,
            version.shown(AT),
            version.number,
            version.unit,
            version.qualifier,
            term.source,
            AT + timedelta(days=version.from_day),
            None if version.to_day is None else AT + timedelta(days=version.to_day),
            at,
        )
        for term in offers()[offer_id].terms
        for number, version in enumerate(term.versions, 1)
    )


@pytest.fixture(scope="session")
def facts_of_offer() -> Callable[..., tuple[TermFact, ...]]:
    return facts_at


@pytest.fixture(scope="session")
def rules() -> RuleBook:
    return load_rules()
