"""The demo bank while the cockpit is open: customers live on, and answer what they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.demo.always_on import AlwaysOn, OnSent
from smart_reach.engine.demo.clock import DemoClock
from smart_reach.engine.demo.live_writer import LiveWriter
from smart_reach.engine.demo.messages import DeliveredMessage
from smart_reach.engine.demo.organic import Organic
from smart_reach.engine.demo.replies import Replies
from smart_reach.engine.demo.simulation.world import LEAD_DAYS
from smart_reach.engine.demo.simulation.zones import DAY
from smart_reach.engine.demo.store import ALWAYS_ON, add_pending
from smart_reach.engine.demo.tables import DemoCursor, DemoPending
from smart_reach.engine.errors import InvalidInput, Stop
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.schemas import EVENTS
from smart_reach.engine.ports import Progress, silent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

Inbox = Callable[[int], Sequence[DeliveredMessage]]
Unsubscribe = Callable[[Session, str, str, datetime], object]

_LOCK = 726_417_004
_STEP = timedelta(hours=1)
_BATCH = 20_000
_CHUNK = 3_600_000_000  # microseconds of own campaigns at a time, so that withdrawals come in between
_LEAVING = ("unsubscribe", "complaint")
_RECORDED = "recorded"  # in the payload of an unsubscribe whose withdrawal is written down
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

    def __init__(
        self,
        workspace: Workspace,
        inbox: Inbox,
        on_unsubscribe: Unsubscribe | None = None,
        on_sent: OnSent | None = None,
    ) -> None:
        """`on_sent(session, rows)`: told of the bank's own messages (customer, channel, at, message id) in
        the transaction that records them; the contact ledger's `backfill` fits.
        """
        self._workspace = workspace
        self._inbox = inbox
        self._unsubscribe = on_unsubscribe or _withdraw
        self._writer = LiveWriter(workspace)
        self._organic = Organic(workspace)
        self._replies = Replies(workspace)
        self._always_on = AlwaysOn(workspace, self._replies, on_sent)
        self._lock = threading.Lock()
        self._writes = 0

    def tick(self, *, wait: bool = False, hold: bool = False) -> TickReport:
        """Everything due by now: read the inbox, record withdrawals, send the bank's own messages, live on,
        write events.

        `wait`: for another process that is ticking, instead of leaving it to that one. `hold`: read the
        inbox and record withdrawals, but leave the events to a later tick.
        """
        with self._lock, transaction(self._workspace.db) as session:
            take = func.pg_advisory_xact_lock if wait else func.pg_try_advisory_xact_lock
            if session.scalar(select(take(_LOCK))) is False:
                return TickReport(busy=True)
            now = self._workspace.clock.now()
            messages = self._read_inbox(session, now)
            unsubscribed = self._record(session, now)
            unsubscribed += self._campaign_on(session, now)
            if hold:
                return TickReport(messages, unsubscribed=unsubscribed)
            self._read_holdout(session, now)
            written = self._write(session, now)
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
        """Move the demo's clock, an hour at a time, letting customers act and then calling `step(now)`.

        Withdrawals of consent are recorded in every hour, before `step`; events are written to the lake every
        six hours and at the end, since a snapshot costs the same for one event as for a thousand. Features
        are refreshed every seven days and at the end. Returns the new time.
        """
        clock = self._workspace.clock
        if not isinstance(clock, DemoClock):
            raise Stop("Only a demo workspace's clock can be moved.")
        start = now = clock.now()
        end = _end(start, days, until)
        store, refreshed = FeatureStore(self._workspace), start
        while now < end:
            before, now = now, clock.advance(min(_STEP, end - now))
            self.tick(wait=True, hold=now < end and _quarter(before) == _quarter(now))
            step(now)
            if now - refreshed >= timedelta(days=7) and now < end:
                store.refresh(now)
                refreshed = now
            share = min(1.0, (now - start) / (end - start))
            progress(0.98 * share, f"Living through {now:%d %B, %H:%M}")
            now = max(now, clock.now())
        self.tick(wait=True)
        store.refresh(clock.now())
        self.tidy()
        progress(1.0, "Done")
        return clock.now()

    def tidy(self) -> int:
        """Compact the events table when it has many small files; cheap when it has not."""
        lake = self._workspace.lake
        handle = lake.files(EVENTS)
        history = datetime.fromtimestamp(self._organic.start - LEAD_DAYS * DAY, UTC)
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

    def _campaign_on(self, session: Session, now: datetime) -> int:
        """The bank's own campaigns since the last time, and the withdrawals they lead to by now.

        A bank built before its campaigns went on begins now.
        """
        until = int(now.timestamp() * 1e6)
        cursor = session.get(DemoCursor, ALWAYS_ON)
        if cursor is None:
            session.add(DemoCursor(name=ALWAYS_ON, position=until))
            return 0
        unsubscribed = 0
        for moment in (*range(cursor.position + _CHUNK, until, _CHUNK), until):
            add_pending(session, self._always_on.between(session, cursor.position, moment))
            cursor.position = moment
            unsubscribed += self._record(session, datetime.fromtimestamp(moment / 1e6, UTC))
        return unsubscribed

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

    def _record(self, session: Session, now: datetime) -> int:
        """Write down withdrawals that are due, each once, written to the lake or not; a complaint is one."""
        leaving = session.scalars(
            _open(now).where(DemoPending.kind.in_(_LEAVING), ~DemoPending.payload.has_key(_RECORDED))
        ).all()
        for row in leaving:
            at = datetime.fromisoformat(row.payload["occurred_at"])
            self._unsubscribe(session, row.customer_id, row.payload["channel"], at)
            row.payload = {**row.payload, _RECORDED: True}
        return len(leaving)

    def _write(self, session: Session, now: datetime) -> int:
        due = session.scalars(_open(now).limit(_BATCH)).all()
        organic = self._live_on(session, now, bool(due))
        written = self._writer.write(session, due, organic, now, all_due=len(due) < _BATCH)
        if due:
            ids = [row.event_id for row in due]
            done = update(DemoPending).where(DemoPending.event_id.in_(ids)).values(done=True)
            session.execute(done, execution_options={"synchronize_session": False})  # not used again here
        if written:
            self._replies.wrote()
        return written


def _open(now: datetime) -> Select[DemoPending]:
    """What is due and not in the lake, earliest first."""
    return (
        select(DemoPending)
        .where(DemoPending.done.is_(False), DemoPending.due_at <= now)
        .order_by(DemoPending.due_at, DemoPending.event_id)
    )


def _quarter(at: datetime) -> int:
    """Number of the six hours, counted from midnight UTC, that hold `at`."""
    return int(at.timestamp() // (6 * 3600))


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
