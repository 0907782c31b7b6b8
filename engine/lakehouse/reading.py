"""What can be asked of the lake: files, positions, snapshots, and a locked DuckDB over them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.lakehouse.iceberg import history
from smart_reach.engine.lakehouse.iceberg.history import Snapshot
from smart_reach.engine.lakehouse.iceberg.planning import LakeFile, Planner, TableState
from smart_reach.engine.lakehouse.iceberg.store import Store
from smart_reach.engine.lakehouse.iceberg.tables import Tables
from smart_reach.engine.lakehouse.reader import Source, open_reader
from smart_reach.engine.lakehouse.schemas import EVENTS, TABLES
from smart_reach.engine.settings import LakeSettings

if TYPE_CHECKING:
    import duckdb

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ReadableLake:
    """The reading half of `Lakehouse`. Safe to share between threads."""

    def __init__(self, catalog_url: str, root: Path, remote: LakeSettings | None = None) -> None:
        self.root = Path(root).resolve()
        self._tables = Tables(catalog_url, self.root, remote)
        self._planner = Planner()

    @property
    def catalog(self) -> Any:
        """The pyiceberg catalog; connected on first use."""
        return self._tables.catalog

    @property
    def store(self) -> Store:
        """Where the tables' files are; a path given for one is read only after `fetch`."""
        return self._tables.store

    def positions(self, source: str | None = None) -> dict[str, dict[str, int]]:
        """Where each source goes on, as sealed in the newest snapshot of `events`; of one source if given."""
        state = self._state(EVENTS)
        known = {} if state is None else state.positions
        return {
            name: dict(partitions) for name, partitions in known.items() if source is None or name == source
        }

    def files(
        self, table: str, since: datetime | None = None, *, received_since: datetime | None = None
    ) -> list[str]:
        """Paths of the Parquet files of the newest snapshot, which are on this machine then.

        Of `events` only those of days from `since`, and only those with rows received from `received_since`.
        """
        state = self._state(table)
        return [] if state is None else self._fetched(_paths(state, since, received_since))

    def data_files(self, table: str) -> tuple[LakeFile, ...]:
        """The files of the newest snapshot with their days, rows and bounds."""
        state = self._state(table)
        return () if state is None else state.files

    def added_files(self, table: str, after_snapshot: int | None) -> list[str] | None:
        """Files appended after a snapshot (None: ever), as written; None: it cannot be told, read all again.

        Each appended row is in exactly one of them.
        """
        handle = self._tables.load(table)
        if handle is None:
            return [] if after_snapshot is None else None
        found = history.added_since(handle, after_snapshot)
        return None if found is None else [file.path for file in found]

    def snapshot_id(self, table: str) -> int | None:
        """Id of the newest snapshot; None while the table has none."""
        state = self._state(table)
        return None if state is None else state.snapshot

    def snapshots(self, table: str) -> list[Snapshot]:
        """Every snapshot that can be queried, oldest first."""
        handle = self._tables.load(table)
        return [] if handle is None else history.list_snapshots(handle)

    def connect(
        self,
        *,
        tables: Sequence[str] = TABLES,
        since: datetime | None = None,
        at: int | datetime | None = None,
        received_since: datetime | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """A new locked in-memory DuckDB with one view a table that has rows, and `messages`.

        It sees the snapshots of this moment, reads inside the lake's folder only, and cannot be
        configured further. `tables`, `since` (days of events) and `received_since` make it open quicker.
        `at`: the snapshot of `events` with this id and the other tables of its time, or all tables at a
        time; raises `NotFound` naming the oldest that is kept. The caller closes it.
        """
        import duckdb

        try:
            return open_reader(self.root, self._sources(tables, since, received_since, at))
        except duckdb.IOException:  # an erasure, which leaves no grace, took a file between plan and opening
            return open_reader(self.root, self._sources(tables, since, received_since, at))

    def find(self, table: str) -> Any:
        """The pyiceberg table as it is now; None when there is none."""
        return self._tables.load(table)

    def load(self, table: str) -> Any:
        """The pyiceberg table as it is now; `InvalidInput` when there is none."""
        handle = self._tables.load(table)
        if handle is None:
            raise InvalidInput("table", table, f"Use one of {', '.join(TABLES)}; it must have rows.")
        return handle

    def _state(self, table: str) -> TableState | None:
        """The newest snapshot; None while there is none. While nothing changed this is one small query."""
        return self._planner.state(table, self._tables.location(table), lambda: self._tables.load(table))

    def _fetched(self, paths: list[str]) -> list[str]:
        self.store.fetch(paths)
        return paths

    def _sources(
        self,
        tables: Sequence[str],
        since: datetime | None,
        received_since: datetime | None,
        at: int | datetime | None,
    ) -> dict[str, Source]:
        moment = history.moment(self.load(EVENTS), at) if isinstance(at, int) else at
        sources = {}
        for table in tables:
            state = self._state(table) if moment is None else self._state_at(table, at, moment)
            limits = (since, received_since) if table == EVENTS else (None, None)
            paths = [] if state is None else self._fetched(_paths(state, *limits))
            sources[table] = Source(tuple(paths), state is not None and state.evolved)
        return sources

    def _state_at(self, table: str, at: int | datetime | None, moment: datetime) -> TableState | None:
        handle = self._tables.load(table)
        if handle is None or handle.current_snapshot() is None:
            return None
        if table == EVENTS:
            found = history.find_snapshot(handle, moment if at is None else at)
        else:
            found = history.find_nearest(handle, moment)
        return self._planner.plan(table, handle, found)


def _paths(state: TableState, since: datetime | None, received_since: datetime | None) -> list[str]:
    day = None if since is None else (since - _EPOCH).days
    micros = None if received_since is None else int((received_since - _EPOCH).total_seconds() * 1e6)
    return [
        file.path
        for file in state.files
        if (day is None or file.day is None or file.day >= day)
        and (micros is None or file.received[1] >= micros)
    ]
