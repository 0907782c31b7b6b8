"""Reads the inbox of `POST /api/events` by position, like a Kafka partition."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock
from smart_reach.engine.events.inbox import NAME
from smart_reach.engine.events.sources.source import Batch, PartitionStatus, Resume
from smart_reach.engine.events.tables import InboxRow
from smart_reach.engine.state.base import transaction

PARTITION = "http"
KEYS_KEPT = timedelta(days=7)
_BATCH_BYTES = 32 << 20
_PAUSE_S = 0.15


class InboxSource:
    """Reads the inbox in order. See `sources.source.Source` for what each method promises."""

    name = NAME
    kind = "inbox"

    def __init__(self, db: Engine, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._position = 0
        self._start: dict[str, int] = {}

    def open(self, resume: Resume) -> None:
        self.rewind(resume())
        self.sealed(self._start)

    def rewind(self, positions: Mapping[str, int]) -> None:
        known = positions.get(PARTITION)
        self._position = known or 0
        self._start = {} if known is None else {PARTITION: known}

    def poll(self, limit: int, timeout_s: float) -> Batch | None:
        """Whole requests (or parts of 5,000 lines), at least one when there is any."""
        until = time.monotonic() + timeout_s
        while not (rows := self._waiting(limit)):
            if time.monotonic() + _PAUSE_S > until:
                return None
            time.sleep(_PAUSE_S)
        lines: list[bytes] = []
        places: list[tuple[str, str]] = []
        for row in rows:
            found = row.body.split(b"\n") if row.body else []
            lines += found
            places += [(PARTITION, f"{row.position}.{number}") for number in range(1, len(found) + 1)]
        start, self._start = self._start, {PARTITION: rows[-1].position + 1}
        self._position = rows[-1].position + 1
        return Batch(start, self._start, lines, places, received_at=rows[-1].received_at)

    def _waiting(self, limit: int) -> list[Any]:
        with Session(self._db) as session:
            sizes = session.execute(
                select(InboxRow.position, InboxRow.records, func.octet_length(InboxRow.body))
                .where(InboxRow.position >= self._position, InboxRow.records > 0)
                .order_by(InboxRow.position)
                .limit(500)
            ).all()
            if not sizes:
                return []
            last, records, size = sizes[0].position, 0, 0
            for position, count, length in sizes:
                records, size = records + count, size + length
                if position != last and (records > limit or size > _BATCH_BYTES):
                    break
                last = position
            return list(
                session.execute(
                    select(InboxRow.position, InboxRow.body, InboxRow.received_at)
                    .where(InboxRow.position.between(self._position, last), InboxRow.records > 0)
                    .order_by(InboxRow.position)
                ).all()
            )

    def sealed(self, positions: Mapping[str, int]) -> None:
        """Empty what a snapshot holds; forget keys after seven days. The newest row stays: it counts."""
        if (below := positions.get(PARTITION)) is None:
            return
        old = self._clock.now() - KEYS_KEPT
        newest = select(func.max(InboxRow.position)).scalar_subquery()
        with transaction(self._db) as session:
            done = InboxRow.position < below
            session.execute(update(InboxRow).where(done, InboxRow.body != b"").values(body=b""))
            session.execute(
                delete(InboxRow).where(done, InboxRow.received_at < old, InboxRow.position < newest)
            )

    def finished(self) -> bool:
        return False

    def status(self) -> list[PartitionStatus]:
        with Session(self._db) as session:
            end = (session.scalar(select(func.max(InboxRow.position))) or 0) + 1
            lag = session.scalar(
                select(func.coalesce(func.sum(InboxRow.records), 0)).where(
                    InboxRow.position >= self._position
                )
            )
        return [{"partition": PARTITION, "position": self._position, "end": end, "lag": int(lag or 0)}]

    def close(self) -> None:
        """Holds nothing open."""
