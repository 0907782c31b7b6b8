"""Approval launches a campaign in the same transaction: outbox, holdout, experiment, ramp."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Campaign, Customer
from smart_reach.engine.delivery.launch import message_id_of
from smart_reach.engine.delivery.stats import delivery_stats
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.governance.ledger import entries_of
from smart_reach.engine.learning.tables import Experiment
from smart_reach.engine.state.base import transaction


def test_an_approval_queues_each_customer_once(make_bank: Callable[..., Any]) -> None:
    bank = make_bank(4)
    bank.customers.append(bank.customers[0])  # named twice
    campaign_id = bank.launch()
    rows = bank.rows()
    assert [row.customer_id for row in rows] == bank.customers[:4]
    assert {row.message_id for row in rows} == {message_id_of(campaign_id, c) for c in bank.customers[:4]}
    with Session(bank.workspace.db) as session:
        campaign = session.get_one(Campaign, campaign_id)
        assert {row.payload_hash for row in rows} == {campaign.payload_hash}
        experiment = session.get_one(Experiment, "EXP-0001")
        assert (experiment.arms, experiment.control, experiment.planned) == (["v-a", "v-b"], "v-a", 4)
        entry = entries_of(session, "PRP-0001")[-1]
        assert entry.payload["effect"]["queued"] == 4
        assert delivery_stats(session, "PRP-0001") == {
            "queued": 4, "sent": 0, "delivered": 0, "held": 0, "opened": 0, "clicked": 0, "converted": 0,
            "holdout": 0,
        }  # fmt: skip
        assert delivery_stats(session, "PRP-0002") is None


def test_the_holdout_is_a_stable_share_and_takes_in_the_global_one(make_bank: Callable[..., Any]) -> None:
    bank = make_bank(400)
    with transaction(bank.workspace.db) as session:
        session.get_one(Customer, "cus_000007").holdout = True
    bank.launch(holdout_share=0.25)
    held = {row.customer_id for row in bank.rows() if row.holdout}
    assert "cus_000007" in held
    assert 70 <= len(held) <= 130


def test_a_ramp_spreads_over_days_for_both_groups(make_bank: Callable[..., Any]) -> None:
    bank = make_bank(200)
    bank.launch(experiment={"ramp_days": 4}, holdout_share=0.5)
    for group in (True, False):
        days = [(row.not_before - bank.clock.now()).days for row in bank.rows() if row.holdout is group]
        assert set(days) == {0, 1, 2, 3}
        assert max(days.count(day) for day in range(4)) < len(days) / 2
    assert bank.dispatcher().run_once().handled < 100
    bank.clock.advance(timedelta(days=3))
    bank.dispatcher().run_once()
    assert set(bank.statuses()) == {"sent", "held_out"}


@pytest.mark.parametrize(
    "changes",
    [{"offer_id": "nothing"}, {"channel": "pigeon"}, {"window": "night"}, {"variants": []},
     {"audience": {"customer_ids": []}}, {"audience": {"customer_ids": ["cus_999999"]}},
     {"holdout_share": 1.0}, {"variants": [{"id": "v"}, {"id": "v"}]}],
)  # fmt: skip
def test_a_campaign_that_cannot_run_leaves_the_proposal_pending(
    make_bank: Callable[..., Any], changes: dict[str, Any]
) -> None:
    bank = make_bank(2)
    with pytest.raises(SmartReachError):
        bank.launch(**changes)
    assert bank.proposals.get("PRP-0001").status == "pending"
    assert bank.rows() == []
