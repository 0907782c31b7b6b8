"""The live bank's way into the lake: exactly once, and without asking the lake each time.

A cursor says who wrote last. It is set to minus this writer's token, and committed, before a write, and to
the token in the transaction that notes what was written. Whoever finds its own token there knows that
nothing it is about to write can be in the lake. Anything else (a crash, another process, the first write)
makes the event writer look for the ids in the lake.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.demo.tables import DemoCursor, DemoPending
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

_CURSOR = "writer"
_LATE = timedelta(minutes=1)
# The machine filter looks a few seconds back, so far must this writer's own memory reach before it will do.
_MEMORY = timedelta(minutes=1)


class LiveWriter:
    """Writes what happened. The caller holds the live bank's lock, so that nobody writes meanwhile."""

    def __init__(self, workspace: Workspace) -> None:
        self._db = workspace.db
        self._writer = EventWriter(workspace.lake)
        self._token = (uuid.uuid4().int >> 66) + 1
        self._since: datetime | None = None

    def write(
        self,
        session: Session,
        due: Sequence[DemoPending],
        organic: pa.Table | None,
        now: datetime,
        *,
        all_due: bool,
    ) -> int:
        """Write events and note in `session` that it is done; returns the new rows.

        `all_due`: no event that is due was left for later. Else an earlier crash may have written it, so
        that the next write has to ask the lake again.
        """
        parts = [] if organic is None else [organic]
        if due:
            parts.append(_events([row.payload for row in due], now))
        if not parts:
            return 0
        fresh = self._begin(session, now)
        written = self._writer.write(pa.concat_tables(parts), fresh=fresh)
        if not fresh:
            self._since = now
        _set(session, self._token if all_due else 0)
        return written

    def _begin(self, session: Session, now: datetime) -> bool:
        last = session.scalar(select(DemoCursor.position).where(DemoCursor.name == _CURSOR))
        with transaction(self._db) as own:
            _set(own, -self._token)
        return last == self._token and self._since is not None and now - self._since >= _MEMORY


def _set(session: Session, position: int) -> None:
    statement = insert(DemoCursor).values(name=_CURSOR, position=position)
    session.execute(
        statement.on_conflict_do_update(index_elements=[DemoCursor.name], set_={"position": position})
    )


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
