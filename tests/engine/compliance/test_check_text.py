"""Free text: right figures pass, wrong, bare and outdated ones do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smart_reach.engine.compliance.message import Message, unquoted
from smart_reach.engine.compliance.rules import RuleBook
from smart_reach.engine.compliance.verdict import check_text, check_wording, has_own_words, repaired
from smart_reach.engine.errors import InvalidInput

CREDIT = " Credit is subject to status."
APR = " 19.9% APR representative."
RIGHT = [
    ("rewards-card", "Pay at 19.9% APR representative."),
    ("rewards-card", "Representative 19.9 % APR."),
    ("rewards-card", "Nineteen point nine percent APR representative."),
    ("rewards-card", "Get 1.5% cashback on your groceries." + APR),
    ("rewards-card", "€0 annual fee in your first year." + APR),
    ("rewards-card", "0% on purchases for 6 months." + APR),
    ("personal-loan", "Borrow up to €40,000 over 12 to 84 months. 7.9% APR representative."),
    ("platinum-card", "Ten lounge visits a year. 18.9% APR representative."),
    ("low-fee-card", "The card costs €12 per year and has no set-up fee. 14.9% APR representative."),
]
WRONG = [
    ("rewards-card", "Pay at 17.9% APR representative." + APR, "figures.bound"),
    ("rewards-card", "Pay at 19.9% APR." + APR, "figures.qualifier"),
    ("rewards-card", "APR of 17.9% representative." + APR, "figures.bound"),
    ("rewards-card", "Pay at 21.9% APR representative." + APR, "figures.current"),
    ("rewards-card", "Get 1.5% cashback." + APR, "figures.qualifier"),
    ("rewards-card", "Get 1% cashback on groceries." + APR, "figures.current"),
    ("rewards-card", "Get 19.9% cashback on groceries." + APR, "figures.bound"),
    ("rewards-card", "No annual fee." + APR, "figures.qualifier"),
    ("rewards-card", "0% on purchases." + APR, "figures.qualifier"),
    ("rewards-card", "Get more than 1.5% cashback on groceries." + APR, "figures.unchanged"),
    ("rewards-card", "Get 1.5% cashback on groceries or more." + APR, "figures.unchanged"),
    ("rewards-card", "$45 a year after that." + APR, "figures.bound"),
    ("rewards-card", "Twenty percent off." + APR, "figures.bound"),
    ("rewards-card", "Hello {first_name}." + APR, "figures.slots"),
    ("low-fee-card", "The card costs €15 a year. 14.9% APR representative.", "figures.current"),
    ("low-fee-card", "The card costs €12. 14.9% APR representative.", "figures.qualifier"),
    ("personal-loan", "Borrow €40,000. 7.9% APR representative.", "figures.qualifier"),
    ("personal-loan", "Over 12 to 48 months. 7.9% APR representative.", "figures.bound"),
    ("platinum-card", "20 lounge visits a year. 18.9% APR representative.", "figures.bound"),
]
CLAIMS = [
    ("The best card for you.", "claims.superlative"),
    ("Our number one card.", "claims.superlative"),
    ("Better than other banks.", "claims.superlative"),
    ("Guaranteed acceptance.", "claims.guarantee"),
    ("You will be approved.", "claims.guarantee"),
    ("No credit check.", "claims.guarantee"),
    ("Hurry, this ends soon.", "claims.pressure"),
    ("Don’t miss out.", "claims.pressure"),
    ("A free card.", "claims.free"),
    ("Interest-free shopping.", "claims.free"),
    ("We noticed that you travel.", "claims.observed"),
    ("Reply with your PIN.", "claims.secrets"),
    ("Quick cash for you.", "credit.responsible"),
    ("See https://evil.example/win.", "all.links"),
    ("The bеst card.", "claims.superlative"),  # Cyrillic е
    ("The <i>best</i> card.", "claims.markup"),
    ("The card\u200b for you.", "claims.hidden"),
    ("Only idiots pay fees.", "brand.respect"),
    ("Don't be stupid.", "brand.respect"),
    ("Other banks rob you.", "brand.respect"),
    ("Dump your old bank.", "brand.respect"),
    ("Your current bank is a joke.", "brand.respect"),
]
HARMLESS = [
    "Feel free to ask.",
    "Best regards, Demo Bank.",
    "At least have a look.",
    "Free up time for yourself.",
]


def rules_of(verdict: Any) -> set[str]:
    return {finding.rule for finding in verdict.findings}


@pytest.mark.parametrize(("offer_id", "text"), RIGHT)
def test_right_figures_pass(
    offer_id: str, text: str, facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    assert check_text(text + CREDIT, offer_id, "in_app", facts_of_offer(offer_id), rules).findings == ()


@pytest.mark.parametrize(("offer_id", "text", "rule"), WRONG)
def test_wrong_figures_block(
    offer_id: str, text: str, rule: str, facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    verdict = check_text(text + CREDIT, offer_id, "in_app", facts_of_offer(offer_id), rules)
    assert not verdict.passed
    assert rules_of(verdict) == {rule}
    for finding in verdict.findings:
        assert finding.source
        assert (text + CREDIT)[slice(*finding.span)] == finding.text != ""


@pytest.mark.parametrize(("text", "rule"), CLAIMS)
def test_forbidden_claims_block(
    text: str, rule: str, facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    verdict = check_text(text + APR + CREDIT, "rewards-card", "in_app", facts_of_offer("rewards-card"), rules)
    assert rule in {finding.rule for finding in verdict.blocking}


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_words_pass(text: str, facts_of_offer: Callable[..., Any], rules: RuleBook) -> None:
    verdict = check_text(text + APR + CREDIT, "rewards-card", "in_app", facts_of_offer("rewards-card"), rules)
    assert verdict.findings == ()


def test_superseded_figure_names_both_versions(facts_of_offer: Callable[..., Any], rules: RuleBook) -> None:
    facts = facts_of_offer("rewards-card")
    verdict = check_text("21.9% APR representative." + CREDIT, "rewards-card", "in_app", facts, rules)
    finding = next(f for f in verdict.findings if f.rule == "figures.current")
    assert "version 1" in finding.reason
    assert "version 2" in finding.reason
    assert finding.repair == "19.9% APR representative"


@pytest.mark.parametrize(
    ("offer_id", "channel", "missing"),
    [
        (
            "rewards-card",
            "email",
            {"credit.representative", "credit.status", "email.opt_out", "email.sender"},
        ),
        ("rewards-card", "sms", {"credit.representative", "credit.status", "sms.opt_out", "sms.sender"}),
        ("mortgage", "push", {"credit.representative", "credit.status", "mortgage.repossession"}),
        ("home-insurance", "social", {"insurance.exclusions", "offers.end_date", "social.disclosure"}),
        ("savings-account", "in_app", {"savings.protection"}),
        ("savings-account", "sms", {"savings.protection_short", "sms.opt_out", "sms.sender"}),
    ],
)
def test_mandatory_lines(
    offer_id: str, channel: str, missing: set[str], facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    verdict = check_text("Have a look at it.", offer_id, channel, facts_of_offer(offer_id), rules)
    assert {finding.rule for finding in verdict.blocking} == missing


def test_unknown_offer_and_channel(rules: RuleBook) -> None:
    with pytest.raises(InvalidInput, match="offer"):
        check_text("x", "gold-card", "email", (), rules)
    with pytest.raises(InvalidInput, match="channel"):
        check_text("x", "mortgage", "fax", (), rules)


@pytest.mark.parametrize("end", ["", ".", " .", "!", "…", "\n", '"', " best", ". Hurry", "., best."])
def test_repairs_join_with_one_stop(end: str, facts_of_offer: Callable[..., Any], rules: RuleBook) -> None:
    facts = facts_of_offer("low-fee-card")
    text = f"A card with a low fee{end}"
    fixed, after = repaired(Message("low-fee-card", "push", None, text), facts, rules, raw=True)
    assert after.passed
    assert ".." not in fixed.body
    assert fixed.body.endswith(" 14.9% APR representative. Credit is subject to status.")
    assert has_own_words(fixed, facts, rules, raw=True)


def test_quotes_around_the_copy_are_no_part_of_it(
    facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    facts = facts_of_offer("low-fee-card")
    for text in ('"The best card."', "“The best card.”", "' \"The best card.\" '"):
        finding = check_text(text, "low-fee-card", "push", facts, rules).findings[0]
        assert "The best card."[slice(*finding.span)] == finding.text == "best"
        fixed, _ = repaired(Message("low-fee-card", "push", None, text), facts, rules, raw=True)
        assert fixed.body.startswith("The good card. 14.9%")
    assert unquoted('"A" and "B"') == '"A" and "B"'
    assert unquoted(" it's ") == " it's "


def test_one_finding_is_told_once_with_every_place(
    facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    text = "The best card! Our Best card!!" + APR + CREDIT
    verdict = check_text(text, "rewards-card", "push", facts_of_offer("rewards-card"), rules)
    told = {finding["reason"]: finding for finding in verdict.as_json()["findings"]}
    assert set(told) == {"Avoid “best”: no superlatives or rankings.", "Avoid exclamation marks."}
    assert len(told["Avoid exclamation marks."]["spans"]) == 2
    assert [
        text[p["start"] : p["end"]] for p in told["Avoid “best”: no superlatives or rankings."]["spans"]
    ] == [
        "best",
        "Best",
    ]


def test_what_is_missing_is_told_in_words_without_references(
    facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    verdict = check_text("A card.", "rewards-card", "push", facts_of_offer("rewards-card"), rules)
    reasons = [finding.reason for finding in verdict.findings]
    assert "Representative APR with credit. Add: “19.9% APR representative.”" in reasons
    assert not any("{" in reason for reason in reasons)


def test_copy_about_no_offer_never_passes_but_its_wording_is_judged(rules: RuleBook) -> None:
    plain = check_wording("Lose weight with our new pill.", "push", rules)
    assert [finding.rule for finding in plain.findings] == ["offer.unknown"]
    assert not plain.passed
    bad = check_wording("“Only idiots skip the best pill!”", "push", rules)
    assert rules_of(bad) == {"offer.unknown", "brand.respect", "claims.superlative", "brand.shouting"}
    with pytest.raises(InvalidInput, match="channel"):
        check_wording("x", "fax", rules)


def test_a_repair_that_leaves_only_mandatory_lines_is_known(
    facts_of_offer: Callable[..., Any], rules: RuleBook
) -> None:
    facts = facts_of_offer("low-fee-card")
    fixed, after = repaired(
        Message("low-fee-card", "push", None, "Only idiots pay fees."), facts, rules, raw=True
    )
    assert after.passed
    assert not has_own_words(fixed, facts, rules, raw=True)
