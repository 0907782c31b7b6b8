"""Compares a stated figure with the terms of an offer: value, unit, subject, qualifier."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from smart_reach.engine.compliance.facts import SUBJECTS, TermFact
from smart_reach.engine.compliance.numbers import Quantity, quantities

Outcome = Literal["right", "qualifier", "superseded", "subject", "unknown"]

_STOP = frozenset(
    [
        "for",
        "the",
        "a",
        "an",
        "of",
        "on",
        "in",
        "after",
        "that",
        "if",
        "you",
        "it",
        "your",
        "per",
        "to",
        "and",
        "each",
        "every",
    ]
)
_SAME = {
    "year": r"\b(?:years?|yearly|annual(?:ly)?|12 months|a year|p\.a\.)\b",
    "month": r"\b(?:months?|monthly)\b",
    "day": r"\b(?:days?|daily)\b",
    "up": r"\b(?:up to|as much as|max(?:imum)?|limit of|at most)\b",
    "from": r"\b(?:from|start(?:s|ing)?(?: at| from)?|between)\b",
    "representative": r"\brepresentative\b",
}
# Words of a display that limit it, whether or not the catalog's qualifier repeats them.
_LIMITING = re.compile(
    r"\b(?:up to|from|representative|variable|fixed|a year|a month|a trip|per [a-z]+|first)\b"
)
_STRONG = frozenset({"apr", "aer", "cashback", "fee", "excess", "bonus", "discount"})
_EXAMPLE = 4  # quantities in one term
_NEAR = 28  # characters between a figure and the word that says what it is about


@dataclass(frozen=True)
class Match:
    """What a quantity was found to be. `fact` is the current fact that should stand there."""

    outcome: Outcome
    fact: TermFact | None
    missing: str = ""
    old: TermFact | None = None


def match(text: str, quantity: Quantity, sentence: tuple[int, int], facts: Sequence[TermFact]) -> Match:
    """Judge one quantity of a folded text against every version of the offer's terms."""
    current = [fact for fact in facts if fact.state == "current"]
    subject = _subject(text, quantity, sentence)
    same = [fact for fact in current if _states(fact, quantity)]
    fitting = [fact for fact in same if subject is None or subject in fact.subjects]
    spoken = text[sentence[0] : sentence[1]]
    missing = ""
    for fact in fitting:
        missing = missing_words(fact, spoken)
        if not missing:
            return Match("right", fact)
    if fitting:
        return Match("qualifier", fitting[0], missing)
    old = [
        fact
        for fact in facts
        if fact.state == "superseded"
        and _states(fact, quantity)
        and (subject is None or subject in fact.subjects)
    ]
    if old:
        return Match("superseded", _successor(old[-1], current), old=old[-1])
    return Match("subject" if same else "unknown", _meant(quantity, subject, current))


def missing_words(fact: TermFact, spoken: str) -> str:
    """The first words of a fact's qualifier that a folded sentence does not say; "" when it says all."""
    qualifier = (fact.qualifier or "").casefold()
    limits = _LIMITING.findall(fact.folded)
    numbers = {q.values for q in quantities(qualifier) if q.values and q.unit != "ordinal"}
    said = [q.values for q in quantities(spoken)]
    if any(not any(wanted & values for values in said) for wanted in numbers):
        return fact.qualifier or fact.display
    for word in _words(" ".join([qualifier, *limits])):
        if word == "first" and numbers:
            continue  # "for 6 months" says as much as "for the first 6 months"
        if not _said(word, spoken):
            return fact.qualifier if fact.qualifier and word in qualifier else word
    return ""


def _words(text: str) -> Iterable[str]:
    return dict.fromkeys(word for word in re.findall(r"[a-z]+", text) if word not in _STOP)


def _said(word: str, spoken: str) -> bool:
    singular = word.removesuffix("s")
    pattern = _SAME.get(singular) or rf"\b{re.escape(word[: max(3, min(len(word) - 2, 6))])}"
    return re.search(pattern, spoken) is not None


def _states(fact: TermFact, quantity: Quantity) -> bool:
    # A worked example holds only as a whole, word for word; its parts are no figures of their own.
    return len(fact.quantities) < _EXAMPLE and any(_equal(quantity, stated) for stated in fact.quantities)


def _equal(said: Quantity, stated: Quantity) -> bool:
    if said.unit == "zero" or stated.unit == "zero":
        # "no annual fee" is a fee of nothing, in whatever unit.
        return 0.0 in said.values and 0.0 in stated.values and {said.unit, stated.unit} <= {"zero", "EUR"}
    if said.unit != stated.unit:
        return False
    if said.unit == "date":
        return any(_same_day(a, b) for a in said.values for b in stated.values)
    return bool(said.values & stated.values)


def _same_day(said: float, stated: float) -> bool:
    return said == stated or (said < 10_000 and said == stated % 10_000)


def _subject(text: str, quantity: Quantity, sentence: tuple[int, int]) -> str | None:
    """The strong subject word nearest to a quantity inside its clause."""
    low = max(sentence[0], quantity.start - _NEAR)
    high = min(sentence[1], quantity.end + _NEAR)
    before = re.split(r"[;:,()]|\band\b|\bthen\b|\d", text[low : quantity.start])[-1]
    after = re.split(r"[;:,()]|\band\b|\bthen\b|\d", text[quantity.end : high])[0]
    own = text[quantity.start : quantity.end]
    nearest: list[tuple[int, str]] = []
    for name in _STRONG:
        pattern = SUBJECTS[name]
        if pattern.search(own):
            return name
        if found := pattern.search(after):
            nearest.append((found.start(), name))
        if hits := list(pattern.finditer(before)):
            nearest.append((len(before) - hits[-1].end(), name))
    return min(nearest)[1] if nearest else None


def _successor(old: TermFact, current: Sequence[TermFact]) -> TermFact | None:
    return next((fact for fact in current if fact.term_id == old.term_id), None)


def _meant(quantity: Quantity, subject: str | None, current: Sequence[TermFact]) -> TermFact | None:
    """The current fact that a wrong figure was meant to be: same subject and unit, and only one such."""
    if subject is None:
        return None
    units = {quantity.unit, "EUR"} if quantity.unit == "zero" else {quantity.unit}
    fitting = [
        fact
        for fact in current
        if subject in fact.subjects
        and len(fact.quantities) < _EXAMPLE
        and any(s.unit in units for s in fact.quantities)
    ]
    return fitting[0] if len(fitting) == 1 else None
