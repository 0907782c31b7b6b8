"""Segments: the whole-segment choice agrees with the single decisions it is made of."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from smart_reach.engine.decisioning.records.reason import percent, with_article
from smart_reach.engine.decisioning.rules import Rule, all_hold
from smart_reach.engine.decisioning.segments import SEGMENTS, available, segment
from smart_reach.engine.decisioning.uplift import difference
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.money import money


def test_a_segment_decision_adds_up(bank):
    found = bank.service.decide_segment("all", actor="usr_maya")
    body = found.as_json()
    left = body["funnel"][0]["left"]
    assert left == 60
    for stage in body["funnel"][1:]:
        left -= stage["removed"]
        assert stage["left"] == left
    assert left == found.count == len(set(found.audience))
    assert body["action"]["offer_id"] in ("car-loan", "rewards-card")
    assert body["facts"][0]["display"] in body["reason"]
    assert body["runners_up"]
    assert all(one["value_minor"] <= body["expected_value"]["minor"] for one in body["runners_up"])
    assert bank.ledger.entries[-1]["kind"] == "segment_decision"
    assert bank.service.get_segment(found.id).as_json() == json.loads(json.dumps(body))


def test_the_value_is_the_sum_of_single_decisions(bank):
    found = bank.service.decide_segment("all")
    action, total = found.action, 0.0
    for customer_id in found.audience:
        single = bank.service.decide(customer_id, offer_id=action["offer_id"], channel=action["channel"])
        one = next(one for one in single.record["outputs"]["candidates"] if one["window"] == action["window"])
        assert one["removed_by"] is None
        total += one["value"]
    assert found.as_json()["expected_value"]["minor"] == round(total)


def test_holdout_customers_are_never_in_the_audience(bank):
    held = {f"cus_{number:06d}" for number in range(0, 60, 10)}
    assert not held & set(bank.service.decide_segment("all").audience)


def test_a_limit_keeps_the_most_valuable(bank):
    everybody = bank.service.decide_segment("all")
    few = bank.service.decide_segment("all", limit=5)
    assert few.audience == everybody.audience[:5]
    assert few.as_json()["funnel"][-1]["left"] == 5
    with pytest.raises(InvalidInput):
        bank.service.decide_segment("all", limit=0)


def test_fixed_offer_and_channel_are_kept(bank):
    action = bank.service.decide_segment("students", offer_id="car-loan", channel="email").action
    assert (action["offer_id"], action["channel"]) == ("car-loan", "email")
    assert bank.service.decide_segment("students", channel="social").as_json()["action"] is None


def test_unknown_segments_and_missing_data_are_named(bank):
    with pytest.raises(NotFound, match="martians"):
        bank.service.decide_segment("martians")
    with pytest.raises(InvalidInput, match="Use one of all"):
        bank.service.decide_segment("high-balance")


def test_segments_are_the_same_in_words_and_in_pandas():
    frame = pd.DataFrame({"age": [59.0, 60.0, np.nan], "job": ["retired", "student", None]})
    assert segment("over-60").members(frame).tolist() == [False, True, False]
    assert segment("retirees").members(frame).tolist() == [True, False, False]
    assert segment("over-60").why(frame.columns) == "the customer is 60 or older"
    assert segment("all").members(frame).all()
    assert {one.id for one in available(frame.columns)} == {"all", "students", "retirees", "over-60"}
    assert len({one.id for one in SEGMENTS}) == len(SEGMENTS)


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("=", 2, [False, True, False, False]),
        ("!=", 2, [True, False, True, False]),
        (">=", 2, [False, True, True, False]),
        ("<=", 2, [True, True, False, False]),
        (">", 2, [False, False, True, False]),
        ("<", 2, [True, False, False, False]),
        ("in", [1, 3], [True, False, True, False]),
        ("not_in", [1, 3], [False, True, False, False]),
    ],
)
def test_rules_over_numbers(op, value, expected):
    frame = pd.DataFrame({"n": [1.0, 2.0, 3.0, np.nan]})
    rule = Rule.from_json({"field": "n", "op": op, "value": value})
    assert rule.holds(frame).tolist() == expected


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("=", "low", [True, False, False]),
        ("!=", "low", [False, True, False]),
        ("in", ["low", "high"], [True, True, False]),
        ("not_in", ["low"], [False, True, False]),
    ],
)
def test_rules_over_words(op, value, expected):
    frame = pd.DataFrame({"income_band": ["low", "high", None]})
    assert all_hold((Rule("income_band", op, value),), frame).tolist() == expected


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "n", "op": "~", "value": 1},
        {"field": "n", "op": "in", "value": 1},
    ],
)
def test_impossible_rules_are_refused(rule):
    with pytest.raises(InvalidInput):
        Rule.from_json(rule)


def test_a_rule_over_nothing_is_refused():
    with pytest.raises(InvalidInput, match="height"):
        Rule("height", ">", 1).holds(pd.DataFrame({"n": [1.0]}))


def test_words_for_numbers():
    assert [percent(p) for p in (0.72, 0.0994, 0.034, 0.0001, 0.999)] == [
        "72%",
        "9.9%",
        "3.4%",
        "under 0.1%",
        "over 99%",
    ]
    assert [money(m, "EUR") for m in (1240, -300, 1_240_000)] == ["€12.40", "−€3.00", "€12,400"]
    assert with_article("Rewards card") == "a rewards card"
    assert with_article("Insurance") == "an insurance"


def test_newcombe_interval_of_the_published_example():
    # Newcombe 1998, table II (a): 56/70 − 48/80, method 10: 0.0524 to 0.3339
    gap, low, high = difference(56, 70, 48, 80)
    assert gap == pytest.approx(0.2)
    assert low == pytest.approx(0.0524, abs=1e-4)
    assert high == pytest.approx(0.3339, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("students with low balances", "students"),
        ("everyone", "all"),
        ("people over 60", "over-60"),
        ("Families", "families"),
    ],
)
def test_segments_are_found_by_what_people_call_them(bank, text, expected):
    with pytest.raises(NotFound, match="martians"):
        bank.service.find_segment("martians")
    found = bank.service.find_segment(text)
    assert found.id == expected
    assert 0 < found.count <= 60


def test_the_policy_in_words_holds_its_facts(bank):
    policy = bank.service.contact_policy()
    assert policy.version == "contact-policy@1"
    assert "21:00 to 08:00" in policy.text
    assert "at most 1 message in any 24 hours" in policy.text
    assert all(fact["display"] in policy.text for fact in policy.facts if not fact["id"].endswith("hours"))


def test_the_table_starts_with_the_chosen_action(bank):
    body = bank.service.decide_segment("all").as_json()
    assert body["table"]["rows"][0][0] == body["action"]["offer"]
    assert len(body["table"]["rows"]) == 1 + len(body["runners_up"])
    assert all(len(row) == len(body["table"]["columns"]) for row in body["table"]["rows"])
