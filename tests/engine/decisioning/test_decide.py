"""One customer: funnel, choice, reason, record, replay."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from smart_reach.engine.canonical import canonical_json, content_hash
from smart_reach.engine.decisioning.contact.history import Happening
from smart_reach.engine.decisioning.policy import Cap, ContactPolicy
from smart_reach.engine.decisioning.tables import ContactReservation, DecisionRow
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.state.base import transaction

WITHOUT_CARD = "cus_000002"


def _adds_up(funnel):
    left = funnel[0]["left"]
    for stage in funnel[1:]:
        left -= stage["removed"]
        assert stage["left"] == left
        assert stage["reason"] or not stage["removed"]
    return left


def test_a_decision_says_what_why_and_how_sure(bank):
    body = bank.service.decide(WITHOUT_CARD, actor="usr_maya").as_json()
    assert body["action"]["channel"] in ("email", "push", "in_app", "sms")
    assert body["interval"][0] <= body["propensity"] <= body["interval"][1]
    assert body["expected_value"]["minor"] > 0
    assert body["reason"].startswith("This customer has a")
    assert body["facts"][0]["display"] in body["reason"]
    assert body["facts"][0]["value"] == body["propensity"]
    assert len(body["candidates"]) == 5
    values = [one["value_minor"] for one in body["candidates"]]
    assert values == sorted(values, reverse=True)
    assert values[0] == body["expected_value"]["minor"]
    assert body["policy_version"] == "decision-policy@1 + contact-policy@1"
    assert _adds_up(body["funnel"]) == 1
    assert body["funnel"][0]["left"] == 2 * 5 * 4
    assert bank.ledger.entries[-1]["subject"] == body["decision_id"]
    assert bank.ledger.entries[-1]["actor"] == "usr_maya"
    json.dumps(body)


def test_contributions_sum_to_the_score(bank):
    choice = bank.service.decide(WITHOUT_CARD).choice
    total = sum(one["contribution"] for one in choice["contributions"]) + choice["base_score"]
    assert total == pytest.approx(choice["raw_score"], abs=1e-9)
    assert {one["feature"] for one in choice["contributions"]} >= {"channel", "window", "visits_30d"}


def test_every_action_is_accounted_for(bank):
    decision = bank.service.decide(WITHOUT_CARD)
    seen = 0
    for one in decision.record["outputs"]["candidates"]:
        seen += (1 if one["channel"] else 5) * (1 if one["window"] else 4)
    assert seen == 40


def test_holdout_customers_get_nothing_and_are_told_why(bank):
    body = bank.service.decide("cus_000000").as_json()
    assert body["action"] is None
    assert body["expected_value"] is None
    assert "holdout" in body["reason"]
    assert _adds_up(body["funnel"]) == 0


def test_eligibility_names_the_offer_and_the_rule(bank):
    store = bank.service._gather.features.online()
    holder = next(one for one in store.index[store["has_card"] == 1] if one != "cus_000000")
    decision = bank.service.decide(holder, offer_id="rewards-card")
    stage = next(stage for stage in decision.as_json()["funnel"] if stage["stage"] == "eligibility")
    assert stage["removed"] == 20
    assert "Rewards card (does not hold a card yet)" in stage["reason"]
    assert decision.action is None


def test_channels_without_consent_are_never_chosen(bank):
    body = bank.service.decide(WITHOUT_CARD, channel="social").as_json()
    assert body["action"] is None
    assert "consent" in body["reason"]


def test_a_recent_conversion_suppresses_the_offer_and_an_unsubscribe_everything(bank):
    now = bank.ws.clock.now()
    bank.history.found = {WITHOUT_CARD: [Happening("conversion", now - timedelta(days=89), "rewards-card")]}
    assert bank.service.decide(WITHOUT_CARD).action["offer_id"] == "car-loan"
    bank.history.found = {WITHOUT_CARD: [Happening("conversion", now - timedelta(days=91), "rewards-card")]}
    again = bank.service.decide(WITHOUT_CARD).record["outputs"]["candidates"]
    assert any(one["offer_id"] == "rewards-card" and one["value"] for one in again)
    bank.history.found = {WITHOUT_CARD: [Happening("unsubscribe", now - timedelta(days=2))]}
    assert bank.service.decide(WITHOUT_CARD).action is None


def test_a_reserved_contact_blocks_the_next_one(bank):
    first = bank.service.decide(WITHOUT_CARD, reserve=True)
    second = bank.service.decide(WITHOUT_CARD, reserve=True)
    assert first.as_json()["reservation_id"]
    assert second.action is None
    assert second.as_json()["reservation_id"] is None
    assert "contact policy" in second.as_json()["reason"]
    with transaction(bank.ws.db) as session:
        assert [row.subject for row in session.scalars(select(ContactReservation))] == [first.id]


def test_a_cap_of_zero_allows_nothing(bank):
    service = bank.with_policy(ContactPolicy(caps=(Cap(24, 0, "push"),)))
    assert service.decide(WITHOUT_CARD, channel="push").action is None
    assert service.decide(WITHOUT_CARD).action["channel"] != "push"


def test_fatigue_lowers_the_value(bank):
    fresh = bank.service.decide(WITHOUT_CARD).choice["value"]
    now = bank.ws.clock.now()
    with transaction(bank.ws.db) as session:
        bank.service.contacts.backfill(session, [(WITHOUT_CARD, "in_app", now - timedelta(days=20), "m1")])
    assert bank.service.decide(WITHOUT_CARD).choice["value"] == pytest.approx(fresh - 15.0)


@pytest.mark.parametrize("reserve", [False, True])
def test_replay_is_the_same_bit_for_bit(bank, reserve):
    for customer_id in (WITHOUT_CARD, "cus_000000", "cus_000007"):
        decision = bank.service.decide(customer_id, reserve=reserve)
        bank.ws.clock.advance(timedelta(days=3))
        replay = bank.service.replay(decision.id)
        assert replay.same, replay.differences
        assert bank.service.get(decision.id).as_json() == decision.as_json()


def test_replay_names_a_changed_feature(bank):
    decision = bank.service.decide(WITHOUT_CARD)
    with transaction(bank.ws.db) as session:
        row = session.get(DecisionRow, decision.id)
        record = json.loads(row.record)
        record["inputs"]["features"]["visits_30d"] += 4
        row.record = json.dumps(record)
    replay = bank.service.replay(decision.id)
    assert not replay.same
    assert any("not what was hashed" in line for line in replay.differences)
    assert any(line.startswith("outputs.choice.") for line in replay.differences)


def test_replay_asks_the_ledger_for_the_hash(bank, monkeypatch):
    decision = bank.service.decide(WITHOUT_CARD)
    monkeypatch.setattr(bank.service, "_proof", lambda decision_id: decision.content_hash)
    assert bank.service.replay(decision.id).same
    with transaction(bank.ws.db) as session:
        row = session.get(DecisionRow, decision.id)
        record = json.loads(row.record)
        record["requested"] = {"offer_id": "mortgage"}
        row.record, row.content_hash = canonical_json(record), content_hash(record)
    assert bank.service.replay(decision.id).differences == ("record: its hash is not the one in the ledger",)


@pytest.mark.parametrize("broken", ["{}", "not json", "[]"])
def test_replay_of_a_record_that_cannot_be_read_says_so(bank, broken):
    decision = bank.service.decide(WITHOUT_CARD)
    with transaction(bank.ws.db) as session:
        session.get(DecisionRow, decision.id).record = broken
    replay = bank.service.replay(decision.id)
    assert not replay.same
    assert "cannot be read" in replay.differences[0]


def test_replay_names_a_changed_column_and_a_changed_model(bank):
    decision = bank.service.decide(WITHOUT_CARD)
    with transaction(bank.ws.db) as session:
        session.get(DecisionRow, decision.id).channel = "social"
    assert any(line.startswith("row.channel") for line in bank.service.replay(decision.id).differences)
    model = decision.record["bound_to"]["models"]["rewards-card"]["id"]
    path = bank.ws.root / "models" / model.split("@")[0] / model.split("@")[1] / "model.txt"
    path.write_text(path.read_text() + " ")
    assert any(model in line for line in bank.service.replay(decision.id).differences)


def test_unknown_things_are_named(bank):
    with pytest.raises(NotFound, match="cus_999999"):
        bank.service.decide("cus_999999")
    with pytest.raises(NotFound, match="yacht"):
        bank.service.decide(WITHOUT_CARD, offer_id="yacht")
    with pytest.raises(InvalidInput, match="fax"):
        bank.service.decide(WITHOUT_CARD, channel="fax")
    with pytest.raises(NotFound, match="DEC-999999"):
        bank.service.get("DEC-999999")
