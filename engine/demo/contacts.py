"""Who was contacted when, as the bank's own campaigns must know: the contact policy in short.

Contacts come from three places that overlap: the contact ledger (what the product sends or has reserved),
`demo_pending` (the bank's own messages since the history) and the lake (the history itself).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, column, or_, select, table
from sqlalchemy.orm import Session

from smart_reach.engine.demo.tables import DemoPending
from smart_reach.engine.lakehouse.schemas import EVENTS
from smart_reach.engine.state.base import UtcDateTime

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

PER_DAY, PER_WEEK = 1, 3
_DAY, _WEEK = 86_400_000_000, 7 * 86_400_000_000  # microseconds
_READ_EVERY = 6 * 3_600_000_000

# The ledger belongs to decisioning, which the demo does not import; its columns are its public face.
_LEDGER = table(
    "contact_reservations",
    column("customer_id"),
    column("at", UtcDateTime()),
    column("subject"),
    column("state"),
    column("expires_at", UtcDateTime()),
)

Known = dict[str, dict[str, int]]  # customer → message id → microseconds since 1970


class Contacts:
    """Reads contacts, and says whether one more has a place.

    The holdout's places are taken by its `held_out` rows, so that treated and held out stay comparable.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lake: Known = {}
        self._read_at: int | None = None

    def of(self, session: Session, customers: Sequence[str], first: int, now: int) -> Known:
        """Contacts of these customers from seven days before `first` on, also those reserved for later."""
        ids, since = sorted(set(customers)), first - _WEEK
        history = self._history(since, now)
        known: Known = {name: dict(history.get(name, {})) for name in ids}
        moment, start = _time(now), _time(since)
        ledger = _LEDGER.c
        counts = or_(
            ledger.state == "committed", and_(ledger.state == "reserved", ledger.expires_at > moment)
        )
        query = select(ledger.customer_id, ledger.subject, ledger.at)
        for name, subject, at in session.execute(
            query.where(ledger.customer_id.in_(ids), ledger.at > start, counts)
        ):
            known[name][subject] = _micros(at)
        own = select(DemoPending.customer_id, DemoPending.event_id, DemoPending.due_at).where(
            DemoPending.customer_id.in_(ids),
            DemoPending.kind.in_(("sent", "held_out")),
            DemoPending.due_at > start,
        )
        for name, event_id, due_at in session.execute(own):
            known[name].setdefault(event_id.rsplit(":", 1)[0], _micros(due_at))
        return known

    def place(self, known: Known, name: str, at: int, message_id: str) -> int | None:
        """Take a place in `known`: messages over the seven days before; None where a cap is reached."""
        times = [when for other, when in known[name].items() if other != message_id and when > at - _WEEK]
        near = sum(abs(when - at) < _DAY for when in times)
        if near >= PER_DAY or len(times) >= PER_WEEK:
            return None
        known[name][message_id] = at
        return len(times)

    def _history(self, since: int, now: int) -> Known:
        """Messages in the lake; read again every six hours only, since new ones are known from elsewhere."""
        if self._read_at is not None and now - self._read_at < _READ_EVERY:
            return self._lake
        self._lake, self._read_at = {}, now
        start = _time(since) - timedelta(hours=1)
        if self._workspace.lake.files(EVENTS, start):
            with self._workspace.lake.connect(tables=(EVENTS,), since=start) as connection:
                rows = connection.execute(
                    "SELECT customer_id, message_id, epoch_us(occurred_at) FROM events"
                    " WHERE kind IN ('sent', 'held_out') AND occurred_at > ? AND message_id IS NOT NULL",
                    [start],
                ).fetchall()
            for name, message_id, at in rows:
                self._lake.setdefault(name, {})[message_id] = at
        return self._lake


def _time(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
