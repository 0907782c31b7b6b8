"""Edits that a hostile writer tried: none may pass, in a template or in free text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smart_reach.engine.compliance.language import is_english
from smart_reach.engine.compliance.message import Message
from smart_reach.engine.compliance.rules import RuleBook
from smart_reach.engine.compliance.verdict import check, check_text

LEGAL = "{}. Credit is subject to status."
REFERENCES = {
    "cashback": "{term:rewards-card.cashback@2}",
    "apr": "{term:rewards-card.apr@2}",
}
WORDS = {"cashback": "1.5% cashback on groceries", "apr": "19.9% APR representative"}
EVASIONS = [
    ("Interest of vier Prozent.", "claims.language"),
    ("Interés del cinco por ciento.", "claims.language"),
    ("Only MMXX places.", "figures.bound"),
    ("Since mmxx.", "figures.bound"),
    ("A quarter more.", "figures.bound"),
    ("A third of it back.", "figures.bound"),
    ("A grand for you.", "figures.bound"),
    ("A tenner for you.", "figures.bound"),
    ("G.u.a.r.a.n.t.e.e.d", "claims.guarantee"),
    ("G u a r a n t e e d", "claims.guarantee"),
    ("G-u-a-r-a-n-t-e-e-d a p p r o v a l", "claims.spelled"),
    ("Guaran-teed approval", "claims.guarantee"),
    ("The b.e.s.t card.", "claims.superlative"),
    ("Nobody is refused.", "claims.guarantee"),
    ("No applicant is turned down.", "claims.guarantee"),
    ("Everyone is accepted.", "claims.guarantee"),
    ("We accept everyone.", "claims.guarantee"),
    ("Risk-less.", "claims.guarantee"),
    ("Pay nothing ever.", "claims.free"),
    ("The top bank in Portugal.", "claims.superlative"),
    ("The number one bank.", "claims.superlative"),
    ("Garantizado para todos.", "claims.language"),
    ("Aprobación garantizada.", "claims.language"),
    ("El mejor banco.", "claims.language"),
    ("Garantiert für alle.", "claims.language"),
    ("Die beste Karte.", "claims.language"),
    ("Garantido para todos.", "claims.language"),
    ("O melhor banco.", "claims.language"),
    ("Visit evil[.]example", "all.contacts"),
    ("Visit evil dot example", "all.contacts"),
    ("Visit evil (dot) example", "all.contacts"),
    ("Visit evil . example", "all.contacts"),
    ("Write to x@evil.example", "all.contacts"),
    ("Write to x @ evil", "all.contacts"),
    ("See mailto:x", "all.contacts"),
    ("Visit evil.shop today", "all.contacts"),
    ("Not the Rewards Card pays {cashback}.", "figures.unchanged"),
    ("The Rewards Card never pays {cashback}.", "figures.unchanged"),
    ("Nobody gets {cashback}.", "figures.unchanged"),
    ("The card doesn't pay {cashback}.", "figures.unchanged"),
    ("The card pays {cashback}. That is per week.", "figures.unchanged"),
    ("The card pays {cashback} per day.", "figures.unchanged"),
    ("The card pays {cashback}. That is not true.", "figures.unchanged"),
    ("The rate is {apr} per month.", "figures.unchanged"),
]
ENGLISH = [
    "Credit is subject to status.",
    "A trip from Porto to Lisbon.",
    "Pay in Rio de Janeiro and in São Paulo.".replace("ã", "a"),
    "Hello,",
    "Read on.",
    "Third-party liability is covered.",
]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("text", "rule"), EVASIONS)
def test_evasions_are_blocked(
    text: str, rule: str, raw: bool, facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    values = WORDS if raw else REFERENCES
    body = f"{text} {LEGAL.format('{apr}')}".replace("{cashback}", values["cashback"])
    body = body.replace("{apr}", values["apr"])
    facts = facts_of_offer("rewards-card")
    if raw:
        verdict = check_text(body, "rewards-card", "in_app", facts, rules)
    else:
        verdict = check(Message("rewards-card", "in_app", "Hello", body, "See it"), facts, rules)
    assert rule in {finding.rule for finding in verdict.blocking}


@pytest.mark.parametrize("text", ENGLISH)
def test_english_with_names_is_english(text: str) -> None:
    assert is_english(text.casefold())


@pytest.mark.parametrize(
    "text",
    [
        "The Rewards Card pays 1.5% cashback on groceries, paid with your monthly statement.",
        "The MIX of cards.",
        "Interest is 0% on purchases for 6 months.",
        "Hello from Demo Bank. Have a look at the card.",
    ],
)
def test_honest_copy_passes(text: str, facts_of_offer: Callable[..., Any], rules: RuleBook) -> None:
    body = f"{text} {WORDS['apr']}. Credit is subject to status."
    assert check_text(body, "rewards-card", "in_app", facts_of_offer("rewards-card"), rules).passed
