"""The bank's own campaigns go on after the history: same volume, once each, within consent and caps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.catalog.tables import Campaign
from smart_reach.engine.demo.build import build_demo
from smart_reach.engine.demo.clock import DemoClock
from smart_reach.engine.demo.contacts import Contacts
from smart_reach.engine.demo.live import LiveBank
from smart_reach.engine.demo.tables import DemoCursor
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

Sent = tuple[str, str, datetime, str]

_RESERVE = text(
    "INSERT INTO contact_reservations (customer_id, channel, at, subject, state, created_at, expires_at)"
    " VALUES (:customer, 'push', :at, :subject, :state, :at, :expires)"
)


@pytest.fixture(scope="module")
def bank(open_workspace: Callable[..., Workspace], offers: Callable[..., None]) -> Iterator[Workspace]:
    """1,500 customers and 28 days; nothing has happened since."""
    workspace = open_workspace()
    build_demo(workspace, seed_catalog=offers, customers=1_500, days=28)
    workspace.clock = DemoClock(workspace.db, real=workspace.clock)
    yield workspace
    workspace.lake.close()
    workspace.db.dispose()


class Told:
    """What the live bank told about its messages."""

    def __init__(self) -> None:
        self.rows: list[Sent] = []

    def __call__(self, session: Session, rows: Iterable[Sent]) -> None:
        self.rows += rows


def live(bank: Workspace, told: Told | None = None) -> LiveBank:
    return LiveBank(bank, lambda seq: [], on_sent=told)


def fetch(bank: Workspace, sql: str, *values: object) -> list[tuple[object, ...]]:
    with bank.lake.connect() as connection:
        rows: list[tuple[object, ...]] = connection.execute(sql, list(values)).fetchall()
    return rows


def number(bank: Workspace, sql: str, *values: object) -> int:
    return int(str(fetch(bank, sql, *values)[0][0]))


def reserve(bank: Workspace, customer: str, at: datetime, subject: str, *, state: str = "committed") -> None:
    values = {"customer": customer, "at": at, "subject": subject, "state": state}
    with transaction(bank.db) as session:
        session.execute(_RESERVE, values | {"expires": at + timedelta(days=30)})


def test_reach_goes_on_as_before(bank: Workspace) -> None:
    """First, as it needs the untouched history: two weeks on either side of now."""
    now, told = bank.clock.now(), Told()
    before = "SELECT count(*) FROM events WHERE kind = ? AND occurred_at > ? AND occurred_at <= ?"
    live(bank, told).advance(days=14)
    for kind in ("sent", "held_out", "click"):
        was = number(bank, before, kind, now - timedelta(days=14), now)
        is_now = number(bank, before, kind, now, now + timedelta(days=14))
        assert 0.75 * was < is_now < 1.25 * was, kind
    sent = fetch(
        bank,
        "SELECT customer_id, channel, occurred_at, message_id FROM events"
        " WHERE kind = 'sent' AND occurred_at > ?",
        now,
    )
    moments = {row[3]: (row[0], row[1]) for row in sent}
    assert {row[3]: (row[0], row[1]) for row in told.rows if row[3] in moments} == moments
    assert len(told.rows) - len(sent) < 5  # those of the last two seconds have not arrived


def test_campaigns_are_like_those_of_the_history(bank: Workspace) -> None:
    live(bank).advance(days=2)
    used = {row[0] for row in fetch(bank, "SELECT DISTINCT campaign_id FROM messages")}
    with Session(bank.db) as session:
        rows = session.scalars(select(Campaign)).all()
    assert used <= {row.id for row in rows}
    started = [row for row in rows if row.id.startswith("cmp_l")]
    assert 0 < sum(row.status == "active" for row in started) <= 2
    assert {row.status for row in started} == {"active", "finished"}
    assert all(row.name.endswith("(demo)") for row in started)
    wrong = (
        "SELECT count(*) FROM messages m JOIN customers c USING (customer_id)"
        " WHERE starts_with(m.campaign_id, 'cmp_l') AND (c.holdout <> m.held_out OR c.holdout = m.sent)"
    )
    assert number(bank, wrong) == 0
    assert number(bank, "SELECT count(*) FROM events WHERE source <> 'demo'") == 0
    converted = "SELECT count(*) FROM messages WHERE starts_with(campaign_id, 'cmp_l') AND converted"
    assert number(bank, converted) > 0


def test_features_do_not_fall(bank: Workspace) -> None:
    """A customer's propensity moves with what they do, not with the end of the history."""
    columns = ["messages_30d", "visits_30d", "clicks_30d", "transactions_30d"]
    before = FeatureStore(bank).online()[columns].mean()
    live(bank).advance(days=10)
    after = FeatureStore(bank).online()[columns].mean()
    assert ((after / before - 1).abs() < 0.25).all(), (before, after)


def test_nobody_gets_more_than_the_policy_allows(bank: Workspace) -> None:
    with Session(bank.db) as session:
        started = session.scalars(select(Campaign).where(Campaign.id == "cmp_l0057")).all()
    assert started
    over = """
        SELECT count(*) FROM (
            SELECT a.message_id, starts_with(a.campaign_id, 'cmp_l') AS own,
                count(*) FILTER (b.occurred_at > a.occurred_at - INTERVAL 24 HOUR) AS day,
                count(*) AS week
            FROM events a JOIN events b ON b.customer_id = a.customer_id AND b.kind = 'sent'
                AND b.occurred_at <= a.occurred_at AND b.occurred_at > a.occurred_at - INTERVAL 7 DAY
            WHERE a.kind = 'sent' GROUP BY ALL
        ) WHERE own AND (day > 1 OR week > 3)
    """
    assert number(bank, over) == 0


def test_contacts_of_the_product_count(bank: Workspace) -> None:
    now = bank.clock.now()
    people = [f"cus_{n:06d}" for n in range(1, 301)]
    for name in people[:150]:
        for days in (1.5, 3, 4.5):
            reserve(bank, name, now - timedelta(days=days), f"week-{name}-{days}")
    for name in people[150:]:
        reserve(bank, name, now + timedelta(hours=20), f"soon-{name}", state="reserved")
    live(bank).advance(days=1)
    sent = (
        "SELECT count(*) FROM events WHERE kind = 'sent' AND occurred_at > ? AND customer_id <= 'cus_000300'"
    )
    others = sent.replace("<=", ">")
    assert number(bank, sent, now) == 0
    assert number(bank, others, now) > 0


def test_withdrawn_consent_is_never_touched(bank: Workspace) -> None:
    now = bank.clock.now()
    with transaction(bank.db) as session:
        for n in range(400, 1_000):
            for channel in ("email", "push", "sms", "in_app", "social"):
                record_consent(session, f"cus_{n:06d}", channel, granted=False, at=now, source="test")
    live(bank).advance(days=2)
    touched = (
        "SELECT count(*) FROM events WHERE kind IN ('sent', 'held_out') AND occurred_at > ?"
        " AND customer_id BETWEEN 'cus_000400' AND 'cus_000999'"
    )
    assert number(bank, touched, now) == 0


def test_a_crash_and_repeated_ticks_double_and_lose_nothing(
    bank: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(bank.clock, DemoClock)
    start, told, write = bank.clock.now(), Told(), EventWriter.write

    def write_and_die(self: EventWriter, rows: object, **options: bool) -> int:
        write(self, rows, **options)  # type: ignore[arg-type]
        raise RuntimeError("killed")

    for turn in range(16):
        bank.clock.advance(timedelta(hours=2))
        if turn % 3 == 1:
            with monkeypatch.context() as patch:
                patch.setattr(EventWriter, "write", write_and_die)
                with pytest.raises(RuntimeError, match="killed"):
                    live(bank).tick()
        process = live(bank, told)
        process.tick()
        assert process.tick().written == 0
    assert number(bank, "SELECT count(*) - count(DISTINCT event_id) FROM events") == 0
    sent = fetch(
        bank, "SELECT message_id FROM events WHERE kind = 'sent' AND occurred_at > ? ORDER BY 1", start
    )
    assert sent
    assert len({row[3] for row in told.rows}) == len(told.rows)
    # those that a killed tick wrote are told by the tick that repeats it
    assert {row[0] for row in sent} <= {row[3] for row in told.rows}


def test_a_bank_from_before_goes_on_from_now(bank: Workspace) -> None:
    with transaction(bank.db) as session:
        cursor = session.get(DemoCursor, "always_on")
        assert cursor is not None
        session.delete(cursor)
    now = bank.clock.now()
    live(bank).advance(days=1)
    assert number(bank, "SELECT count(*) FROM events WHERE kind = 'sent' AND occurred_at > ?", now) > 0


def test_places_are_taken_in_turn(bank: Workspace) -> None:
    contacts, hour = Contacts(bank), 3_600_000_000
    known: dict[str, dict[str, int]] = {"cus_000001": {}}
    places = [
        contacts.place(known, "cus_000001", hours * hour, f"m{hours}") for hours in (0, 23, 24, 50, 80, 170)
    ]
    assert places == [0, None, 1, 2, None, 2]
