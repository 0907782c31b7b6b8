"""The live bank answers every message once, through crashes, and its clock only moves forward."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import current_consent
from smart_reach.engine.catalog.tables import Consent
from smart_reach.engine.clock import FixedClock
from smart_reach.engine.demo.clock import DemoClock
from smart_reach.engine.demo.live import LiveBank
from smart_reach.engine.demo.tables import DemoPending
from smart_reach.engine.errors import InvalidInput, Stop
from smart_reach.engine.events.contract import Event
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.workspace import Workspace


@dataclass(frozen=True)
class Sent:
    seq: int
    message_id: str
    customer_id: str
    accepted_at: datetime
    channel: str = "push"
    offer_id: str = "rewards-card"
    campaign_id: str | None = "cmp_1"
    variant_id: str | None = "v1"
    tone: str | None = "benefit-led"


@pytest.fixture
def inbox() -> list[Sent]:
    return []


@pytest.fixture
def bank(demo: Workspace, inbox: list[Sent]) -> LiveBank:
    return live(demo, inbox)


def live(demo: Workspace, inbox: list[Sent]) -> LiveBank:
    return LiveBank(demo, lambda seq: [message for message in inbox if message.seq > seq][:50])


def messages(tag: str, first: int, at: datetime, count: int = 80) -> list[Sent]:
    return [Sent(first + number, f"{tag}-{number}", f"cus_{number + 1:06d}", at) for number in range(count)]


def count(demo: Workspace, sql: str) -> int:
    with demo.lake.connect() as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def test_every_message_is_answered_once(demo: Workspace, inbox: list[Sent], bank: LiveBank) -> None:
    inbox += messages("once", 1, demo.clock.now())
    steps: list[datetime] = []
    end = bank.advance(days=2.2, step=steps.append)
    assert steps == sorted(steps)
    assert max(b - a for a, b in itertools.pairwise(steps)) <= timedelta(hours=1)
    assert end == demo.clock.now()
    arrived = "SELECT count(*) FROM events WHERE message_id LIKE 'once-%' AND kind IN ('delivered', 'bounce')"
    assert count(demo, arrived) == 80
    assert count(demo, "SELECT count(*) - count(DISTINCT event_id) FROM events") == 0
    assert count(demo, "SELECT count(*) FROM events WHERE event_id LIKE '%live%'") > 100
    with Session(demo.db) as session:
        open_rows = select(func.count()).where(DemoPending.done.is_(False))
        assert session.scalar(open_rows) == 0


def test_a_crash_between_lake_and_database_doubles_nothing(
    demo: Workspace, inbox: list[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox += messages("crash", 1000, demo.clock.now())
    bank = live(demo, inbox)
    assert bank.tick().messages == 80
    assert isinstance(demo.clock, DemoClock)
    demo.clock.advance(timedelta(hours=1))
    write = EventWriter.write

    def write_and_die(self: EventWriter, rows: object, **options: bool) -> int:
        write(self, rows, **options)  # type: ignore[arg-type]
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(EventWriter, "write", write_and_die)
        with pytest.raises(RuntimeError, match="killed"):
            bank.tick()
    restarted = live(demo, inbox)
    assert restarted.tick().messages == 0
    assert count(demo, "SELECT count(*) - count(DISTINCT event_id) FROM events") == 0
    arrived = (
        "SELECT count(*) FROM events WHERE message_id LIKE 'crash-%' AND kind IN ('delivered', 'bounce')"
    )
    assert count(demo, arrived) == 80


def test_answers_depend_on_the_message_alone(demo: Workspace) -> None:
    at = demo.clock.now()
    with Session(demo.db) as session:
        first = live(demo, [])._replies.to_messages(session, messages("same", 1, at))
        again = live(demo, [])._replies.to_messages(session, messages("same", 1, at))
        other = live(demo, [])._replies.to_messages(session, messages("different", 1, at))
    assert first == again
    assert [e["occurred_at"] for e in first] != [e["occurred_at"] for e in other]


def test_the_holdout_buys_without_a_message(demo: Workspace, bank: LiveBank) -> None:
    at = demo.clock.now()
    held = [
        Event(
            f"held-{n}",
            f"cus_{n % 500 + 1:06d}",
            "held_out",
            at,
            at,
            "delivery",
            offer_id="savings-account",
            campaign_id="cmp_2",
            channel="email",
            message_id=f"held-{n}",
        )
        for n in range(500)
    ]
    EventWriter(demo.lake).write(held)
    bank.advance(days=2.1)
    sql = "SELECT count(*) FROM messages WHERE message_id LIKE 'held-%' AND held_out AND converted"
    assert 0 < count(demo, sql) < 60
    touched = "SELECT count(*) FROM messages WHERE message_id LIKE 'held-%' AND (delivered OR clicked)"
    assert count(demo, touched) == 0


def test_an_unsubscribe_withdraws_consent(
    demo: Workspace, inbox: list[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smart_reach.engine.demo.simulation.world.UNSUBSCRIBE_BASE", 1.0)
    inbox += messages("leave", 5000, demo.clock.now(), count=5)
    report = live(demo, inbox).advance(days=2.2)
    assert report > inbox[0].accepted_at
    gone = count(demo, "SELECT count(*) FROM events WHERE kind = 'unsubscribe' AND message_id LIKE 'leave-%'")
    assert gone >= 3
    with Session(demo.db) as session:
        rows = current_consent(session, [message.customer_id for message in inbox], "push")
    assert sum(not row.granted for row in rows.values()) >= gone


def test_withdrawals_are_recorded_every_hour_and_once(
    demo: Workspace, inbox: list[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the hour's dispatch, although events go to the lake only every six hours."""
    monkeypatch.setattr("smart_reach.engine.demo.simulation.world.UNSUBSCRIBE_BASE", 1.0)
    inbox += messages("hourly", 20_000, demo.clock.now(), count=60)
    overdue, recorded = [], []

    def step(now: datetime) -> None:
        with Session(demo.db) as session:
            rows = session.scalars(select(DemoPending).where(DemoPending.kind == "unsubscribe")).all()
        late = [row for row in rows if row.due_at <= now and "recorded" not in row.payload and not row.done]
        overdue.extend(late)
        recorded.extend(row for row in rows if "recorded" in row.payload and not row.done)

    live(demo, inbox).advance(days=2.2, step=step)
    assert overdue == []
    assert recorded
    ids = [message.customer_id for message in inbox]
    with Session(demo.db) as session:
        rows = session.execute(
            select(Consent.customer_id, Consent.changed_at, func.count())
            .where(Consent.customer_id.in_(ids), Consent.source == "unsubscribe link")
            .group_by(Consent.customer_id, Consent.changed_at)
        ).all()
    assert rows
    assert all(times == 1 for _, _, times in rows)


def test_two_processes_by_turns_double_nothing(
    demo: Workspace, inbox: list[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One dies between lake and database while the other had been writing without asking the lake."""
    first, second = live(demo, inbox), live(demo, inbox)
    assert isinstance(demo.clock, DemoClock)
    write = EventWriter.write

    def write_and_die(self: EventWriter, rows: object, **options: bool) -> int:
        write(self, rows, **options)  # type: ignore[arg-type]
        raise RuntimeError("killed")

    for turn in range(6):
        inbox += messages(f"turns{turn}", 30_000 + 100 * turn, demo.clock.now())
        first.tick()
        demo.clock.advance(timedelta(hours=2))
        if turn in (2, 4):
            with monkeypatch.context() as patch:
                patch.setattr(EventWriter, "write", write_and_die)
                with pytest.raises(RuntimeError, match="killed"):
                    (first if turn == 2 else second).tick()
        (second if turn in (1, 2) else first).tick()
    assert count(demo, "SELECT count(*) - count(DISTINCT event_id) FROM events") == 0
    arrived = "SELECT count(DISTINCT message_id) FROM events WHERE message_id LIKE 'turns%' AND kind IN ('delivered', 'bounce')"  # noqa: E501
    assert count(demo, arrived) == 480


def test_a_writer_that_wrote_last_does_not_ask_the_lake(
    demo: Workspace, inbox: list[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, asked = live(demo, inbox), []
    ask = EventWriter._in_lake
    assert isinstance(demo.clock, DemoClock)
    monkeypatch.setattr(EventWriter, "_in_lake", lambda self, table: asked.append(1) or ask(self, table))
    for _ in range(4):
        demo.clock.advance(timedelta(hours=2))
        assert bank.tick().written > 0
    assert len(asked) == 1


def test_strangers_are_ignored(demo: Workspace, inbox: list[Sent]) -> None:
    inbox.append(Sent(90_000, "stranger", "cus_999999", demo.clock.now()))
    assert live(demo, inbox).tick().messages == 1
    assert count(demo, "SELECT count(*) FROM events WHERE message_id = 'stranger'") == 0


def test_compaction_keeps_every_row(demo: Workspace) -> None:
    before = count(demo, "SELECT count(*) FROM events")
    digest = "SELECT (sum(hash(event_id)::HUGEINT) % 1000000007)::BIGINT FROM events"
    rows = count(demo, digest)
    files = len(demo.lake.files("events"))
    saved = compact_events(demo.lake, many=2)
    assert saved > 0
    assert len(demo.lake.files("events")) == files - saved
    assert count(demo, "SELECT count(*) FROM events") == before
    assert count(demo, digest) == rows


def test_the_clock_is_shared_and_only_moves_forward(workspace: Workspace) -> None:
    real = FixedClock(workspace.clock.now())
    clock, other = DemoClock(workspace.db, real), DemoClock(workspace.db, real)
    start = clock.now()
    assert clock.advance(timedelta(days=3)) == start + timedelta(days=3)
    assert DemoClock(workspace.db, real).now() == start + timedelta(days=3)
    assert other.offset() == timedelta(days=3)
    with pytest.raises(InvalidInput):
        clock.advance(timedelta(hours=-1))
    real.advance(timedelta(hours=-1))
    assert clock.now() == start + timedelta(days=3)


def test_only_a_demo_clock_is_moved(workspace: Workspace, demo: Workspace, inbox: list[Sent]) -> None:
    with pytest.raises(Stop):
        LiveBank(workspace, lambda seq: []).advance(days=1)
    with pytest.raises(InvalidInput):
        live(demo, inbox).advance()
    with pytest.raises(InvalidInput):
        live(demo, inbox).advance(until=demo.clock.now() - timedelta(days=1))
