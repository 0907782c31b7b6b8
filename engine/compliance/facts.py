"""Terms as plain values, so that a verdict needs no database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Term
from smart_reach.engine.catalog.terms import in_force
from smart_reach.engine.compliance.folding import fold
from smart_reach.engine.compliance.numbers import Quantity, quantities

State = Literal["current", "superseded", "future"]

# What a figure is about. A percentage that is right for the cashback is wrong for the APR.
SUBJECTS = {
    "apr": re.compile(r"\baprc?\b"),
    "aer": re.compile(r"\baer\b"),
    "cashback": re.compile(r"\bcash ?-?back\b"),
    "fee": re.compile(r"\b(?:fees?|charges?)\b"),
    "excess": re.compile(r"\bexcess\b"),
    "premium": re.compile(r"\bpremiums?\b"),
    "bonus": re.compile(r"\bbonus\b"),
    "discount": re.compile(r"\b(?:off|discount)\b"),
    "cover": re.compile(r"\bcover(?:age)?\b"),
    "limit": re.compile(r"\blimit\b"),
}


@dataclass(frozen=True)
class TermFact:
    """One version of a term as it stood at `as_of`. Money in `number` is in minor units."""

    term_id: str
    version: int
    offer_id: str
    label: str
    display: str
    number: float | None
    unit: str
    qualifier: str | None
    source: str
    valid_from: datetime
    valid_to: datetime | None
    as_of: datetime

    @property
    def state(self) -> State:
        if self.valid_from > self.as_of:
            return "future"
        return "current" if self.valid_to is None or self.as_of < self.valid_to else "superseded"

    @property
    def reference(self) -> str:
        """What stands in a template: `{term:rewards-card.apr@2}`."""
        return f"{{term:{self.term_id}@{self.version}}}"

    @cached_property
    def folded(self) -> str:
        return fold(self.display).text

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        return quantities(self.folded)

    @cached_property
    def subjects(self) -> frozenset[str]:
        return subjects_of(f"{fold(self.label).text} {self.folded}")

    @cached_property
    def display_pattern(self) -> re.Pattern[str]:
        """The display as a whole: not "11.5%" where the term says "1.5%"."""
        return _whole(self.folded)


@lru_cache(maxsize=4096)
def _whole(text: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in text.split())
    return re.compile(rf"(?<![\w€$£])(?<!\d[.,]){words}(?![\w%])(?![.,]\d)")


def subjects_of(text: str) -> frozenset[str]:
    """The subjects a folded text names."""
    return frozenset(name for name, pattern in SUBJECTS.items() if pattern.search(text))


def fact_of(term: Term, at: datetime) -> TermFact:
    """A catalog row as a value, seen from a time."""
    return TermFact(
        term.id,
        term.version,
        term.offer_id,
        term.label,
        term.display,
        term.number,
        term.unit,
        term.qualifier,
        term.source,
        term.valid_from,
        term.valid_to,
        at,
    )


def facts_of(session: Session, offer_id: str, at: datetime) -> tuple[TermFact, ...]:
    """Every version of every term of an offer: what holds, what held, what will hold."""
    rows = session.scalars(select(Term).where(Term.offer_id == offer_id).order_by(Term.id, Term.version))
    return tuple(fact_of(row, at) for row in rows)


def current_facts(session: Session, offer_id: str, at: datetime) -> dict[str, TermFact]:
    """The facts that hold at a time, by term id."""
    rows = session.scalars(select(Term).where(Term.offer_id == offer_id).order_by(Term.id, Term.version))
    return {row.id: fact_of(row, at) for row in rows if in_force(row, at)}
