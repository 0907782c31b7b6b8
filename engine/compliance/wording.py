"""The rules on words: what may not be said, what must be said, how long it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.findings import Edit, Finding
from smart_reach.engine.compliance.joining import joined
from smart_reach.engine.compliance.language import is_english
from smart_reach.engine.compliance.message import FieldName, FieldView
from smart_reach.engine.compliance.rules import Pattern, Rule


@dataclass(frozen=True)
class Reading:
    """A message as the wording rules see it; `current` holds the offer's facts in force, by term id."""

    views: Mapping[FieldName, FieldView]
    offer_id: str
    current: Mapping[str, TermFact]
    rules: Sequence[Rule]
    raw: bool

    @property
    def body(self) -> FieldView:
        return self.views["body"]

    def required(self, rule: Rule) -> TermFact | None:
        """The fact that a required_term rule asks for, if the offer has it now."""
        return self.current.get(f"{self.offer_id}.{rule.term}")

    def says(self, rule: Rule, view: FieldView) -> bool:
        """Whether a field says what a required_text or required_term rule asks for."""
        if rule.kind == "required_text":
            return any(pattern.search(view.folded.text) for pattern in rule.any_of)
        fact = self.required(rule)
        return fact is None or any(figure.fact == fact for figure in view.figures)

    def line(self, rule: Rule) -> str:
        """What a required rule inserts: a reference in a template, the wording in free text."""
        fact = self.required(rule) if rule.kind == "required_term" else None
        return rule.insert.replace("{term}", fact.reference) if fact and not self.raw else self.spoken(rule)

    def spoken(self, rule: Rule) -> str:
        """The same line as people read it."""
        fact = self.required(rule) if rule.kind == "required_term" else None
        return rule.insert.replace("{term}", fact.display if fact else "")


def required_lines(reading: Reading) -> tuple[tuple[Rule, str], ...]:
    """The mandatory lines that the body does not say yet."""
    required = (rule for rule in reading.rules if rule.kind in {"required_text", "required_term"})
    return tuple((rule, reading.line(rule)) for rule in required if not reading.says(rule, reading.body))


def _forbidden(rule: Rule, reading: Reading) -> Iterator[Finding]:
    for view in reading.views.values():
        for pattern in rule.patterns:
            for span in _places(pattern, view):
                if any(f.fact and f.start <= span[0] and span[1] <= f.end for f in view.figures):
                    continue
                edit = _without(view, span, pattern.repair)
                yield _finding(rule, view, span, rule.told(view.text[slice(*span)]), edit)


def _places(pattern: Pattern, view: FieldView) -> Iterator[tuple[int, int]]:
    """Where a pattern matches, also where its words were taken apart."""
    found: list[tuple[int, int]] = []
    whole = joined(view.folded)
    for folded in filter(None, (view.folded, whole)):
        for hit in pattern.match.finditer(folded.text):
            span = folded.original(*hit.span())
            if folded is whole and ("//" in hit.group() or _known(span, found)):
                continue
            found.append(span)
    yield from found


def _known(span: tuple[int, int], found: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in found)


def _language(rule: Rule, reading: Reading) -> Iterator[Finding]:
    """Sentences that are not in the customers' language."""
    for view in reading.views.values():
        for span in view.sentences:
            low, high = view.folded.span(*span)
            if not is_english(view.folded.text[low:high]):
                edit = Edit(view.field, *view.origin(*span), "")
                yield _finding(rule, view, span, rule.told(view.text[slice(*span)].strip()), edit)


def _without(view: FieldView, span: tuple[int, int], instead: str | None) -> Edit:
    if instead is None:
        return Edit(view.field, *view.origin(*view.sentence_at(*span)), "")
    start, end = span
    if instead and view.text[start : start + 1].isupper():
        instead = instead[0].upper() + instead[1:]
    elif not instead and view.text[end : end + 1] == " ":
        end += 1
    return Edit(view.field, *view.origin(start, end), instead)


def _required(rule: Rule, reading: Reading) -> Iterator[Finding]:
    view = reading.body
    if reading.says(rule, view):
        return
    line = reading.line(rule)
    at = 0 if rule.at == "start" else len(view.template)
    shown = 0 if rule.at == "start" else len(view.text)
    gap = "\n\n" if "\n\n" in view.template else " "
    closing = "" if view.text.rstrip()[-1:] in {"", *".!?…"} else "."
    text = f"{line} " if rule.at == "start" else f"{closing}{gap}{line}"
    reason = f"{rule.title}. Add: “{reading.spoken(rule)}”"
    yield _finding(rule, view, (shown, shown), reason, Edit("body", at, at, text))


def _length(rule: Rule, reading: Reading) -> Iterator[Finding]:
    view = reading.views.get(rule.field)
    if view is None or len(view.text) <= rule.max:
        return
    reason = f"{len(view.text)} characters; {rule.max} are allowed."
    edit = Edit(view.field, 0, len(view.template), _shortened(view, rule.max, reading))
    yield _finding(rule, view, (rule.max, len(view.text)), reason, edit)


def _shortened(view: FieldView, most: int, reading: Reading) -> str:
    """Drop sentences from the end, but none that a rule requires; nothing is left if that is not enough."""
    kept = list(view.sentences)
    for span in reversed(view.sentences):
        if sum(end - start for start, end in kept) <= most:
            break
        if view.field != "body" or not is_required(view, span, reading):
            kept.remove(span)
    if sum(end - start for start, end in kept) > most:
        return ""
    return "".join(view.template[slice(*view.origin(*span))] for span in kept)


def is_required(view: FieldView, span: tuple[int, int], reading: Reading) -> bool:
    """Whether a sentence is, or holds, a line that a rule asks for."""
    low, high = view.folded.span(*span)
    sentence = view.folded.text[low:high]
    for rule in reading.rules:
        if rule.kind == "required_text" and any(p.search(sentence) for p in rule.any_of):
            return True
        if rule.kind == "required_term" and any(
            f.fact and f.fact == reading.required(rule) and span[0] <= f.start < span[1] for f in view.figures
        ):
            return True
    return False


def _present(rule: Rule, reading: Reading) -> Iterator[Finding]:
    view = reading.views.get(rule.field)
    if view is None:
        if not reading.raw:
            empty = FieldView(rule.field, "", "", ())
            yield _finding(rule, empty, (0, 0), f"{rule.title}.", Edit(rule.field, 0, 0, rule.insert))
    elif not view.folded.text.strip():
        edit = Edit(rule.field, 0, len(view.template), f"{rule.insert} ")
        yield _finding(rule, view, (0, len(view.text)), f"{rule.title}.", edit)


def _plain_text(rule: Rule, reading: Reading) -> Iterator[Finding]:
    for view in reading.views.values():
        for odd in view.folded.oddities:
            if odd.problem == rule.check:
                span = (odd.start, odd.end)
                edit = Edit(view.field, *view.origin(*span), odd.instead)
                yield _finding(rule, view, span, f"{rule.title}: {view.text[slice(*span)]!r}.", edit)


def _finding(rule: Rule, view: FieldView, span: tuple[int, int], reason: str, edit: Edit) -> Finding:
    return Finding(
        rule.id,
        rule.severity,
        view.field,
        span,
        view.text[slice(*span)],
        reason,
        rule.source,
        edit.text.strip().removeprefix(". "),
        edit,
    )


WORDING: Mapping[str, Callable[[Rule, Reading], Iterator[Finding]]] = {
    "forbidden": _forbidden,
    "required_text": _required,
    "required_term": _required,
    "length": _length,
    "present": _present,
    "plain_text": _plain_text,
    "language": _language,
}
