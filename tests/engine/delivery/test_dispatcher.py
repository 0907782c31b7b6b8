"""Dispatch: last checks, exactly once, crashes between any two steps, two dispatchers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.catalog.tables import Term
from smart_reach.engine.delivery.messages import OutgoingMessage, Receipt
from smart_reach.engine.delivery.stats import held_reasons, stop_campaign
from smart_reach.engine.delivery.tables import PendingEvent
from smart_reach.engine.errors import InvalidInput, Unavailable
from smart_reach.engine.governance.ledger import entries_of, verify
from smart_reach.engine.learning.tables import Assignment
from smart_reach.engine.state.base import transaction

Make = Callable[..., Any]


class Killed(BaseException):
    """Stands for the death of the process inside one test process."""


def die_at(point: str, after: int = 1) -> Callable[[str], None]:
    seen = [0]

    def probe(here: str) -> None:
        seen[0] += here == point
        if here == point and seen[0] >= after:
            raise Killed

    return probe


class OneByOne:
    """A connector that takes one message at a time."""

    def __init__(self, inner: Any) -> None:
        self.send, self.find = inner.send, inner.find


def offered(bank: Any) -> dict[str, int]:
    return {message.message_id: message.attempts for message in bank.loopback.since(0)}


def test_every_message_goes_out_once_with_its_assignment(make_bank: Make) -> None:
    bank = make_bank(40)
    campaign_id = bank.launch(holdout_share=0.2)
    report = bank.dispatcher().run_once()
    again = bank.dispatcher().run_once()
    assert (report.sent + report.held_out, again.handled) == (40, 0)
    sent = [row for row in bank.rows() if row.status == "sent"]
    assert offered(bank) == {row.message_id: 1 for row in sent}
    assert len(bank.guard.committed) == len(bank.guard.held) == len(sent)
    with Session(bank.workspace.db) as session:
        arms = dict(session.execute(select(Assignment.message_id, Assignment.arm)).tuples().all())
        events = session.scalars(select(PendingEvent.body)).all()
        entries = entries_of(session, campaign_id)
        assert verify(session).whole
    assert {row.message_id: row.variant_id for row in sent}.items() <= arms.items()
    assert set(arms.values()) == {"v-a", "v-b", "holdout"}
    assert len(events) == 40
    recorded = [m for e in entries if e.kind == "delivery.sent" for m in e.payload["messages"]]
    assert sorted(m["message_id"] for m in recorded) == sorted(row.message_id for row in sent)
    assert all(m["consent_id"] for m in recorded)


def test_outside_the_window_it_waits_for_the_customers_own_time(make_bank: Make) -> None:
    bank = make_bank(2, zone="Asia/Tokyo")  # noon UTC is 9 pm in Tokyo
    bank.launch()
    assert bank.dispatcher().run_once().waiting == 2
    assert {row.not_before.isoformat() for row in bank.rows()} == {"2026-11-21T02:00:00+00:00"}
    bank.clock.advance(timedelta(hours=13))
    assert bank.dispatcher().run_once().handled == 0
    bank.clock.advance(timedelta(hours=1))
    assert bank.dispatcher().run_once().sent == 2


def withdraw(session: Session, bank: Any) -> None:
    record_consent(
        session, bank.customers[0], "push", granted=False, at=bank.clock.now(), source="unsubscribe"
    )


def end_term(session: Session, bank: Any) -> None:
    session.get_one(Term, ("rewards-card.cashback", 1)).valid_to = bank.clock.now()


def withdraw_elsewhere(session: Session, bank: Any) -> None:
    record_consent(
        session, bank.customers[0], "sms", granted=False, at=bank.clock.now(), source="unsubscribe"
    )


def supersede_term(session: Session, bank: Any) -> None:
    """A newer version is in force although nobody ended the old one."""
    old = session.get_one(Term, ("rewards-card.cashback", 1))
    copied = {column.key: getattr(old, column.key) for column in Term.__table__.columns}
    session.add(Term(**{**copied, "version": 2, "valid_from": bank.clock.now()}))


def tamper(sql: str) -> Callable[[Session, Any], None]:
    def change(session: Session, bank: Any) -> None:
        session.execute(text(sql))

    return change


@pytest.mark.parametrize(
    ("change", "held", "reason"),
    [
        (withdraw, 1, "consent"),
        (withdraw_elsewhere, 1, "unsubscribed"),
        (end_term, 3, "no longer in force"),
        (supersede_term, 3, "no longer in force"),
        (tamper("UPDATE terms SET display = '99.9% APR'"), 3, "does not read as it did"),
        (lambda session, bank: stop_campaign(session, "CMP-0001"), 3, "not active"),
        (tamper("UPDATE proposals SET payload = replace(payload, 'Subject A', 'Win')"), 3, "not what was"),
        (tamper("UPDATE proposals SET status = 'rejected'"), 3, "not what was"),
        (tamper("UPDATE campaigns SET payload_hash = 'x'"), 3, "not what was"),
        (tamper('UPDATE campaigns SET "window" = \'evening\''), 3, "not what was"),
        (tamper("UPDATE outbox SET payload_hash = 'x' WHERE customer_id = 'cus_000002'"), 1, "not what was"),
        (tamper("UPDATE outbox SET customer_id = 'cus_9' WHERE customer_id = 'cus_000002'"), 1, "customer"),
        (tamper("UPDATE outbox SET variant_id = 'v-z' WHERE customer_id = 'cus_000002'"), 1, "variant"),
    ],
)  # fmt: skip
def test_what_changed_after_approval_is_held(
    make_bank: Make, change: Callable[[Session, Any], None], held: int, reason: str
) -> None:
    bank = make_bank(3)
    campaign_id = bank.launch()
    with transaction(bank.workspace.db) as session:
        change(session, bank)
    report = bank.dispatcher().run_once()
    assert (report.held, report.sent) == (held, 3 - held)
    assert len(offered(bank)) == 3 - held
    with Session(bank.workspace.db) as session:
        assert reason in held_reasons(session, campaign_id)[0][0]
        assert "delivery.held" in [entry.kind for entry in entries_of(session, campaign_id)]


def test_caps_defer_and_then_hold(make_bank: Make) -> None:
    bank = make_bank(2)
    bank.guard.cap = 1
    bank.launch()
    bank.launch()
    assert (bank.dispatcher().run_once().sent, len(offered(bank))) == (2, 2)
    for _ in range(3):
        bank.clock.advance(timedelta(days=1))
        bank.dispatcher().run_once()
    assert bank.statuses() == {"sent": 2, "held": 2}
    assert len(offered(bank)) == 2


def test_copy_that_cannot_be_rendered_is_held(make_bank: Make) -> None:
    def failing(session: Session, variant: Any) -> Any:
        raise InvalidInput("body", "…", "Bind the figure.")

    bank = make_bank(2)
    bank.launch()
    assert bank.dispatcher(render=failing).run_once().held == 2
    assert bank.guard.held == {}


@pytest.mark.parametrize("point", ["prepared", "accepted", "settling", "settled"])
@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_death_at_any_point_sends_nothing_twice_and_loses_nothing(
    make_bank: Make, point: str, after: int, one_by_one: bool
) -> None:
    bank = make_bank(9)
    bank.launch()
    ways = {"push": OneByOne(bank.loopback) if one_by_one else bank.loopback}
    with pytest.raises(Killed):
        bank.dispatcher(batch=3, claim_seconds=2.0, connectors=ways, probe=die_at(point, after)).run_once()
    for _ in range(200):
        bank.dispatcher(batch=3).run_once()
        if bank.statuses() == {"sent": 9}:
            break
        threading.Event().wait(0.05)
    assert bank.statuses() == {"sent": 9}
    assert len(offered(bank)) == 9
    with Session(bank.workspace.db) as session:
        assert verify(session).whole
        entries = entries_of(session, "CMP-0001")
        recorded = [m["message_id"] for e in entries for m in e.payload.get("messages", [])]
        assert len(recorded) == len(set(recorded)) == 9
        assert len(session.scalars(select(PendingEvent.event_id)).all()) == 9
    contents = {message.message_id: message.variant_id for message in bank.loopback.since(0)}
    assert contents == {row.message_id: row.variant_id for row in bank.rows()}


@pytest.mark.parametrize(("point", "status"), [("prepared", "held"), ("accepted", "sent")])
def test_consent_withdrawn_after_a_crash(make_bank: Make, point: str, status: str) -> None:
    """What the connector has is written down; what it has not must not go out any more."""
    bank = make_bank(1)
    bank.launch()
    with pytest.raises(Killed):
        bank.dispatcher(claim_seconds=2.0, probe=die_at(point)).run_once()
    with transaction(bank.workspace.db) as session:
        withdraw(session, bank)
    for _ in range(200):
        if bank.dispatcher().run_once().handled:
            break
        threading.Event().wait(0.05)
    assert bank.statuses() == {status: 1}
    assert len(offered(bank)) == (status == "sent")
    assert len(bank.guard.held) == (status == "sent")


def test_a_connector_that_is_down_is_tried_again(make_bank: Make) -> None:
    bank = make_bank(2)
    bank.launch()

    class Down:
        def send(self, message: OutgoingMessage) -> Receipt:
            raise Unavailable("The provider is down.")

        def find(self, message_id: str) -> Receipt | None:
            return None

    report = bank.dispatcher(connectors={"push": Down()}, claim_seconds=1.0).run_once()
    assert (report.failed, report.sent) == (2, 0)
    for _ in range(200):
        if bank.dispatcher().run_once().handled:
            break
        threading.Event().wait(0.05)
    assert bank.statuses() == {"sent": 2}


def test_two_dispatchers_share_the_work(make_bank: Make) -> None:
    bank = make_bank(120)
    bank.launch()
    bank.launch()
    totals: list[int] = []

    def work() -> None:
        totals.append(bank.dispatcher(batch=7).run_once(1000).sent)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bank.dispatcher().run_once()
    assert bank.statuses() == {"sent": 240}
    assert sum(totals) == 240
    assert set(offered(bank).values()) == {1}
    with Session(bank.workspace.db) as session:
        assert verify(session).whole


def test_what_a_holdout_frees_the_next_campaign_may_take(make_bank: Make) -> None:
    """In one batch, as in two: whoever is kept back from one campaign has room for the other."""
    bank = make_bank(20)
    bank.guard.cap = 1
    bank.launch(holdout_share=0.9)
    bank.launch()
    report = bank.dispatcher().run_once()
    assert report.sent == 20
    assert report.held_out > 0
    assert len({row.customer_id for row in bank.rows() if row.status == "sent"}) == 20
