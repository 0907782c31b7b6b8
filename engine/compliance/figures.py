"""The figure rules: every quantity in a text is a term in force, unbent and with its qualifier."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from smart_reach.engine.compliance.bending import bends
from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.findings import Edit, Finding
from smart_reach.engine.compliance.matching import Match, match, missing_words
from smart_reach.engine.compliance.message import REFERENCE, BoundFigure, FieldView
from smart_reach.engine.compliance.numbers import Quantity, numerals, quantities
from smart_reach.engine.compliance.rules import Rule

_PASS = frozenset({"your", "our", "the"})
_NEXT_WORD = re.compile(r"\s+\(?([a-z]+)\)?(?![\w'])")
_LAST_WORD = re.compile(r"(?<![\w'])([a-z]+)\s+$")
_SLOT = re.compile(r"\{[^{}]*\}")
_EDGE = frozenset(
    ["a", "an", "the", "of", "on", "in", "for", "to", "and", "at", "after", "per", "each", "is"]
)


class FigureReader:
    """Reads one field's figures against the facts. `raw` means text without references (free text)."""

    def __init__(
        self,
        view: FieldView,
        facts: Sequence[TermFact],
        rules: Mapping[str, Rule],
        offer_id: str,
        *,
        raw: bool,
    ) -> None:
        self.facts = [fact for fact in facts if fact.offer_id == offer_id]
        self.current = {fact.term_id: fact for fact in self.facts if fact.state == "current"}
        self.rules = rules
        self.offer_id = offer_id
        self.raw = raw
        self.view = self._with_displays(view) if raw else view
        self.unbound: list[tuple[Quantity, Match]] = []
        self._bind()

    def findings(self) -> Iterator[Finding]:
        yield from self._slots()
        for figure in self.view.figures:
            yield from self._figure(figure)
        for quantity, found in self.unbound:
            yield self._unbound(quantity, found)

    def _with_displays(self, view: FieldView) -> FieldView:
        """In free text a current term's exact wording is that term."""
        found: list[BoundFigure] = []
        for fact in sorted(self.current.values(), key=lambda fact: -len(fact.display)):
            for hit in fact.display_pattern.finditer(view.folded.text):
                start, end = view.folded.original(*hit.span())
                if not any(figure.start < end and start < figure.end for figure in found):
                    found.append(BoundFigure(start, end, start, end, fact, view.text[start:end]))
        found.sort(key=lambda figure: figure.start)
        return FieldView(view.field, view.template, view.text, tuple(found))

    def _bind(self) -> None:
        """Sort every quantity outside a figure into bound (free text only) and unbound."""
        view = self.view
        bound: list[BoundFigure] = []
        for quantity in (*quantities(view.folded.text), *numerals(view.text, view.folded)):
            start, end = view.folded.original(quantity.start, quantity.end)
            if any(figure.start <= start and end <= figure.end for figure in view.figures):
                continue
            sentence = view.folded.span(*view.sentence_at(start, end))
            found = match(view.folded.text, quantity, sentence, self.facts)
            if self.raw and found.outcome == "right" and found.fact is not None:
                bound.append(BoundFigure(start, end, start, end, found.fact, view.text[start:end]))
            else:
                self.unbound.append((quantity, found))
        if bound:
            figures = sorted([*view.figures, *bound], key=lambda figure: figure.start)
            self.view = FieldView(view.field, view.template, view.text, tuple(figures))

    def _slots(self) -> Iterator[Finding]:
        for hit in _SLOT.finditer(self.view.text):
            known = any(f.fact and f.start <= hit.start() < f.end for f in self.view.figures)
            if known:
                continue
            reference = REFERENCE.fullmatch(hit.group())
            fact = self.current.get(reference["id"]) if reference and not self.raw else None
            reason = f"{hit.group()} is an open slot" + (
                " without a version that exists." if reference else "."
            )
            yield self._finding("slot", hit.span(), reason, fact)

    def _figure(self, figure: BoundFigure) -> Iterator[Finding]:
        fact = figure.fact
        if fact is None:
            return
        span = (figure.start, figure.end)
        if fact.offer_id != self.offer_id:
            yield self._finding("foreign", span, f"{fact.term_id} is a term of another offer.", None)
        elif fact.state != "current":
            now = self.current.get(fact.term_id)
            yield self._finding("superseded", span, _outdated(fact, now), now)
        elif not self.raw and (missing := missing_words(fact, self._sentence(span))):
            yield self._finding("qualifier", span, f"{fact.display} needs the words {missing!r}.", None)
        yield from self._modified(figure, fact)

    def _modified(self, figure: BoundFigure, fact: TermFact) -> Iterator[Finding]:
        for bend in bends(self.view, figure, fact):
            edit = Edit(self.view.field, *self.view.origin(*bend.drop), bend.instead)
            yield self._made("modified", bend.span, bend.reason, edit)

    def _unbound(self, quantity: Quantity, found: Match) -> Finding:
        start, end = self.view.folded.original(quantity.start, quantity.end)
        said = self.view.text[start:end]
        check = "unbound"
        if found.outcome == "superseded" and found.old is not None:
            check, reason = "superseded", _outdated(found.old, found.fact)
        elif found.outcome == "qualifier" and found.fact is not None:
            check = "qualifier"
            reason = (
                f"{said!r} is true only as {found.fact.display!r}: the words {found.missing!r} are missing."
            )
        elif found.outcome == "right" and found.fact is not None:
            reason = f"{said!r} is written out; it must be the reference {found.fact.reference}."
        elif found.fact is not None:
            reason = f"{said!r} is not what the terms say: {found.fact.label} is {found.fact.display!r}."
        elif found.outcome == "subject":
            check, reason = "foreign", f"{said!r} stands in the terms for something else."
        else:
            reason = f"{said!r} is not a figure of the offer's terms."
        return self._finding(check, (start, end), reason, found.fact, quantity)

    def _finding(
        self,
        check: str,
        span: tuple[int, int],
        reason: str,
        fact: TermFact | None,
        quantity: Quantity | None = None,
    ) -> Finding:
        """A finding whose repair puts the right figure in place, or takes the sentence out."""
        view = self.view
        if fact is None:
            edit = Edit(view.field, *view.origin(*view.sentence_at(*span)), "")
        else:
            wide = self._swallow(quantity, fact) if quantity else span
            shown = fact.display if self.raw else fact.reference
            if wide[0] and (view.text[wide[0] - 1].isalnum() or view.text[wide[0] - 1] in "€$£%"):
                shown = f" {shown}"
            if view.text[wide[1] : wide[1] + 1].isalnum() or view.text[wide[1] : wide[1] + 1] == "%":
                shown = f"{shown} "
            edit = Edit(view.field, *view.origin(*wide), shown)
        return self._made(check, span, reason, edit)

    def _swallow(self, quantity: Quantity, fact: TermFact) -> tuple[int, int]:
        """Widen a quantity by the neighbouring words that the term's wording will bring itself."""
        text = self.view.folded.text
        words = set(re.findall(r"[a-z]+", fact.folded))
        low, high = self.view.folded.span(
            *self.view.sentence_at(*self.view.folded.original(quantity.start, quantity.end))
        )
        start, end = quantity.start, quantity.end
        reach = end
        passed = words | _PASS
        while (hit := _NEXT_WORD.match(text, reach, high)) and hit[1] in passed:
            reach = hit.end()
            end = reach if hit[1] not in _EDGE | _PASS else end
        reach = start
        while (hit := _LAST_WORD.search(text, low, reach)) and hit[1] in words:
            reach = hit.start()
            start = reach if hit[1] not in _EDGE | _PASS else start
        span = self.view.folded.original(start, end)
        clear = not any(f.start < span[1] and span[0] < f.end for f in self.view.figures)
        return span if clear else self.view.folded.original(quantity.start, quantity.end)

    def _sentence(self, span: tuple[int, int]) -> str:
        low, high = self.view.folded.span(*self.view.sentence_at(*span))
        return self.view.folded.text[low:high]

    def _made(self, check: str, span: tuple[int, int], reason: str, edit: Edit) -> Finding:
        rule = self.rules[check]
        return Finding(
            rule.id,
            rule.severity,
            self.view.field,
            span,
            self.view.text[slice(*span)],
            reason,
            rule.source,
            edit.text.strip(),
            edit,
        )


def _outdated(fact: TermFact, now: TermFact | None) -> str:
    if fact.state == "future":
        return f"{fact.display!r} (version {fact.version}) is not in force yet."
    until = f" until {fact.valid_to:%d %B %Y}" if fact.valid_to else ""
    instead = f"; version {now.version} says {now.display!r}." if now else "; nothing has taken its place."
    return f"{fact.display!r} is superseded: version {fact.version} was in force{until}{instead}"
