"""The lakehouse: Iceberg tables, their catalog in PostgreSQL and their files here, or both elsewhere."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import InvalidInput, Stop
from smart_reach.engine.lakehouse.iceberg import history, positions
from smart_reach.engine.lakehouse.iceberg.commits import Change, commit
from smart_reach.engine.lakehouse.iceberg.files import split_by_day, write_file
from smart_reach.engine.lakehouse.iceberg.planning import TableState
from smart_reach.engine.lakehouse.lock import WriterLock
from smart_reach.engine.lakehouse.reading import ReadableLake
from smart_reach.engine.lakehouse.schemas import EVENTS, TABLES, as_events, plain_schema
from smart_reach.engine.settings import LakeSettings

# Given a column of customers: those of whom nothing may be written, which holds until the block ends.
Guard = Callable[[pa.ChunkedArray], AbstractContextManager[Set[str]]]


class Lakehouse(ReadableLake):
    """Reads and writes the tables `events`, `customers` and `features`. Safe to share between threads.

    All writers of all processes take turns (`writing`). Every snapshot of `events` carries the positions
    of its sources on, so that data and positions are sealed together. `guard`: asked before every commit
    of rows, so that nobody writes about an erased person, whenever the rows were made. With `remote` the
    catalog and the files are elsewhere, and the database at `catalog_url` only keeps the writers' lock.
    """

    def __init__(
        self,
        catalog_url: str,
        root: Path,
        guard: Guard | None = None,
        remote: LakeSettings | None = None,
    ) -> None:
        super().__init__(catalog_url, root, remote)
        self._guard = guard
        self._guarded = False
        self._lock = WriterLock(catalog_url)
        self._held: dict[str, Any] = {}  # the tables as they were when this writer's turn began

    def ensure(self) -> None:
        """Create the namespace and the events table unless they are there; add columns it lacks."""
        if not self._tables.ready():
            with self.writing():
                self._tables.ensure()
                self._held.clear()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer in the block; a thread that is may enter again.

        What is read of `events` in the block is what its `append` adds to: should the lock have been lost
        (a cut connection) and another writer been faster, the commit raises `Conflict`.
        Raises `Unavailable` when another writer does not end.
        """
        with self._lock.held() as outermost:
            if outermost:
                self._held = {}
                self._hold(EVENTS)
            yield

    @contextlib.contextmanager
    def admitting(self, rows: pa.Table) -> Iterator[pa.Table]:
        """The rows that may be written, in `writing`: those about erased people are left out.

        What the block commits is then asked about no more.
        """
        if self._guard is None or self._guarded or not rows.num_rows:
            yield rows
            return
        people = rows["customer_id"]
        with self._guard(people) as gone:
            self._guarded = True
            try:
                barred = pc.is_in(people, pa.array(sorted(gone), people.type)) if gone else None
                yield rows if barred is None else rows.filter(pc.invert(barred))
            finally:
                self._guarded = False

    def append(
        self, table: str, rows: pa.Table, *, positions: Mapping[str, Mapping[str, int]] | None = None
    ) -> int:
        """Add rows and seal positions with them; returns the id of the newest snapshot.

        `positions`: {source: {partition: next position}}, merged into those known; then there may be no
        rows. Raises `InvalidInput` when the columns do not fit, `Conflict` when another writer was faster.
        """
        rows = as_events(rows) if table == EVENTS else rows.cast(plain_schema(rows.schema))
        with self.writing(), self.admitting(rows) as rows:
            if not rows.num_rows and not positions and (current := self.snapshot_id(table)) is not None:
                return current
            handle = self.load_for_writing(table, rows.schema)
            parts = split_by_day(rows) if table == EVENTS else [rows] if rows.num_rows else []
            added = [write_file(handle, part, by_day=table == EVENTS) for part in parts]
            return self.commit(handle, table, Change("append", added), positions)

    def overwrite(self, table: str, rows: pa.Table) -> int:
        """Replace the whole table by these rows; new columns are added to its schema."""
        if table == EVENTS:
            raise InvalidInput("table", table, "Events are append-only; overwrite customers or features.")
        rows = rows.cast(plain_schema(rows.schema))
        with self.writing(), self.admitting(rows) as rows:
            handle = self.load_for_writing(table, rows.schema)
            old = frozenset(file.path for file in self.data_files(table))
            added = [write_file(handle, rows, by_day=False)] if rows.num_rows else []
            return self.commit(handle, table, Change("overwrite" if old else "append", added, old))

    def load_for_writing(self, table: str, schema: pa.Schema | None = None) -> Any:
        """The table to commit to, in `writing`; made or widened when `schema` is given."""
        if not self._lock.mine:
            raise Stop("Commits are made in `writing` only.")
        handle = self._hold(table)
        if schema is not None:
            handle = self._tables.widen(handle or self._tables.create(table, schema), schema)
        elif handle is None:
            handle = self.load(table)
        self._held[table] = handle
        return handle

    def commit(
        self,
        handle: Any,
        table: str,
        change: Change,
        new_positions: Mapping[str, Mapping[str, int]] | None = None,
    ) -> int:
        """Commit a change in `writing`; the positions of the sources are carried on."""
        parent = handle.current_snapshot()
        known = {} if parent is None else positions.parse(parent.summary)
        merged = positions.merge(known, new_positions or {})
        summary = dict(change.summary) | ({positions.KEY: positions.text(merged)} if merged else {})
        change = Change(change.operation, change.added, change.removed, summary)
        snapshot = commit(handle, change)
        if old := history.too_many(handle):
            history.remove_snapshots(handle, old)
        return snapshot

    def keep(self, name: str, snapshot: int, table: str = EVENTS) -> None:
        """Keep a snapshot under a name: it never expires."""
        self._change(table, lambda handle: history.keep_tag(handle, name, snapshot))

    def release(self, name: str, table: str = EVENTS) -> None:
        """Let a kept snapshot expire with the others."""
        self._change(table, lambda handle: history.forget_tag(handle, name))

    def drop_snapshots(self, table: str, ids: Sequence[int]) -> None:
        """Take snapshots out of a table's history; their files stay until maintenance."""
        if ids:
            self._change(table, lambda handle: history.remove_snapshots(handle, ids))

    def clear(self) -> None:
        """Drop every table with its files and start again with no events: for an interrupted build."""
        with self.writing():
            elsewhere = self._tables.elsewhere()
            for table in TABLES:
                self.clear_table(table)
            for location in elsewhere:
                self.store.delete(self.store.present(location))
            shutil.rmtree(self.root, ignore_errors=True)
            self.ensure()

    def clear_table(self, table: str) -> None:
        """Drop one table; its files stay until `clear`."""
        with self.writing():
            self._tables.drop(table)
            self._planner.forget(table)
            self._held.pop(table, None)

    def close(self) -> None:
        """Give back the catalog's connections."""
        self._lock.close()
        self._tables.close()
        self._planner.forget()

    def _change(self, table: str, change: Callable[[Any], None]) -> None:
        """A change of the table's metadata alone."""
        with self.writing():
            change(self.load_for_writing(table))

    def _hold(self, table: str) -> Any:
        """The table as it was when this turn began, or as this turn left it."""
        if self._held.get(table) is None:
            self._held[table] = self._tables.load(table)
        return self._held[table]

    def _state(self, table: str) -> TableState | None:
        if not self._lock.mine:
            return super()._state(table)
        handle = self._hold(table)
        return self._planner.state(table, handle and handle.metadata_location, lambda: handle)
