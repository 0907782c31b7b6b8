"""One decide(): roles, four eyes, hash, deadline, edits, and exactly one winner under concurrency."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from smart_reach.engine.governance.edits import Recheck, resolve, word_diff
from smart_reach.engine.governance.ledger import Ledger, entries_of, verify
from smart_reach.engine.governance.proposal import Proposal
from smart_reach.engine.governance.proposals import ProposalService
from smart_reach.engine.governance.reading import approved_payload, expire_overdue
from smart_reach.engine.governance.roles import Actor, system_actor
from smart_reach.engine.governance.view import proposal_json
from smart_reach.engine.workspace import Workspace

MAYA = Actor("usr_maya", "Maya Lund", "marketer")
ANA = Actor("usr_ana", "Ana Ruiz", "manager")
TOMAS = Actor("usr_tomas", "Tomas Berg", "manager")
EVE = Actor("usr_eve", "Eve Okafor", "evaluator")

PAYLOAD: dict[str, Any] = {
    "title": "Rewards card for slipping customers",
    "offer_id": "rewards-card",
    "channel": "push",
    "window": "evening",
    "segment": {"id": "slipping", "label": "Slipping customers"},
    "audience": {"customer_ids": ["cus_000001", "cus_000002"], "count": 2},
    "holdout_share": 0.5,
    "variants": [
        {
            "id": "v-a",
            "label": "A",
            "tone": "warm",
            "subject": "More back",
            "body": "Get {term:rewards-card.cashback@2} back on every purchase.",
            "cta": "See how",
            "url": "https://demo-bank.example/rewards",
            "figures": [{"text": "2%", "term_id": "rewards-card.cashback", "version": 2, "source": "terms"}],
        }
    ],
    "checks": [{"id": "claims", "label": "Claims", "status": "pass", "detail": "", "source": ""}],
    "expected": {"value_minor": 123_400, "currency": "EUR", "uplift": 0.021, "interval": [0.01, 0.03]},
    "experiment": {"metric": "click", "looks": 5, "alpha": 0.05, "min_days": 7},
    "risk": "low",
}


def service(workspace: Workspace, **options: Any) -> ProposalService:
    return ProposalService(workspace.db, workspace.clock, Ledger(workspace.clock), **options)


def passing(session: Session, payload: dict[str, Any]) -> Recheck:
    return Recheck(checks=[{"id": "claims", "label": "Claims", "status": "warn", "detail": "edited"}])


def answer(
    service: ProposalService, proposal: Proposal, actor: Actor, decision: str, **more: Any
) -> Proposal:
    return service.decide(
        proposal.id, actor, decision, payload_hash=proposal.payload_hash, reason="fits", **more
    )


def edit_body(body: str) -> dict[str, Any]:
    return {"variants": [{"id": "v-a", "body": body}]}


def test_a_manager_approves_what_a_marketer_proposed(workspace: Workspace) -> None:
    proposals = service(workspace)
    made = proposals.create("campaign", PAYLOAD, MAYA, "content", "thread-1", "interrupt-1")
    assert (made.id, made.status, made.payload_hash) == ("PRP-0001", "pending", content_hash(PAYLOAD))
    done = answer(proposals, made, ANA, "approve")
    assert (done.status, done.decided_by_name, done.decision_reason) == ("approved", "Ana Ruiz", "fits")
    assert proposals.get("PRP-0001") == done
    with Session(workspace.db) as session:
        assert [e.kind for e in entries_of(session, made.id)] == ["proposal.created", "proposal.approved"]
        assert verify(session).whole
        stored = approved_payload(session, made.id)
    assert stored is not None
    assert stored.intact
    assert stored.payload == PAYLOAD


def test_numbers_follow_without_gaps(workspace: Workspace) -> None:
    proposals = service(workspace)
    with pytest.raises(InvalidInput):
        proposals.create("campaign", {"bad": object()}, MAYA)
    ids = [proposals.create("campaign", PAYLOAD, MAYA).id for _ in range(3)]
    assert ids == ["PRP-0001", "PRP-0002", "PRP-0003"]


def test_a_repeated_creation_is_one_proposal(workspace: Workspace) -> None:
    proposals = service(workspace)
    first = proposals.create("campaign", PAYLOAD, MAYA, dedup_key="run-1")
    assert proposals.create("campaign", PAYLOAD, MAYA, dedup_key="run-1") == first
    assert proposals.create("campaign", PAYLOAD, MAYA, dedup_key="run-2").id == "PRP-0002"


@pytest.mark.parametrize("actor", [MAYA, EVE, system_actor("content")])
@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_other_roles_may_not_decide(workspace: Workspace, actor: Actor, decision: str) -> None:
    proposals = service(workspace)
    made = proposals.create("campaign", PAYLOAD, TOMAS)
    with pytest.raises(Forbidden):
        answer(proposals, made, actor, decision)
    assert proposals.get(made.id).status == "pending"


def test_nobody_approves_their_own_work(workspace: Workspace) -> None:
    proposals = service(workspace, recheck=passing)
    made = proposals.create("campaign", PAYLOAD, ANA)
    with pytest.raises(Forbidden, match="own work"):
        answer(proposals, made, ANA, "approve")
    edited = answer(proposals, made, TOMAS, "edit", edits=edit_body("Calm words."))
    with pytest.raises(Forbidden, match="own work"):
        answer(proposals, edited, TOMAS, "approve")
    with pytest.raises(Forbidden, match="own work"):
        answer(proposals, edited, ANA, "approve")
    ada = Actor("usr_ada", "Ada Novak", "admin")
    assert answer(proposals, edited, ada, "approve").status == "approved"


def test_an_edit_makes_a_new_version_and_voids_the_old_hash(workspace: Workspace) -> None:
    proposals = service(workspace, recheck=passing)
    made = proposals.create("campaign", PAYLOAD, MAYA)
    edited = answer(proposals, made, TOMAS, "edit", edits=edit_body("Calm words."))
    assert (edited.status, edited.version) == ("pending", 2)
    assert edited.payload_hash == content_hash(edited.payload) != made.payload_hash
    assert edited.payload["checks"][0]["detail"] == "edited"
    assert edited.payload["variants"][0]["figures"] == []  # its reference is gone
    with pytest.raises(Conflict, match="changed since"):
        answer(proposals, made, ANA, "approve")
    assert answer(proposals, edited, ANA, "approve").payload == edited.payload


def test_an_edit_that_compliance_blocks_changes_nothing(workspace: Workspace) -> None:
    def blocking(session: Session, payload: dict[str, Any]) -> Recheck:
        return Recheck(checks=[], blocks=["“guaranteed” is not allowed."])

    proposals = service(workspace, recheck=blocking)
    made = proposals.create("campaign", PAYLOAD, MAYA)
    with pytest.raises(InvalidInput, match="guaranteed"):
        answer(proposals, made, TOMAS, "edit", edits=edit_body("Guaranteed!"))
    assert proposals.get(made.id) == made


@pytest.mark.parametrize(
    "edits",
    [None, {}, {"variants": []}, {"variants": ["x"]}, {"variants": [{"id": "nope", "body": "x"}]},
     {"variants": [{"id": "v-a", "url": "https://elsewhere.example"}]},
     {"variants": [{"id": "v-a", "body": 7}]}, {"audience": {}, "variants": [{"id": "v-a", "body": "x"}]},
     {"variants": [{"id": "v-a", "body": PAYLOAD["variants"][0]["body"]}]},
     {"variants": [{"id": "v-a", "body": "\ud800"}]}],
)  # fmt: skip
def test_only_copy_can_be_edited(workspace: Workspace, edits: Any) -> None:
    def same(session: Session, payload: dict[str, Any]) -> Recheck:
        return Recheck(checks=PAYLOAD["checks"])

    proposals = service(workspace, recheck=same)
    made = proposals.create("campaign", PAYLOAD, MAYA)
    with pytest.raises(InvalidInput):
        answer(proposals, made, TOMAS, "edit", edits=edits)
    assert proposals.get(made.id) == made


def test_without_a_checker_edits_are_refused(workspace: Workspace) -> None:
    proposals = service(workspace)
    made = proposals.create("campaign", PAYLOAD, MAYA)
    with pytest.raises(Unavailable):
        answer(proposals, made, TOMAS, "edit", edits=edit_body("x"))


def test_a_second_answer_is_told_who_was_first(workspace: Workspace) -> None:
    proposals = service(workspace)
    made = proposals.create("campaign", PAYLOAD, MAYA)
    answer(proposals, made, ANA, "reject")
    for decision in ("approve", "reject", "edit"):
        with pytest.raises(Conflict, match=r"already decided by Ana Ruiz at 2026-11-20 12:00:00"):
            answer(proposals, made, TOMAS, decision, edits=edit_body("x"))


def test_a_reason_and_a_known_proposal_are_needed(workspace: Workspace) -> None:
    proposals = service(workspace)
    made = proposals.create("campaign", PAYLOAD, MAYA)
    with pytest.raises(InvalidInput, match="reason"):
        proposals.decide(made.id, ANA, "reject", payload_hash=made.payload_hash, reason="  ")
    with pytest.raises(InvalidInput, match="decision"):
        proposals.decide(made.id, ANA, "maybe", payload_hash=made.payload_hash, reason="x")
    with pytest.raises(NotFound):
        proposals.decide("PRP-0099", ANA, "approve", payload_hash="", reason="x")


def test_after_the_deadline_nobody_decides(open_workspace: Callable[..., Workspace]) -> None:
    workspace = open_workspace()
    clock = workspace.clock
    assert isinstance(clock, FixedClock)
    proposals = service(workspace, lifetime=timedelta(hours=2))
    made = proposals.create("campaign", PAYLOAD, MAYA)
    clock.advance(timedelta(hours=2))
    assert proposals.get(made.id).status == "expired"
    assert list(proposals.list("pending")) == []
    assert [p.id for p in proposals.list("decided")] == [made.id]
    with pytest.raises(Conflict, match="expired"):
        answer(proposals, made, ANA, "approve")
    ledger = Ledger(clock)
    assert list(expire_overdue(workspace.db, clock, ledger)) == [made.id]
    assert list(expire_overdue(workspace.db, clock, ledger)) == []
    with pytest.raises(Conflict, match="expired"):
        answer(proposals, made, ANA, "approve")


def test_a_hook_that_fails_undoes_the_decision(workspace: Workspace) -> None:
    def failing(session: Session, proposal: Proposal) -> None:
        raise Unavailable("The launch failed.")

    proposals = service(workspace, on_approved={"campaign": failing})
    made = proposals.create("campaign", PAYLOAD, MAYA)
    with pytest.raises(Unavailable):
        answer(proposals, made, ANA, "approve")
    assert proposals.get(made.id) == made
    with Session(workspace.db) as session:
        assert [e.kind for e in entries_of(session, made.id)] == ["proposal.created"]


def test_of_many_simultaneous_answers_one_wins(workspace: Workspace) -> None:
    launches: list[str] = []

    def launch(session: Session, proposal: Proposal) -> None:
        launches.append(proposal.id)

    proposals = service(workspace, recheck=passing, on_approved={"campaign": launch})
    made = proposals.create("campaign", PAYLOAD, MAYA)
    gate = threading.Barrier(8)
    results: list[str] = []

    def press(number: int) -> None:
        actor = Actor(f"usr_{number}", f"Manager {number}", "manager")
        decision = ("approve", "reject", "edit", "approve")[number % 4]
        gate.wait()
        try:
            answer(proposals, made, actor, decision, edits=edit_body(f"text {number}"))
            results.append(decision)
        except Conflict as conflict:
            first = "already decided by Manager" in conflict.message or "changed since" in conflict.message
            results.append("told" if first else conflict.message)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert results.count("told") == 7
    assert len(launches) == results.count("approve")
    with Session(workspace.db) as session:
        assert verify(session).whole
        assert len(entries_of(session, made.id)) == 2


def test_a_payload_changed_behind_the_approval_is_not_intact(workspace: Workspace) -> None:
    proposals = service(workspace)
    made = answer(proposals, proposals.create("campaign", PAYLOAD, MAYA), ANA, "approve")
    with workspace.db.begin() as connection:
        connection.execute(text("UPDATE proposals SET payload = replace(payload, 'More back', 'Free money')"))
    with Session(workspace.db) as session:
        stored = approved_payload(session, made.id)
    assert stored is not None
    assert not stored.intact


def test_the_api_object_for_each_viewer(workspace: Workspace) -> None:
    proposals = service(workspace, recheck=passing)
    told: list[str] = []
    proposals.listeners.append(lambda proposal: told.append(proposal.status))
    made = proposals.create("campaign", PAYLOAD, MAYA, "content", "thread-1")
    edited = answer(
        proposals, made, TOMAS, "edit", edits=edit_body("Get {term:rewards-card.cashback@2} back.")
    )
    with Session(workspace.db) as session:
        shown = proposal_json(session, edited, ANA, delivery={"queued": 1})
        assert (shown["can_decide"], shown["why_not"]) == (True, None)
        for viewer, why in [(MAYA, "role"), (TOMAS, "wrote"), (None, "Sign in")]:
            other = proposal_json(session, edited, viewer)
            assert other["can_decide"] is False
            assert why in other["why_not"]
    variant = shown["variants"][0]
    assert variant["preview"]["body"] == "Get 2% back."
    assert {"op": "delete", "text": "back on every purchase."} in variant["diff"]
    assert shown["audience"] == {"count": 2, "label": "Slipping customers", "holdout": 1}
    assert shown["expected_value"]["display"] == "€1,234"
    assert shown["uplift"]["display"] == "+2.10 pp"
    assert [step["what"] for step in shown["timeline"]] == ["proposed it", "edited the copy: fits"]
    assert "cus_000001" not in str(shown)
    assert told == ["pending", "pending"]


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_diff_holds_both_texts(before: str, after: str) -> None:
    steps = word_diff(before, after)
    assert "".join(s["text"] for s in steps if s["op"] != "insert") == before
    assert "".join(s["text"] for s in steps if s["op"] != "delete") == after
    assert (before == after) == all(s["op"] == "equal" for s in steps)


def test_references_without_a_figure_stay_visible() -> None:
    assert resolve("Now {term:a.b@1}", []) == "Now {term:a.b@1}"
