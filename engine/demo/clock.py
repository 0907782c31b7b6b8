"""The demo's clock: real time plus an offset that every process reads from the database."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from smart_reach.engine.clock import Clock, SystemClock
from smart_reach.engine.demo.tables import DemoClockRow
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.state.base import transaction

_ROW = 1
_REFRESH_SECONDS = 0.5


class DemoClock:
    """Never goes back. Another process's `advance` is seen here within half a second."""

    def __init__(self, db: Engine, real: Clock | None = None) -> None:
        # not from the shared pool: `now` is asked inside transactions, and askers that each hold one
        # connection while they wait for a second could wait for each other for ever
        self._db = create_engine(db.url, poolclass=NullPool)
        self._real = real or SystemClock()
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self._read_at = float("-inf")
        self._latest = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Real time plus the stored offset, in UTC."""
        with self._lock:
            if time.monotonic() - self._read_at > _REFRESH_SECONDS:
                self._offset = self._stored()
                self._read_at = time.monotonic()
            self._latest = max(self._latest, self._real.now() + self._offset)
            return self._latest

    def offset(self) -> timedelta:
        """How far the demo is ahead of real time now."""
        return self._stored()

    def advance(self, step: timedelta) -> datetime:
        """Move every process's time forward; returns the new time."""
        if step < timedelta(0):
            raise InvalidInput("step", str(step), "The demo's clock moves forward only.")
        micros = step // timedelta(microseconds=1)
        statement = insert(DemoClockRow).values(id=_ROW, offset_us=micros)
        with transaction(self._db) as session:
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=[DemoClockRow.id], set_={"offset_us": DemoClockRow.offset_us + micros}
                )
            )
        with self._lock:
            self._read_at = float("-inf")
        return self.now()

    def _stored(self) -> timedelta:
        with Session(self._db) as session:
            micros = session.scalar(select(DemoClockRow.offset_us).where(DemoClockRow.id == _ROW))
        return timedelta(microseconds=micros or 0)
