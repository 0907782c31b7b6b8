"""From looks to a promotion that a manager approves, and back in one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.catalog.tables import Customer, Offer
from smart_reach.engine.clock import FixedClock
from smart_reach.engine.delivery.launch import CampaignLauncher
from smart_reach.engine.delivery.stats import remaining_messages
from smart_reach.engine.errors import Conflict, Forbidden, Integrity, InvalidInput
from smart_reach.engine.governance.ledger import Ledger, entries_of, verify
from smart_reach.engine.governance.proposals import ProposalService
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.governance.roles import Actor, require
from smart_reach.engine.governance.view import proposal_json
from smart_reach.engine.learning.assignment import arm_for
from smart_reach.engine.learning.experiments import ExperimentService, find
from smart_reach.engine.learning.judge import ArmOutcome
from smart_reach.engine.learning.promotion import PromotionHooks
from smart_reach.engine.learning.status import experiment_list, experiment_results, experiment_status
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

MAYA = Actor("usr_maya", "Maya Lund", "marketer")
ANA = Actor("usr_ana", "Ana Ruiz", "manager")
EXP = "EXP-0001"
COPY = {"subject": "S", "body": "B", "cta": "C", "url": "https://demo-bank.example", "figures": []}


@dataclass
class Lab:
    """A launched campaign to 400 customers of whom 200 are still to be sent to."""

    workspace: Workspace
    counts: list[ArmOutcome] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = self.workspace.clock
        assert isinstance(clock, FixedClock)
        self.clock = clock
        ledger, db = Ledger(clock), self.workspace.db
        hooks = PromotionHooks(clock, approved_payload, remaining_messages)
        self.proposals = ProposalService(
            db,
            clock,
            ledger,
            on_approved={"campaign": CampaignLauncher(clock), "promotion": hooks.approve},
            on_rejected={"promotion": hooks.reject},
        )
        self.service = ExperimentService(
            db, clock, ledger, outcomes=self.outcomes, proposer=self.proposals, approved=approved_payload,
            remaining=remaining_messages, authorise=require,
        )  # fmt: skip

    def outcomes(self, campaign_id: str, metric: str, matured_before: datetime) -> Sequence[ArmOutcome]:
        assert (campaign_id, metric) == ("CMP-0001", "click")
        self.asked.append(matured_before)
        return self.counts

    def launch(self) -> None:
        ids = [f"cus_{number:06d}" for number in range(1, 401)]
        with transaction(self.workspace.db) as session:
            session.add(Offer(id="card", name="Card", category="card", margin_minor=1))
            session.add_all(Customer(id=customer, zone="Europe/Lisbon") for customer in ids)
            session.flush()
            record_consent(session, ids[0], "push", granted=True, at=self.clock.now(), source="test")
        payload = {
            "title": "Card", "offer_id": "card", "channel": "push", "window": "midday",
            "audience": {"customer_ids": ids}, "holdout_share": 0.0,
            "variants": [{"id": "v-a", "label": "A", **COPY}, {"id": "v-b", "label": "B", **COPY}],
            "experiment": {"metric": "click", "looks": 5, "alpha": 0.05, "min_days": 7},
        }  # fmt: skip
        made = self.proposals.create("campaign", payload, MAYA)
        self.decide(made.id, "approve")
        with transaction(self.workspace.db) as session:
            session.execute(text("UPDATE outbox SET status = 'sent' WHERE customer_id <= 'cus_000200'"))

    def decide(self, proposal_id: str, decision: str) -> None:
        digest = self.proposals.get(proposal_id).payload_hash
        self.proposals.decide(proposal_id, ANA, decision, payload_hash=digest, reason="seen")

    def see(self, a: tuple[int, int], b: tuple[int, int], **b_more: int) -> None:
        self.counts = [ArmOutcome("v-a", a[1], a[1], a[0]), ArmOutcome("v-b", b[1], b[1], b[0], **b_more)]

    def after(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))

    def variant_for_the_next(self) -> tuple[str, bool]:
        with Session(self.workspace.db) as session:
            return arm_for(find(session, EXP), "cus_000399")

    def promoted(self) -> str:
        self.after(8)
        self.see((10, 100), (45, 100))
        proposal_id = self.service.look(EXP).proposal_id
        assert proposal_id is not None
        return proposal_id


@pytest.fixture
def lab(open_workspace: Callable[..., Workspace]) -> Lab:
    made = Lab(open_workspace())
    made.launch()
    return made


def test_nothing_is_looked_at_before_seven_days(lab: Lab) -> None:
    lab.see((0, 100), (90, 100))
    lab.after(6)
    result = lab.service.look(EXP)
    assert (result.verdict, result.number) == ("too_early", None)
    assert lab.asked[-1] == lab.clock.now() - timedelta(hours=24)
    with Session(lab.workspace.db) as session:
        assert experiment_results(session, "PRP-0001") is None


def test_looking_often_spends_nothing(lab: Lab) -> None:
    lab.after(7)
    lab.see((10, 100), (11, 100))
    first = lab.service.look(EXP)
    assert (first.verdict, first.number, first.information) == ("continue", 1, 0.5)
    for _ in range(5):
        again = lab.service.look(EXP)
        assert (again.verdict, again.number) == ("not_due", None)
    assert "60%" in again.reason
    with Session(lab.workspace.db) as session:
        status = experiment_status(session, EXP)
    assert len(status["looks"]) == 1
    assert status["next_look_at"] == 0.6
    assert [round(step["bound"], 3) for step in status["plan"]] == [4.877, 3.357, 2.68, 2.29, 2.031]


def test_a_crossed_bound_becomes_a_proposal_and_nothing_else(lab: Lab) -> None:
    before = lab.variant_for_the_next()
    told: list[str] = []
    lab.proposals.listeners.append(lambda proposal: told.append(proposal.id))
    made = lab.proposals.get(lab.promoted())
    assert told == [made.id]
    assert (made.kind, made.status, made.created_by_name) == ("promotion", "pending", "Experimentation agent")
    assert lab.variant_for_the_next() == before
    assert (lab.service.look(EXP).verdict, lab.service.look_all()) == ("proposed", [])
    with Session(lab.workspace.db) as session:
        shown = proposal_json(session, made, ANA)
        assert verify(session).whole
    assert shown["results"]["look"] == 1
    assert shown["results"]["z"] > shown["results"]["bound"]
    assert "1.3" in shown["results"]["estimate_note"]
    assert [arm["label"] for arm in shown["results"]["arms"]] == ["A", "B"]
    assert shown["variants"][0]["id"] == "v-b"
    assert shown["audience"]["count"] == 200
    assert shown["can_decide"]


def test_approval_switches_the_rest_and_rollback_switches_back(lab: Lab) -> None:
    lab.decide(lab.promoted(), "approve")
    assert lab.variant_for_the_next() == ("v-b", False)
    with Session(lab.workspace.db) as session:
        status = experiment_status(session, EXP)
        (listed,) = experiment_list(session)
        effect = entries_of(session, "PRP-0002")[-1].payload["effect"]
    assert listed == status
    assert (status["status"], status["control"], status["can_roll_back"]) == ("promoted", "v-b", True)
    assert effect["remaining"] == 200
    with pytest.raises(Forbidden):
        lab.service.rollback(EXP, MAYA, "no")
    lab.service.rollback(EXP, ANA, "complaints by phone")
    assert lab.variant_for_the_next() == ("v-a", False)
    with pytest.raises(Conflict):
        lab.service.rollback(EXP, ANA, "again")
    with Session(lab.workspace.db) as session:
        assert entries_of(session, EXP)[-1].payload["reason"] == "complaints by phone"
        assert verify(session).whole


def test_a_rejected_promotion_lets_the_test_go_on(lab: Lab) -> None:
    proposal_id = lab.promoted()
    with pytest.raises(InvalidInput):
        lab.proposals.decide(
            proposal_id, ANA, "edit", payload_hash=lab.proposals.get(proposal_id).payload_hash, reason="x",
            edits={"variants": [{"id": "v-b", "body": "other"}]},
        )  # fmt: skip
    lab.decide(proposal_id, "reject")
    assert lab.variant_for_the_next()[1] is True
    assert lab.service.look(EXP).verdict == "not_due"
    lab.see((13, 150), (60, 150))
    assert lab.service.look(EXP).proposal_id == "PRP-0003"


def test_a_broken_split_is_never_promoted(lab: Lab) -> None:
    lab.after(8)
    lab.see((8, 80), (70, 150))
    result = lab.service.look(EXP)
    assert (result.verdict, result.proposal_id) == ("srm", None)


def test_a_winner_that_drives_people_away_is_never_promoted(lab: Lab) -> None:
    lab.after(8)
    lab.see((10, 100), (45, 100), opt_outs=9)
    result = lab.service.look(EXP)
    assert (result.verdict, result.proposal_id) == ("guardrail", None)
    assert "opt-outs" in result.reason


def test_without_a_winner_the_test_ends(lab: Lab) -> None:
    lab.after(8)
    with transaction(lab.workspace.db) as session:
        session.execute(text("UPDATE outbox SET status = 'sent'"))
    lab.see((20, 200), (22, 200))
    assert lab.service.look(EXP).verdict == "concluded"
    assert lab.service.look(EXP).verdict == "concluded"
    assert lab.service.look_all() == []


def test_a_promotion_of_another_payload_is_refused(lab: Lab) -> None:
    proposal_id = lab.promoted()
    with lab.workspace.db.begin() as connection:
        connection.execute(text("UPDATE proposals SET payload = payload || ' ' WHERE id = 'PRP-0001'"))
    with pytest.raises(Integrity, match="not the one"):
        lab.decide(proposal_id, "approve")
    assert lab.proposals.get(proposal_id).status == "pending"
