"""The demo bank while the cockpit is open: customers live on, and answer what they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.demo.clock import DemoClock
from smart_reach.engine.demo.messages import DeliveredMessage
from smart_reach.engine.demo.organic import Organic
from smart_reach.engine.demo.replies import Replies
from smart_reach.engine.demo.store import add_pending
from smart_reach.engine.demo.tables import DemoCursor, DemoPending
from smart_reach.engine.errors import InvalidInput, Stop
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA, EVENTS
from smart_reach.engine.ports import Progress, silent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

Inbox = Callable[[int], Sequence[DeliveredMessage]]
Unsubscribe = Callable[[Session, str, str, datetime], object]

_LOCK = 726_417_004
_STEP = timedelta(hours=1)
_BATCH = 20_000
_LATE = timedelta(minutes=1)
_TIDY_EVERY = 50
_COMPACT_ABOVE = 60  # files beyond one a day


@dataclass(frozen=True)
class TickReport:
    """What one tick did. `busy`: another process was ticking, so nothing was done."""

    messages: int = 0
    written: int = 0
    unsubscribed: int = 0
    busy: bool = False


class LiveBank:
    """Lets the demo's customers act up to the clock's now. Any number of processes may hold one.

    Nothing is lost or doubled by a crash: what a message causes depends on the seed and the message id
    alone, answers wait in `demo_pending` until they are due, and event ids repeat when work is repeated.
    """

    def __init__(self, workspace: Workspace, inbox: Inbox, on_unsubscribe: Unsubscribe | None = None) -> None:
        self._workspace = workspace
        self._inbox = inbox
        self._unsubscribe = on_unsubscribe or _withdraw
        self._writer = EventWriter(workspace.lake)
        self._organic = Organic(workspace)
        self._replies = Replies(workspace)
        self._lock = threading.Lock()
        self._writes = 0

    def tick(self, *, wait: bool = False, hold: bool = False) -> TickReport:
        """Everything that is due by now: read the inbox, live on, write events, record withdrawals.

        `wait`: for another process that is ticking, instead of leaving it to that one. `hold`: only read
        the inbox and leave what is due to the next tick.
        """
        with self._lock, transaction(self._workspace.db) as session:
            take = func.pg_advisory_xact_lock if wait else func.pg_try_advisory_xact_lock
            if session.scalar(select(take(_LOCK))) is False:
                return TickReport(busy=True)
            now = self._workspace.clock.now()
            messages = self._read_inbox(session, now)
            if hold:
                return TickReport(messages)
            self._read_holdout(session, now)
            due = _due(session, now)
            organic = self._live_on(session, now, bool(due))
            unsubscribed = self._record(session, due)
            written = self._write(due, organic, now)
            if due:
                ids = [row.event_id for row in due]
                session.execute(update(DemoPending).where(DemoPending.event_id.in_(ids)).values(done=True))
        self._writes += bool(written)
        if written and self._writes % _TIDY_EVERY == 0:
            self.tidy()
        return TickReport(messages, written, unsubscribed)

    def advance(
        self,
        *,
        days: float | None = None,
        until: datetime | None = None,
        step: Callable[[datetime], object] = lambda at: None,
        progress: Progress = silent,
    ) -> datetime:
        """Move the demo's clock, an hour at a time, letting customers answer and calling `step(now)`.

        Features are refreshed every seven days and at the end. Returns the new time.
        """
        clock = self._workspace.clock
        if not isinstance(clock, DemoClock):
            raise Stop("Only a demo workspace's clock can be moved.")
        start = clock.now()
        end = _end(start, days, until)
        store, refreshed, written = FeatureStore(self._workspace), start, start
        # A snapshot costs the same for one event as for a thousand: over many days write fewer.
        pause = _STEP if end - start <= timedelta(days=2) else 3 * _STEP
        while (now := clock.now()) < end:
            now = clock.advance(min(_STEP, end - now))
            step(now)
            hold = now < end and now - written < pause
            self.tick(wait=True, hold=hold)
            written = written if hold else now
            if now - refreshed >= timedelta(days=7):
                store.refresh(now)
                refreshed = now
            share = min(1.0, (now - start) / (end - start))
            progress(0.98 * share, f"Living through {now:%d %B, %H:%M}")
        store.refresh(clock.now())
        self.tidy()
        progress(1.0, "Done")
        return clock.now()

    def tidy(self) -> int:
        """Compact the events table when it has many small files; cheap when it has not."""
        lake = self._workspace.lake
        handle = lake.files(EVENTS)
        history = datetime.fromtimestamp(self._organic.start, UTC)
        days = (self._workspace.clock.now() - history).days + 2
        return compact_events(lake) if len(handle) > days + _COMPACT_ABOVE else 0

    def _read_inbox(self, session: Session, now: datetime) -> int:
        cursor = _cursor(session, "inbox")
        read = 0
        while messages := self._inbox(cursor.position):
            add_pending(session, self._replies.to_messages(session, messages))
            cursor.position = max(message.seq for message in messages)
            session.flush()
            read += len(messages)
        return read

    def _read_holdout(self, session: Session, now: datetime) -> None:
        cursor = _cursor(session, "held_out")
        replies, position = self._replies.to_holdout(session, cursor.position, now)
        add_pending(session, replies)
        cursor.position = position

    def _live_on(self, session: Session, now: datetime, flush: bool) -> pa.Table | None:
        """Organic events since the last time; few of them wait for company unless others are written."""
        cursor = _cursor(session, "organic")
        rows = self._organic.between(cursor.position, now.timestamp())
        waited = now.timestamp() - cursor.position
        if rows is None or (rows.num_rows < 20 and waited < 60 and not flush):
            return None
        cursor.position = int(now.timestamp())
        return rows

    def _record(self, session: Session, due: Sequence[DemoPending]) -> int:
        leaving = [row for row in due if row.kind == "unsubscribe"]
        for row in leaving:
            at = datetime.fromisoformat(row.payload["occurred_at"])
            self._unsubscribe(session, row.customer_id, row.payload["channel"], at)
        return len(leaving)

    def _write(self, due: Sequence[DemoPending], organic: pa.Table | None, now: datetime) -> int:
        parts = [] if organic is None else [organic]
        if due:
            parts.append(_events([row.payload for row in due], now))
        if not parts:
            return 0
        written = self._writer.write(pa.concat_tables(parts))
        self._replies.wrote()
        return written


def _due(session: Session, now: datetime) -> Sequence[DemoPending]:
    return session.scalars(
        select(DemoPending)
        .where(DemoPending.done.is_(False), DemoPending.due_at <= now)
        .order_by(DemoPending.due_at, DemoPending.event_id)
        .limit(_BATCH)
    ).all()


def _events(payloads: Sequence[dict[str, Any]], now: datetime) -> pa.Table:
    """Rows of the events table; one that comes late was received now."""
    columns: dict[str, list[Any]] = {field.name: [] for field in EVENT_SCHEMA}
    for payload in payloads:
        received = datetime.fromisoformat(payload["received_at"])
        times = {
            "occurred_at": datetime.fromisoformat(payload["occurred_at"]),
            "received_at": now if now - received > _LATE else received,
        }
        for name, values in columns.items():
            values.append(times.get(name, payload.get(name)))
    return pa.table(columns, schema=EVENT_SCHEMA)


def _cursor(session: Session, name: str) -> DemoCursor:
    cursor = session.get(DemoCursor, name)
    if cursor is None:
        raise Stop("This workspace has no demo bank.", hint="Run `smart-reach demo` first.")
    return cursor


def _withdraw(session: Session, customer_id: str, channel: str, at: datetime) -> None:
    record_consent(session, customer_id, channel, granted=False, at=at, source="unsubscribe link")


def _end(start: datetime, days: float | None, until: datetime | None) -> datetime:
    if (days is None) == (until is None):
        raise InvalidInput("days", days, "Give either days or until.")
    end = start + timedelta(days=days) if days is not None else until
    if end is None or not start < end <= start + timedelta(days=370):
        raise InvalidInput("until", str(end), "Choose a time after now and within a year.")
    return end
