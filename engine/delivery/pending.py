"""Events on their way to the lake: written with the state they tell of, carried over exactly once.

A batch is marked before its write and closed after it. After a crash in between it is written again with
`fresh=False`: the writer then asks the lake which of these ids it already holds and leaves them out.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json, content_hash
from smart_reach.engine.catalog.erasures import known_erased
from smart_reach.engine.catalog.tables import Customer
from smart_reach.engine.delivery.tables import PendingEvent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

_LOCK = 726_417_003

EventRow = dict[str, Any]


class WriteEvents(Protocol):
    """Writes events and returns how many were new. `fresh`: none of the ids can be in the lake yet."""

    def __call__(self, rows: Sequence[EventRow], *, fresh: bool) -> int: ...


def event_id_of(message_id: str, kind: str) -> str:
    """The same fact has the same id, whoever tells it."""
    return f"evt_{content_hash([message_id, kind])[:24]}"


def add_event(session: Session, event: Mapping[str, Any]) -> None:
    """Queue an event in the caller's transaction; a repeat of its id is ignored.

    Needs event_id, customer_id, kind, source and occurred_at (aware); other lake columns as they apply.
    """
    add_events(session, [event])


def add_events(session: Session, events: Sequence[Mapping[str, Any]]) -> None:
    """`add_event` for many at once. Those about erased people are left out."""
    gone = known_erased(session, {event["customer_id"] for event in events}) if events else set()
    rows = [
        {"event_id": event["event_id"], "body": canonical_json(event)}
        for event in events
        if event["customer_id"] not in gone
    ]
    if rows:
        session.execute(insert(PendingEvent).on_conflict_do_nothing(index_elements=["event_id"]), rows)


def flush_events(db: Engine, write: WriteEvents, *, limit: int = 5000) -> int:
    """Carry queued events to the lake; returns how many were written. One flusher works at a time."""
    with db.connect() as guard:
        if not guard.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}):
            return 0
        try:
            return _recover(db, write) + _flush_new(db, write, limit)
        finally:
            guard.scalar(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})


def flush_to_lake(workspace: Workspace, *, limit: int = 5000) -> int:
    """`flush_events` into the workspace's lake; returns how many rows were written."""
    return flush_events(workspace.db, LakeWriter(workspace), limit=limit)


class LakeWriter:
    """A `WriteEvents` over the lake's event writer; adds the customer's local hour and weekday."""

    def __init__(self, workspace: Workspace) -> None:
        from smart_reach.engine.events.writer import EventWriter

        self._workspace = workspace
        self._writer = EventWriter(workspace.lake)

    def __call__(self, rows: Sequence[EventRow], *, fresh: bool) -> int:
        from smart_reach.engine.events.contract import Event

        received, zones = self._workspace.clock.now(), self._zones({row["customer_id"] for row in rows})
        events = []
        for row in rows:
            local = row["occurred_at"].astimezone(ZoneInfo(zones.get(row["customer_id"], "UTC")))
            when = {"local_hour": local.hour, "local_weekday": local.weekday(), "received_at": received}
            events.append(Event(**{**row, **when}))
        return self._writer.write(events, fresh=fresh)

    def _zones(self, customers: set[str]) -> dict[str, str]:
        query = select(Customer.id, Customer.zone).where(Customer.id.in_(customers))
        with Session(self._workspace.db) as session:
            return dict(session.execute(query).tuples().all())


def _recover(db: Engine, write: WriteEvents) -> int:
    """Batches that were marked and never closed: perhaps written, perhaps not."""
    with Session(db) as session:
        rows = session.scalars(
            select(PendingEvent)
            .where(PendingEvent.written.is_(False), PendingEvent.batch.is_not(None))
            .order_by(PendingEvent.seq)
        ).all()
    if not rows:
        return 0
    written = write([_event(row) for row in rows], fresh=False)
    _close(db, [row.seq for row in rows])
    return written


def _flush_new(db: Engine, write: WriteEvents, limit: int) -> int:
    batch = uuid.uuid4().hex
    with transaction(db) as session:
        rows = session.scalars(
            select(PendingEvent)
            .where(PendingEvent.written.is_(False), PendingEvent.batch.is_(None))
            .order_by(PendingEvent.seq)
            .limit(limit)
        ).all()
        for row in rows:
            row.batch = batch
    if rows:
        write([_event(row) for row in rows], fresh=True)
        _close(db, [row.seq for row in rows])
    return len(rows)


def _close(db: Engine, numbers: Sequence[int]) -> None:
    with transaction(db) as session:
        session.execute(update(PendingEvent).where(PendingEvent.seq.in_(numbers)).values(written=True))


def _event(row: PendingEvent) -> EventRow:
    event: EventRow = json.loads(row.body)
    event["occurred_at"] = datetime.fromisoformat(event["occurred_at"])
    return event
