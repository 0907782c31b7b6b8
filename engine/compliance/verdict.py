"""The verdict on a message: pure, from terms and rules that are handed in.

`check` judges a template whose figures are references; `check_text` judges text as anybody might type it
and first tries to recognise the terms in it; both give the same kind of verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.figures import FigureReader
from smart_reach.engine.compliance.findings import Check, Edit, Finding, Status, Verdict, applied
from smart_reach.engine.compliance.message import (
    FieldName,
    FieldView,
    Message,
    facts_by_version,
    unquoted,
    view_template,
)
from smart_reach.engine.compliance.rules import Rule, RuleBook
from smart_reach.engine.compliance.wording import WORDING, Reading, is_required, required_lines

_ROUNDS = 12
_SOON = timedelta(days=14)


@dataclass(frozen=True)
class Figure:
    """A term as it stands in a rendered message, at [start, end) of `field`."""

    text: str
    term_id: str
    version: int
    qualifier: str | None
    source: str
    field: FieldName
    start: int
    end: int
    label: str


@dataclass(frozen=True)
class RenderedMessage:
    """What the customer would read."""

    subject: str | None
    body: str
    cta: str | None
    figures: tuple[Figure, ...]


def check(message: Message, terms: Iterable[TermFact], rules: RuleBook) -> Verdict:
    """Judge a template. `terms`: every version of the offer's terms (`facts_of`).

    Raises `InvalidInput` for an unknown offer or channel.
    """
    return _judge(message, tuple(terms), rules, raw=False)[0]


def check_text(
    text: str,
    offer_id: str,
    channel: str,
    terms: Iterable[TermFact],
    rules: RuleBook,
    *,
    subject: str | None = None,
    cta: str | None = None,
) -> Verdict:
    """Judge plain text: a figure passes when its value, unit, subject and qualifier are a current term's.

    Quotes around the whole text are not part of it; spans count without them.
    """
    message = Message(offer_id, channel, subject, text, cta).unquoted()
    return _judge(message, tuple(terms), rules, raw=True)[0]


def check_wording(text: str, channel: str, rules: RuleBook) -> Verdict:
    """What is wrong with a text whatever product it is about. It never passes: without an offer nobody
    knows which figures are right and which lines must stand there; see `Finding` "offer.unknown".

    Raises `InvalidInput` for an unknown channel.
    """
    bare = unquoted(text)
    view = FieldView("body", bare, bare, ())
    chosen = rules.general(channel)
    reading = Reading({"body": view}, "", {}, chosen, raw=True)
    found = [finding for rule in chosen for finding in WORDING[rule.kind](rule, reading)]
    end = len(bare)
    unknown = Finding(
        "offer.unknown",
        "block",
        "body",
        (end, end),
        "",
        "This copy fits none of the bank's offers. Name the offer that it is about.",
        "Catalog of offers",
        "",
        Edit("body", end, end, ""),
    )
    return Verdict((unknown, *found), tuple(_checks(chosen, found, {"body": view})))


def repair(message: Message, verdict: Verdict) -> Message:
    """The message with the verdict's suggested repairs, as far as they do not overlap: one round."""
    return applied(message, verdict.findings)


def repaired(
    message: Message, terms: Iterable[TermFact], rules: RuleBook, *, raw: bool = False
) -> tuple[Message, Verdict]:
    """Repair again and again until nothing is found; a field that resists is emptied. Idempotent."""
    facts = tuple(terms)
    message = message.unquoted() if raw else message
    verdict = _judge(message, facts, rules, raw=raw)[0]
    for attempt in range(2 * _ROUNDS):
        if not verdict.findings:
            break
        message = applied(message, verdict.findings)
        message = message.unquoted() if raw else message
        verdict = _judge(message, facts, rules, raw=raw)[0]
        if attempt == _ROUNDS - 1:
            for field in {finding.field for finding in verdict.findings}:
                message = message.with_field(field, "")
            verdict = _judge(message, facts, rules, raw=raw)[0]
    return message, verdict


def has_own_words(message: Message, terms: Iterable[TermFact], rules: RuleBook, *, raw: bool = False) -> bool:
    """Whether the body says anything besides the mandatory lines; a repair may have left nothing else."""
    reading = _judge(message, tuple(terms), rules, raw=raw)[1]
    return any(
        reading.body.text[slice(*span)].strip() and not is_required(reading.body, span, reading)
        for span in reading.body.sentences
    )


def missing_lines(
    message: Message, terms: Iterable[TermFact], rules: RuleBook
) -> tuple[tuple[Rule, str], ...]:
    """The mandatory lines (as template text) that the body of a template lacks."""
    return required_lines(_judge(message, tuple(terms), rules, raw=False)[1])


def render_message(message: Message, terms: Iterable[TermFact]) -> RenderedMessage:
    """Put the terms' wording in place of the references; positions of figures are in the result."""
    known = facts_by_version(terms)
    views = {field: view_template(field, text, known) for field, text in message.fields()}
    figures = tuple(
        Figure(
            view.text[f.start : f.end],
            f.fact.term_id,
            f.fact.version,
            f.fact.qualifier,
            f.fact.source,
            view.field,
            f.start,
            f.end,
            f.fact.label,
        )
        for view in views.values()
        for f in view.figures
        if f.fact is not None
    )
    subject, cta = views.get("subject"), views.get("cta")
    return RenderedMessage(
        subject.text if subject else None, views["body"].text, cta.text if cta else None, figures
    )


def _judge(
    message: Message, facts: Sequence[TermFact], book: RuleBook, *, raw: bool
) -> tuple[Verdict, Reading]:
    rules = book.of(message.offer_id, message.channel)
    checks = {rule.check: rule for rule in rules if rule.kind == "figure"}
    known = {} if raw else facts_by_version(facts)
    findings: list[Finding] = []
    views: dict[FieldName, FieldView] = {}
    for field, text in message.fields():
        view = FieldView(field, text, text, ()) if raw else view_template(field, text, known)
        reader = FigureReader(view, facts, checks, message.offer_id, raw=raw)
        views[field] = reader.view
        findings += reader.findings()
    current = {f.term_id: f for f in facts if f.offer_id == message.offer_id and f.state == "current"}
    reading = Reading(views, message.offer_id, current, rules, raw)
    for rule in rules:
        if rule.kind in WORDING:
            findings += WORDING[rule.kind](rule, reading)
    return Verdict(tuple(findings), tuple(_checks(rules, findings, views))), reading


def _checks(
    rules: Sequence[Rule], findings: Sequence[Finding], views: Mapping[FieldName, FieldView]
) -> Iterable[Check]:
    for rule in rules:
        mine = [finding for finding in findings if finding.rule == rule.id]
        status: Status = "pass"
        if mine:
            status = "fail" if rule.severity == "block" else "warn"
        yield Check(rule.id, rule.title, status, mine[0].reason if mine else "Nothing found.", rule.source)
    used = [f.fact for view in views.values() for f in view.figures if f.fact is not None]
    ending = [
        f for f in used if f.valid_to is not None and f.state == "current" and f.valid_to - f.as_of <= _SOON
    ]
    detail = (
        "; ".join(f"{f.label} holds until {f.valid_to:%d %B %Y}" for f in ending) or "No figure ends soon."
    )
    yield Check("figures.expiry", "Figures stay in force", "warn" if ending else "pass", detail, "Terms")
