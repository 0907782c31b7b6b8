"""Properties of verdicts and repairs: nothing unbound passes, repairs hold and are idempotent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.findings import Verdict
from smart_reach.engine.compliance.message import Message, references
from smart_reach.engine.compliance.rules import RuleBook, parse_rules
from smart_reach.engine.compliance.verdict import check, render_message, repair, repaired
from smart_reach.engine.errors import Integrity

GOOD = "The card pays {term:rewards-card.cashback@2}. {term:rewards-card.apr@2}. Credit is subject to status."
NUMBERS = st.one_of(
    st.integers(0, 10**7).map(str),
    st.floats(0.01, 99, allow_nan=False).map(lambda value: f"{value:.1f}%"),
    st.integers(1, 10**6).map(lambda value: f"€{value:,}"),
    st.sampled_from(
        [
            "twenty",
            "ten percent",
            "a hundred euros",
            "half",
            "double",
            "１２",
            "٣",
            "½",
            "tw\u200benty",
            "fіve",
        ]
    ),
)
WORDS = st.lists(
    st.sampled_from(
        [
            "the",
            "card",
            "pays you",
            "back when",
            "shopping",
            "for",
            "groceries,",
            "simply.",
            "good!",
            "calm: yes",
        ]
    ),
    max_size=12,
).map(" ".join)
NASTY = st.lists(
    st.one_of(
        NUMBERS,
        WORDS,
        st.text(max_size=12),
        st.sampled_from(
            [
                "best",
                "guaranteed",
                "free",
                "hurry!",
                "<b>",
                "&amp;",
                "{name}",
                "19.9% APR",
                "21.9% APR representative",
                "{term:rewards-card.apr@1}",
                "{term:rewards-card.apr@2}",
                "{term:rewards-card.apr}",
                "{term:mortgage.rate@2}",
                "more than {term:rewards-card.cashback@2}",
                ". ",
                "\n\n",
                "€",
                "https://evil.example/",
            ]
        ),
    ),
    max_size=8,
).map(" ".join)
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def facts(facts_of_offer: Callable[..., Any]) -> tuple[TermFact, ...]:
    found: tuple[TermFact, ...] = facts_of_offer("rewards-card")
    return found


def message(body: str, channel: str = "in_app", subject: str | None = "Hello") -> Message:
    return Message("rewards-card", channel, subject, body, "See the card")


def test_bound_message_passes(facts: Any, rules: RuleBook) -> None:
    verdict = check(message(GOOD), facts, rules)
    assert verdict.findings == ()
    assert {c.status for c in verdict.checks} == {"pass"}
    assert all(c.source and c.label and c.id for c in verdict.checks)


@QUICK
@given(before=WORDS, number=NUMBERS, after=WORDS)
def test_no_unbound_number_passes(facts: Any, rules: RuleBook, before: str, number: str, after: str) -> None:
    for field in ("subject", "body", "cta"):
        text = f"{before} {number} {after}"
        bad = replace(message(GOOD), **{field: f"{text} {GOOD}" if field == "body" else text})
        assert not check(bad, facts, rules).passed


@QUICK
@given(digit=st.characters(categories=["Nd", "Nl", "No"]))
def test_no_digit_of_any_script_passes(facts: Any, rules: RuleBook, digit: str) -> None:
    assert not check(message(f"{GOOD} It is {digit} good."), facts, rules).passed


def test_right_figure_written_out_must_be_bound(facts: Any, rules: RuleBook) -> None:
    bad = message("19.9% APR representative. Credit is subject to status.")
    verdict = check(bad, facts, rules)
    assert "figures.bound" in {f.rule for f in verdict.blocking}
    fixed, after = repaired(bad, facts, rules)
    assert after.passed
    assert fixed.body == "{term:rewards-card.apr@2}. Credit is subject to status."


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        ("{term:rewards-card.apr@1}.", "figures.current"),
        ("{term:rewards-card.apr@7}.", "figures.slots"),
        ("{term:rewards-card.apr}.", "figures.slots"),
        ("{first_name}.", "figures.slots"),
        ("Nearly {term:rewards-card.cashback@2}.", "figures.unchanged"),
        ("1{term:rewards-card.cashback@2}.", "figures.bound"),
        ("{term:rewards-card.later_fee@1}00.", "figures.bound"),
        ("{term:mortgage.rate@2}.", "figures.offer"),
    ],
)
def test_bad_references_block(
    facts: Any, facts_of_offer: Callable[..., Any], rules: RuleBook, extra: str, rule: str
) -> None:
    known = (*facts, *facts_of_offer("mortgage"))
    verdict = check(message(f"{GOOD} {extra}"), known, rules)
    assert rule in {finding.rule for finding in verdict.blocking}


def test_term_not_yet_in_force_blocks(facts_of_offer: Callable[..., Any], rules: RuleBook) -> None:
    early = facts_of_offer("rewards-card", facts_of_offer("rewards-card")[0].as_of - timedelta(days=100))
    verdict = check(message(GOOD), early, rules)
    assert any("not in force yet" in finding.reason for finding in verdict.blocking)


def test_figures_that_end_soon_are_a_warning(facts_of_offer: Callable[..., Any], rules: RuleBook) -> None:
    at = facts_of_offer("car-loan")[0].as_of
    text = "{term:car-loan.apr@2}. Credit is subject to status. Offer ends {term:car-loan.offer_end@1}."
    for days, status in ((0, "pass"), (85, "warn")):
        facts = facts_of_offer("car-loan", at + timedelta(days=days))
        verdict = check(Message("car-loan", "in_app", "Hello", text), facts, rules)
        assert verdict.passed
        assert next(c.status for c in verdict.checks if c.id == "figures.expiry") == status


@pytest.mark.parametrize("channel", CHANNELS)
@QUICK
@given(body=NASTY, subject=NASTY)
def test_repair_passes_and_is_idempotent(
    facts: Any, rules: RuleBook, channel: str, body: str, subject: str
) -> None:
    for raw in (False, True):
        once, verdict = repaired(message(body, channel, subject), facts, rules, raw=raw)
        assert verdict.passed
        twice, again = repaired(once, facts, rules, raw=raw)
        assert twice == once
        assert again == verdict


@QUICK
@given(body=NASTY)
def test_each_repair_removes_its_finding(facts: Any, rules: RuleBook, body: str) -> None:
    before = check(message(f"{GOOD} {body}"), facts, rules)
    for finding in before.findings:
        after = check(repair(message(f"{GOOD} {body}"), Verdict((finding,), ())), facts, rules)
        assert _count(after, finding) < _count(before, finding)


def _count(verdict: Verdict, finding: Any) -> int:
    """Findings of the same kind on the same words; which figure rule names them depends on the neighbours."""
    return sum(_key(other) == _key(finding) for other in verdict.findings)


def _key(finding: Any) -> tuple[str, str, str]:
    rule = "figures" if finding.rule.startswith("figures.") else finding.rule
    return rule, finding.field, finding.text


def test_repair_of_nothing_changes_nothing(facts: Any, rules: RuleBook) -> None:
    assert repair(message(GOOD), check(message(GOOD), facts, rules)) == message(GOOD)


def test_rendered_figures_know_their_place(facts: Any) -> None:
    shown = render_message(message(GOOD), facts)
    assert shown.body.startswith("The card pays 1.5% cashback on groceries.")
    assert [shown.body[f.start : f.end] for f in shown.figures] == [f.text for f in shown.figures]
    assert references(GOOD) == (("rewards-card.cashback", 2), ("rewards-card.apr", 2))


def test_a_book_without_figure_checks_is_refused(rules: RuleBook) -> None:
    with pytest.raises(Integrity, match="figure checks"):
        RuleBook(tuple(r for r in rules.rules if r.check != "unbound"), rules.categories)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "magic"},
        {"channels": ["fax"]},
        {"kind": "length"},
        {"patterns": [{"match": "(", "repair": ""}]},
        {"surprise": 1},
    ],
)
def test_bad_rules_are_named(change: dict[str, Any]) -> None:
    good = {"id": "x.y", "title": "t", "text": "t", "source": "s", "kind": "present", "insert": "i"}
    assert parse_rules([good])
    with pytest.raises((Integrity, KeyError), match=r"x\.y|magic"):
        parse_rules([{**good, **change}])
