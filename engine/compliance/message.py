"""Messages as templates with term references, and how they read when rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.folding import Folded, fold

FieldName = Literal["subject", "body", "cta"]
FIELDS: tuple[FieldName, ...] = ("subject", "body", "cta")
REFERENCE = re.compile(r"\{term:(?P<id>[a-z0-9-]+\.[a-z0-9_]+)(?:@(?P<version>\d{1,6}))?\}")
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("«", "»"), ("„", "“"), ("„", "”"), ("`", "`"))
# A sentence ends at its mark before a space, or at the end of a line; "1.5" does not end one.
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


@dataclass(frozen=True)
class Message:
    """What would be sent. In a template every figure is a `{term:offer.fact@version}` reference.

    A field that is None does not exist (an SMS has no subject) and no rule looks at it.
    """

    offer_id: str
    channel: str
    subject: str | None
    body: str
    cta: str | None = None

    def fields(self) -> Iterator[tuple[FieldName, str]]:
        for field in FIELDS:
            text = getattr(self, field)
            if text is not None:
                yield field, text

    def unquoted(self) -> Message:
        """Without the quotes that somebody put around a whole field."""
        subject = self.subject if self.subject is None else unquoted(self.subject)
        return replace(self, subject=subject, body=unquoted(self.body))

    def with_field(self, field: FieldName, text: str) -> Message:
        if field == "subject":
            return replace(self, subject=text)
        return replace(self, body=text) if field == "body" else replace(self, cta=text)


def unquoted(text: str) -> str:
    """The text without quotes around the whole of it; any other text as it is."""
    bare = text.strip()
    for opening, closing in _QUOTES:
        inner = bare[1:-1]
        if len(bare) > 1 and bare[0] == opening and bare[-1] == closing:
            return text if opening in inner or closing in inner else unquoted(inner.strip())
    return text


@dataclass(frozen=True)
class BoundFigure:
    """A figure at [start, end) of the rendered text, written at [origin, origin_end) of the template.

    `fact` is None when the reference names no known version.
    """

    start: int
    end: int
    origin: int
    origin_end: int
    fact: TermFact | None
    token: str


@dataclass(frozen=True)
class FieldView:
    """One field of a message: its template, how it reads, and where its figures are."""

    field: FieldName
    template: str
    text: str
    figures: tuple[BoundFigure, ...]

    @cached_property
    def folded(self) -> Folded:
        return fold(self.text)

    @cached_property
    def sentences(self) -> tuple[tuple[int, int], ...]:
        """Spans of the rendered text; a boundary inside a figure does not count."""
        spans: list[tuple[int, int]] = []
        start = 0
        for match in _SENTENCE_END.finditer(self.text):
            if any(figure.start < match.end() and match.start() < figure.end for figure in self.figures):
                continue
            spans.append((start, match.end()))
            start = match.end()
        return (*spans, (start, len(self.text)))

    def sentence_at(self, start: int, end: int) -> tuple[int, int]:
        """The sentences that hold a span of the rendered text, as one span."""
        touched = [span for span in self.sentences if span[0] < max(end, start + 1) and start < span[1]]
        return (touched[0][0], touched[-1][1]) if touched else (0, len(self.text))

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The template span of a rendered span; a part of a figure counts as the whole of it."""
        return self._position(start, first=True), self._position(end, first=False)

    def _position(self, at: int, *, first: bool) -> int:
        shift = 0
        for figure in self.figures:
            if at <= figure.start:
                break
            if at < figure.end:
                return figure.origin if first else figure.origin_end
            shift = figure.origin_end - figure.end
        return at + shift


def view_template(field: FieldName, template: str, facts: Mapping[tuple[str, int], TermFact]) -> FieldView:
    """Put the displays in place of the references; an unknown reference stays as it is written."""
    parts: list[str] = []
    figures: list[BoundFigure] = []
    length = at = 0
    for match in REFERENCE.finditer(template):
        version = match["version"]
        fact = facts.get((match["id"], int(version))) if version else None
        shown = fact.display if fact else match.group()
        length += match.start() - at
        parts += [template[at : match.start()], shown]
        figures.append(
            BoundFigure(length, length + len(shown), match.start(), match.end(), fact, match.group())
        )
        length += len(shown)
        at = match.end()
    parts.append(template[at:])
    return FieldView(field, template, "".join(parts), tuple(figures))


def facts_by_version(facts: Iterable[TermFact]) -> dict[tuple[str, int], TermFact]:
    return {(fact.term_id, fact.version): fact for fact in facts}


def references(template: str) -> tuple[tuple[str, int | None], ...]:
    """(term id, version or None) of every reference in a template, in order."""
    return tuple(
        (match["id"], int(match["version"]) if match["version"] else None)
        for match in REFERENCE.finditer(template)
    )
