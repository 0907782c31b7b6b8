"""Words around a figure that change what it says: more than, not, per week."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.message import BoundFigure, FieldView

_BEFORE = re.compile(
    r"\b(?:more than|at least|no less than|less than|lower than|higher than|nearly|almost|approximately"
    r"|roughly|around|minus|plus|beyond|above|below|another|extra|guaranteed)\s+$"
)
_BEFORE_PRICE = re.compile(r"\b(?:over|under)\s+$")
_AFTER = re.compile(r"\s*(?:\+|\b(?:or|and) (?:more|less|better|higher|lower|above|up)\b)")
_DENIAL = re.compile(
    r"\b(?:not|never|cannot|nor|neither|nobody|no one|none|no longer|hardly|barely|scarcely|instead of"
    r"|rather than|untrue|false(?:ly)?|wrong(?:ly)?|forget|[a-z]+n't|(?:do|does|is|are|was|wo|ca|did)nt)\b"
)
# A sentence of its own that takes back the one before or after it.
_RETRACTION = re.compile(
    r"\s*(?:not\b|never\b|wrong\b|false\b|untrue\b|just kidding|(?:that|this|it)(?:'s| is| was)"
    r" (?:not\b|never\b|no longer|wrong|false|untrue|a lie|a joke)|(?:that|this|it) (?:isn't|wasn't))"
)
_UNIT = r"(?P<{}>day|week|fortnight|month|quarter|year|hour|trip|visit)"
_PERIOD = re.compile(
    rf"(?:\b(?:per|an?|each|every)\s+(?:single\s+)?|/\s?){_UNIT.format('unit')}s?\b"
    r"|\b(?P<ly>hourly|daily|weekly|fortnightly|monthly|quarterly|yearly|annually)(?=\s*(?:[.,;:!?)]|$))"
    r"|\bp\.?(?P<short>[amwd])\.?(?![a-z])"
)
_SHORT = {"a": "year", "m": "month", "w": "week", "d": "day"}
_LY = {"daily": "day", "annually": "year"}
_SAYS_YEAR = re.compile(r"\b(?:years?|yearly|annual(?:ly)?|apr|aer|aprc)\b")


@dataclass(frozen=True)
class Bend:
    """What bends a figure: its span in the rendered text, the reason, and the span that has to go."""

    span: tuple[int, int]
    reason: str
    drop: tuple[int, int]
    instead: str = ""


def bends(view: FieldView, figure: BoundFigure, fact: TermFact) -> Iterator[Bend]:
    """Everything around a figure that changes what its term says."""
    yield from _compared(view, figure, fact)
    yield from _denied(view, figure, fact)
    yield from _periods(view, figure, fact)


def _compared(view: FieldView, figure: BoundFigure, fact: TermFact) -> Iterator[Bend]:
    text = view.folded.text
    start, end = view.folded.span(figure.start, figure.end)
    before = _BEFORE.search(text, max(0, start - 24), start)
    if before is None and fact.unit in {"percent", "EUR"}:
        before = _BEFORE_PRICE.search(text, max(0, start - 24), start)
    after = _AFTER.match(text, end)
    for hit in filter(None, (before, after)):
        span = view.folded.original(*hit.span())
        yield Bend(span, _changes(hit.group(), fact), span, " " if hit is after else "")


def _denied(view: FieldView, figure: BoundFigure, fact: TermFact) -> Iterator[Bend]:
    own = view.sentence_at(figure.start, figure.end)
    low, high = view.folded.span(*own)
    for hit in _DENIAL.finditer(view.folded.text, low, high):
        span = view.folded.original(*hit.span())
        if not _inside(view, span):
            yield Bend(span, _changes(hit.group(), fact), own)
    for sentence in _neighbours(view, own):
        low, high = view.folded.span(*sentence)
        if (found := _RETRACTION.match(view.folded.text, low, high)) and not _holds_figure(view, sentence):
            yield Bend(view.folded.original(*found.span()), _changes(found.group(), fact), sentence)


def _periods(view: FieldView, figure: BoundFigure, fact: TermFact) -> Iterator[Bend]:
    """A period said after a figure, up to the next one, that the term does not have."""
    own = view.sentence_at(figure.start, figure.end)
    until = min((f.start for f in view.figures if f.start >= figure.end), default=own[1])
    reach = [(figure.end, min(own[1], until))]
    if until >= own[1]:
        reach += [s for s in _neighbours(view, own) if s[0] >= own[1] and not _holds_figure(view, s)]
    for index, part in enumerate(reach):
        low, high = view.folded.span(*part)
        for hit in _PERIOD.finditer(view.folded.text, low, high):
            if not _has(fact, _unit(hit)):
                span = view.folded.original(*hit.span())
                yield Bend(span, _changes(hit.group(), fact), part if index else span)


def _unit(hit: re.Match[str]) -> str:
    said = hit["unit"] or _SHORT.get(hit["short"] or "") or hit["ly"]
    return _LY.get(said, said.removesuffix("ly"))


def _has(fact: TermFact, unit: str) -> bool:
    words = f"{fact.label} {fact.display} {fact.qualifier or ''} {fact.unit} {fact.term_id}".casefold()
    if unit == "year":
        return _SAYS_YEAR.search(words.replace("_", " ").replace(".", " ")) is not None
    return unit in words


def _neighbours(view: FieldView, own: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The sentences right before and right after one."""
    for sentence in view.sentences:
        if sentence[0] < sentence[1] and (sentence[1] == own[0] or sentence[0] == own[1]):
            yield sentence


def _holds_figure(view: FieldView, sentence: tuple[int, int]) -> bool:
    return any(f.start < sentence[1] and sentence[0] < f.end for f in view.figures)


def _inside(view: FieldView, span: tuple[int, int]) -> bool:
    return any(f.start <= span[0] and span[1] <= f.end for f in view.figures)


def _changes(words: str, fact: TermFact) -> str:
    return f"{words.strip()!r} changes what {fact.display!r} says."
