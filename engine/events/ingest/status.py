"""How a source is doing, for the Data page: one row of `sources`, written at most once a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock
from smart_reach.engine.events.sources.source import PartitionStatus
from smart_reach.engine.events.tables import SourceStatus
from smart_reach.engine.state.base import transaction

_EVERY_S, _WINDOW_S = 1.0, 60.0


@dataclass(frozen=True)
class Counts:
    """What one batch brought."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    newest: datetime | None = None

    @property
    def records(self) -> int:
        return self.accepted + self.duplicates + self.refused


class StatusKeeper:
    """Counts in memory and writes now and then; the counters in the row only ever grow."""

    def __init__(
        self, db: Engine, clock: Clock, name: str, kind: str, read: Callable[[], list[PartitionStatus]]
    ) -> None:
        self._db = db
        self._clock = clock
        self._name, self._kind, self._read = name, kind, read
        self._pending: list[Counts] = []
        self._recent: deque[tuple[float, int]] = deque()
        self._written = float("-inf")
        self._started = time.monotonic()
        self._committed_at: datetime | None = None
        self.state = "starting"
        self.error: str | None = None

    def count(self, counts: Counts) -> None:
        """A batch was committed."""
        self._pending.append(counts)
        self._recent.append((time.monotonic(), counts.records))
        self._committed_at = self._clock.now()

    def tell(self, state: str, error: str | None = None) -> None:
        """Write the row if the state changed or a second has passed. Raises when the database is down."""
        changed = (state, error) != (self.state, self.error)
        if not changed and time.monotonic() - self._written < _EVERY_S:
            return
        self.state, self.error = state, error
        partitions = self._read()
        with transaction(self._db) as session:
            self._write(session, partitions)
        self._pending = []
        self._written = time.monotonic()

    def rate(self) -> float:
        """Records a second over the last minute."""
        now = time.monotonic()
        while self._recent and self._recent[0][0] < now - _WINDOW_S:
            self._recent.popleft()
        span = min(_WINDOW_S, max(1.0, now - self._started))
        return sum(records for _, records in self._recent) / span

    def _write(self, session: Session, partitions: list[PartitionStatus]) -> None:
        blank = {"kind": self._kind, "state": self.state, "updated_at": self._clock.now()}
        session.execute(insert(SourceStatus).values(name=self._name, **blank).on_conflict_do_nothing())
        row = session.get_one(SourceStatus, self._name, with_for_update=True)
        row.kind, row.state, row.last_error = self._kind, self.state, self.error
        # Several processes may read one source: those of the others stay as they said.
        known: dict[str, Any] = {one["partition"]: one for one in row.partitions or []}
        known |= {one["partition"]: dict(one) for one in partitions}
        row.partitions = [known[name] for name in sorted(known)]
        lags = [one["lag"] for one in row.partitions if one["lag"] is not None]
        row.lag = sum(lags) if lags else None
        row.rate = self.rate()
        row.accepted += sum(one.accepted for one in self._pending)
        row.duplicates += sum(one.duplicates for one in self._pending)
        row.refused += sum(one.refused for one in self._pending)
        newest = [one.newest for one in self._pending if one.newest is not None]
        row.last_event_at = max([*newest, *([row.last_event_at] if row.last_event_at else [])], default=None)
        row.last_commit_at = self._committed_at or row.last_commit_at
        row.updated_at = self._clock.now()
