"""What people decide about conflicts, and taking it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import newest_consents, record_consent
from smart_reach.engine.catalog.identity import people, store
from smart_reach.engine.catalog.identity.linking import Clash, LinkRecord
from smart_reach.engine.catalog.identity.review import IdentityReview
from smart_reach.engine.catalog.tables import Customer, Holding, IdentityKey
from smart_reach.engine.errors import Conflict, Forbidden, InvalidInput, NotFound
from smart_reach.engine.governance.ledger import Ledger, entries_of, verify
from smart_reach.engine.governance.roles import Actor, require
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

ANA = Actor("ana", "Ana", "manager")
MAYA = Actor("maya", "Maya", "marketer")
EARLY = datetime(2026, 11, 1, tzinfo=UTC)
LATE = datetime(2026, 11, 10, tzinfo=UTC)


@pytest.fixture
def review(workspace: Workspace) -> IdentityReview:
    """Customers cus_a, cus_b and cus_c, each with a key; cus_a and cus_b are in conflict."""
    with transaction(workspace.db) as session:
        people.add_customers(session, ["cus_a", "cus_b", "cus_c"])
        for one in "abc":
            session.add(IdentityKey(hash=one, kind="email", customer_id=f"cus_{one}", home_id=f"cus_{one}"))
        clash(session, "cus_b", "cus_a")
    return IdentityReview(workspace.db, workspace.clock, Ledger(workspace.clock).append, require)


def clash(session: Session, one: str, other: str) -> None:
    record = LinkRecord("r1", "crm", EARLY, None, [("email", "a"), ("email", "b")])
    pair = store.ordered(one, other)
    store.note_clashes(session, [Clash(*pair, "Its e-mail address belongs to another.", record)], EARLY)


def open_ids(review: IdentityReview) -> list[int]:
    return [item["id"] for item in review.list()["items"]]


def owners(ws: Workspace) -> dict[str, str | None]:
    with Session(ws.db) as session:
        return dict(session.execute(select(IdentityKey.hash, IdentityKey.customer_id)).tuples().all())


def test_a_conflict_shows_both_and_only_kinds_of_keys(review: IdentityReview) -> None:
    shown = review.list()
    assert (shown["total"], shown["open"]) == (1, 1)
    item = shown["items"][0]
    assert [side["id"] for side in item["customers"]] == ["cus_a", "cus_b"]
    assert item["customers"][0]["key_kinds"] == ["email"]
    assert item["evidence"]["record_id"] == "r1"


def test_a_merge_moves_keys_and_is_in_the_ledger(workspace: Workspace, review: IdentityReview) -> None:
    (number,) = open_ids(review)
    decided = review.decide(number, "merge", ANA, keep="cus_b", reason="same person")
    assert (decided["status"], decided["kept_id"], decided["decided_by"]) == ("merged", "cus_b", "ana")
    assert owners(workspace) == {"a": "cus_b", "b": "cus_b", "c": "cus_c"}
    with Session(workspace.db) as session:
        assert people.canonical(session, ["cus_a", "cus_c"]) == {"cus_a": "cus_b", "cus_c": "cus_c"}
        (entry,) = entries_of(session, f"identity-conflict-{number}")
        assert (entry.kind, entry.actor) == ("identity.merged", "ana")
        assert verify(session).whole


def test_taking_a_merge_back_gives_the_keys_back(workspace: Workspace, review: IdentityReview) -> None:
    (number,) = open_ids(review)
    review.decide(number, "merge", ANA)
    with transaction(workspace.db) as session:
        session.add(IdentityKey(hash="new", kind="phone", customer_id="cus_a", home_id="cus_a"))
    undone = review.unmerge(number, ANA, reason="two people after all")
    assert undone["status"] == "kept_apart"
    assert owners(workspace) == {"a": "cus_a", "b": "cus_b", "c": "cus_c", "new": "cus_a"}
    with pytest.raises(Conflict):
        review.unmerge(number, ANA, reason="again")


def test_kept_apart_is_not_asked_again(workspace: Workspace, review: IdentityReview) -> None:
    (number,) = open_ids(review)
    review.decide(number, "keep_apart", ANA)
    with transaction(workspace.db) as session:
        clash(session, "cus_a", "cus_b")
    assert open_ids(review) == []
    # nor under the name that one of them has later
    with transaction(workspace.db) as session:
        people.lock(session)
        people.join(session, "cus_b", "cus_c", reason="test", actor="test", at=EARLY)
        clash(session, "cus_a", "cus_c")
    assert open_ids(review) == []


def test_a_chain_of_merges_comes_apart_in_any_order(workspace: Workspace, review: IdentityReview) -> None:
    (first,) = open_ids(review)
    with transaction(workspace.db) as session:
        clash(session, "cus_a", "cus_c")
        clash(session, "cus_b", "cus_c")
    review.decide(first, "merge", ANA, keep="cus_a")  # b → a
    second = next(i["id"] for i in review.list()["items"] if i["customers"][0]["id"] == "cus_a")
    review.decide(second, "merge", ANA, keep="cus_c")  # a → c
    assert set(owners(workspace).values()) == {"cus_c"}
    assert open_ids(review) == []  # b and c are one by now
    review.unmerge(first, ANA, reason="b is another")
    assert owners(workspace) == {"a": "cus_c", "b": "cus_b", "c": "cus_c"}
    review.unmerge(second, ANA, reason="and so is a")
    assert owners(workspace) == {"a": "cus_a", "b": "cus_b", "c": "cus_c"}


def test_only_once_and_only_by_who_may(review: IdentityReview) -> None:
    (number,) = open_ids(review)
    with pytest.raises(Forbidden):
        review.decide(number, "merge", MAYA)
    with pytest.raises(InvalidInput):
        review.decide(number, "merge", ANA, keep="cus_c")
    with pytest.raises(NotFound):
        review.decide(number + 1, "merge", ANA)
    review.decide(number, "keep_apart", ANA)
    with pytest.raises(Conflict, match="ana"):
        review.decide(number, "merge", ANA)


def consents(ws: Workspace) -> dict[str, bool]:
    with Session(ws.db) as session:
        rows = newest_consents(session, ["cus_a", "cus_b"])
        return {one: row.granted for one, answers in rows.items() for row in answers.values()}


@pytest.mark.parametrize(("a", "b"), [((True, EARLY), (False, LATE)), ((False, EARLY), (True, LATE))])
def test_the_newer_answer_holds_for_both_and_nobody_is_asked_twice(
    workspace: Workspace, review: IdentityReview, a: tuple[bool, datetime], b: tuple[bool, datetime]
) -> None:
    with transaction(workspace.db) as session:
        record_consent(session, "cus_a", "email", granted=a[0], at=a[1], source="test")
        record_consent(session, "cus_b", "email", granted=b[0], at=b[1], source="test")
    (number,) = open_ids(review)
    review.decide(number, "merge", ANA, keep="cus_a")
    assert consents(workspace) == {"cus_a": b[0], "cus_b": False}
    review.unmerge(number, ANA, reason="two")
    assert consents(workspace) == {"cus_a": a[0], "cus_b": b[0]}


def test_holdings_go_with_the_merge_and_come_back(workspace: Workspace, review: IdentityReview) -> None:
    row: dict[str, Any] = {"status": "opened", "changed_at": EARLY, "record_id": "h1"}
    with transaction(workspace.db) as session:
        session.add(Holding(customer_id="cus_b", product="card", **row))
    (number,) = open_ids(review)
    assert _held(workspace) == ["cus_b"]
    review.decide(number, "merge", ANA, keep="cus_a")
    assert _held(workspace) == ["cus_a", "cus_b"]
    review.unmerge(number, ANA, reason="two")
    assert _held(workspace) == ["cus_b"]
    with Session(workspace.db) as session:
        assert session.get(Customer, "cus_b") is not None


def _held(ws: Workspace) -> list[str]:
    with Session(ws.db) as session:
        return sorted(session.scalars(select(Holding.customer_id)))
