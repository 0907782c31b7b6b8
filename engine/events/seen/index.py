"""The ids received in the last days: a cache of the lake, brought up to date from its new files.

An id is kept as two 64-bit hashes, of the id and of the whole content: 16 bytes, so a hundred million ids
are 1.6 GB on disk, mapped and shared by the processes. Both equal: the same record came again. Only the
first equal: either other content under the same id, or chance; then the lake itself is read. Also kept:
when messages were delivered and opened, which the machine filter asks for.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from smart_reach.engine.events.seen.compare import CONTENT
from smart_reach.engine.events.seen.runs import Manifest, Runs, Words
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.schemas import EVENTS, blank_events_sql

if TYPE_CHECKING:
    import duckdb

DAYS = 7  # an id that comes again within so many days is dropped
_DAY = 86_400_000_000
_CHUNK = 500_000

Rows = NDArray[Any]  # row numbers, or a mark for each row
_BODY = ", ".join(CONTENT).replace("occurred_at", "epoch_us(occurred_at)")
_HASHES = f"hash(event_id), hash(event_id, {_BODY}), epoch_us(received_at) // {_DAY}"
_TOLD = ("delivered", "open")
_TELLS = f"CASE WHEN message_id IS NULL THEN 0 ELSE list_position({list(_TOLD)}, kind) END"
_ROW = f"{_HASHES}, coalesce({_TELLS}, 0), hash(message_id), epoch_us(occurred_at)"
_RECENT = "received_at >= make_timestamptz(?)"


@dataclass(frozen=True)
class Hashes:
    """Of each row: id, content, day received; what it tells (1 delivery, 2 open), of what message, when."""

    ids: Words
    bodies: Words
    days: NDArray[np.int64]
    told: NDArray[np.int8]
    messages: Words
    moments: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Hashes:
        """Only these rows."""
        return Hashes(*(getattr(self, field.name)[rows] for field in fields(self)))


class SeenIds:
    """Call everything but `hashes` inside `lake.writing()`: processes share the folder under that lock."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self._folder = Path(lake.root).parent / "seen-ids"
        self._ids, self._deliveries, self._opens = (Runs(self._folder) for _ in range(3))
        self._all = (self._ids, self._deliveries, self._opens)
        self._snapshot: int | None = None
        self._first_day = 0  # from when on everything is in the index
        self._since = 0  # from when on it is looked at
        self._form = ""
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    @property
    def since(self) -> datetime:
        """An id counts as seen when it was received from here on."""
        return _day(self._since)

    def hashes(self, rows: pa.Table) -> Hashes:
        """Hashes of rows that have all event columns."""
        with self._lock:
            return _hashes(self._duck().execute(f"SELECT {_ROW} FROM rows").fetchnumpy())

    def catch_up(self, day: int) -> None:
        """Take in what others wrote since; `day` (since 1970) is today, a week before it `find` looks."""
        self._load()
        newest, self._since = self._lake.snapshot_id(EVENTS), day - DAYS
        known = self._snapshot is not None and self._first_day <= self._since
        if known and self._first_day < self._since - 2 * DAYS:
            self._first_day = self._since - 1  # older days are dropped with the next save, not every day
        if known and newest == self._snapshot:
            return
        added = self._lake.added_files(EVENTS, self._snapshot) if known else None
        if added is None:
            for runs in self._all:
                runs.use(())
            self._first_day = self._since - 1
            added = self._lake.files(EVENTS, received_since=_day(self._first_day))
        self._read(added)
        self._save(newest)

    def find(self, hashes: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of each row: was its id received in the last days, and if so with this same content?"""
        order = np.argsort(hashes.ids, kind="stable")
        seen, same = np.zeros(len(order), bool), np.zeros(len(order), bool)
        found, bodies = self._ids.find(hashes.ids[order], self._since)
        seen[order] = found
        same[order] = found & (bodies == hashes.bodies[order])
        return seen, same

    def delivered(self, messages: Sequence[str]) -> dict[str, int]:
        """When these messages were delivered (microseconds since 1970), as far as it was in the last days."""
        return self._when(self._deliveries, messages)

    def opened(self, messages: Sequence[str]) -> set[str]:
        """Which of these messages were opened, as far as it was in the last days."""
        return set(self._when(self._opens, messages))

    def _when(self, told: Runs, messages: Sequence[str]) -> dict[str, int]:
        wanted = pa.table({"message_id": pa.array(messages, pa.string())})  # noqa: F841 - DuckDB finds it
        with self._lock:
            keys = self._duck().execute("SELECT hash(message_id) AS k FROM wanted").fetchnumpy()["k"]
        order = np.argsort(keys, kind="stable")
        found, moments = told.find(keys[order], self._since)
        times = moments.view(np.int64)
        return {messages[order[place]]: int(times[place]) for place in np.flatnonzero(found)}

    def add(self, hashes: Hashes, snapshot: int) -> None:
        """These rows are in the lake now, as of this snapshot, and nothing else is new in it."""
        self._keep(hashes)
        self._save(snapshot)

    def forget(self) -> None:
        """Forget what is in memory; the next `catch_up` starts from the folder again."""
        self._snapshot = None
        for runs in self._all:
            runs.use(())

    def _load(self) -> None:
        """Take over what another process has saved meanwhile."""
        if not self._form:
            import duckdb

            self._form = f"2/{duckdb.__version__}"  # its hash function may change with its version
        self._folder.mkdir(parents=True, exist_ok=True)
        saved = Manifest.load(self._folder, self._form)
        if saved is None:
            self.forget()
            return
        self._snapshot, self._first_day = saved.snapshot, saved.first_day
        for runs, known in zip(self._all, (saved.ids, saved.deliveries, saved.opens), strict=True):
            runs.use(known)
        if not all(runs.whole() for runs in self._all):
            self.forget()  # it is made again from the lake

    def _save(self, snapshot: int | None) -> None:
        for runs in self._all:
            runs.drop_before(self._first_day)
        self._snapshot = snapshot
        named = [runs.runs for runs in self._all]
        Manifest(self._form, snapshot, self._first_day, *named).save(self._folder)
        kept = {run.name for runs in named for run in runs}
        for path in self._folder.glob("*.run"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _read(self, files: Sequence[str]) -> None:
        if not files:
            return
        files_sql = "SELECT * FROM read_parquet(?, union_by_name = true)"
        query = f"SELECT {_ROW} FROM ({files_sql} UNION ALL BY NAME {blank_events_sql()}) WHERE {_RECENT}"
        with self._lock:
            result = self._duck().sql(query, params=[list(files), self._first_day * _DAY])
            for chunk in result.to_arrow_reader(_CHUNK):
                columns = (column.to_numpy(zero_copy_only=False) for column in chunk.columns)
                self._keep(_hashes(dict(enumerate(columns))))

    def _keep(self, hashes: Hashes) -> None:
        for day in np.unique(hashes.days[hashes.days >= self._first_day]):
            rows = np.flatnonzero(hashes.days == day)
            self._ids.add(int(day), hashes.ids[rows], hashes.bodies[rows])
            for code, runs in enumerate((self._deliveries, self._opens), 1):
                told = rows[hashes.told[rows] == code]
                if len(told):
                    runs.add(int(day), hashes.messages[told], hashes.moments[told].view(np.uint64))

    def _duck(self) -> duckdb.DuckDBPyConnection:
        """Reads the lake's own files and registered rows only; used by one thread at a time."""
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "512MB"})
            self._connection.execute("SET TimeZone = 'UTC'")
        return self._connection


def _day(day: int) -> datetime:
    return datetime.fromtimestamp(day * _DAY / 1e6, UTC)


def _hashes(found: Mapping[Any, Any]) -> Hashes:
    kinds = (np.uint64, np.uint64, np.int64, np.int8, np.uint64, np.int64)
    columns: list[Any] = [
        np.asarray(column, kind) for column, kind in zip(found.values(), kinds, strict=True)
    ]
    return Hashes(*columns)
