"""The lakehouse: Iceberg tables with their catalog in PostgreSQL and their files in the workspace."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from smart_reach.engine.errors import Conflict, InvalidInput, Stop
from smart_reach.engine.lakehouse.files import split_by_day, write_parquet
from smart_reach.engine.lakehouse.planning import Planner, TableState
from smart_reach.engine.lakehouse.reader import Source, open_reader
from smart_reach.engine.lakehouse.schemas import (
    CUSTOMERS,
    EVENT_SCHEMA,
    EVENTS,
    NAMESPACE,
    PROPERTIES,
    TABLES,
    as_events,
    plain_schema,
)

if TYPE_CHECKING:
    import duckdb


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SNAPSHOTS, _KEPT_SNAPSHOTS = 24, 3


class Lakehouse:
    """Reads and writes the tables `events`, `customers` and `features`. Safe to share between threads."""

    def __init__(self, catalog_url: str, root: Path) -> None:
        self.root = Path(root).resolve()
        self._url = catalog_url
        self._lock = threading.RLock()
        self._catalog: Any = None
        self._planner = Planner()

    @property
    def catalog(self) -> Any:
        """The pyiceberg catalog; connected on first use."""
        with self._lock:
            if self._catalog is None:
                from pyiceberg.catalog.sql import SqlCatalog

                self.root.mkdir(parents=True, exist_ok=True)
                self._catalog = SqlCatalog(
                    "lake", uri=self._url, warehouse=f"file://{self.root}", pool_pre_ping="true"
                )
            return self._catalog

    def ensure(self) -> None:
        """Create the namespace and the events table unless they are there."""
        from pyiceberg.exceptions import NamespaceAlreadyExistsError

        with contextlib.suppress(NamespaceAlreadyExistsError):  # another process was first
            self.catalog.create_namespace_if_not_exists(NAMESPACE)
        self._load_or_create(EVENTS, EVENT_SCHEMA)

    def append(self, table: str, rows: pa.Table) -> int:
        """Add rows and return the new snapshot's id. Repeats the commit when another writer was first.

        Raises `InvalidInput` when the columns do not fit, `Conflict` when every repeat lost.
        """
        rows = rows.cast(plain_schema(rows.schema)) if table != EVENTS else as_events(rows)
        if rows.num_rows == 0 and (current := self.snapshot_id(table)) is not None:
            return current
        handle = self._load_or_create(table, rows.schema)
        if table == EVENTS:
            self._forget_old(handle)
            paths = [write_parquet(self._data_folder(handle), part) for part in split_by_day(rows)]
            self._commit(lambda: handle.add_files(paths, check_duplicate_files=False))
        else:
            handle = self._widen(handle, rows.schema)
            self._commit(lambda: handle.append(rows))
        return self._newest(handle)

    def overwrite(self, table: str, rows: pa.Table) -> int:
        """Replace the whole table by these rows; new columns are added to its schema."""
        if table == EVENTS:
            raise InvalidInput("table", table, "Events are append-only; overwrite customers or features.")
        rows = rows.cast(plain_schema(rows.schema))
        handle = self._widen(self._load_or_create(table, rows.schema), rows.schema)
        if handle.current_snapshot() is None:
            self._commit(lambda: handle.append(rows))
        else:
            self._commit(lambda: handle.overwrite(rows))
        return self._newest(handle)

    def files(self, table: str, since: datetime | None = None) -> list[str]:
        """Paths of the Parquet files of the newest snapshot; of `events` only those of days from `since`."""
        state = self._state(table)
        if state is None:
            return []
        first = None if since is None else (since - _EPOCH).days
        return [path for path, day in state.files if first is None or day is None or day >= first]

    def snapshot_id(self, table: str) -> int | None:
        """Id of the newest snapshot; None while the table has none."""
        state = self._state(table)
        return None if state is None else state.snapshot

    def connect(
        self, *, tables: Sequence[str] = TABLES, since: datetime | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A new locked in-memory DuckDB with one view a table that has rows, and `messages`.

        It sees the snapshots of this moment, reads inside the lake's folder only, and cannot be
        configured further. `tables` and `since` (days of events) make it open quicker. The caller closes it.
        """
        sources = {}
        for table in tables:
            paths = self.files(table, since if table == EVENTS else None)
            state = self._state(table)
            sources[table] = Source(tuple(paths), state is not None and state.evolved)
        return open_reader(self.root, sources)

    def clear(self) -> None:
        """Drop every table with its files and start again with no events: for an interrupted build."""
        for table in TABLES:
            self.clear_table(table)
        shutil.rmtree(self.root, ignore_errors=True)
        self.ensure()

    def clear_table(self, table: str) -> None:
        """Drop one table; its files stay until `clear`."""
        from pyiceberg.exceptions import NoSuchTableError

        with contextlib.suppress(NoSuchTableError):
            self.catalog.drop_table((NAMESPACE, table))
        self._planner.forget(table)

    def close(self) -> None:
        """Give back the catalog's connections."""
        with self._lock:
            if self._catalog is not None:
                self._catalog.engine.dispose()
                self._catalog = None
        self._planner.forget()

    def load(self, table: str) -> Any:
        """The pyiceberg table as it is now; `InvalidInput` when there is none."""
        handle = self._load(table)
        if handle is None:
            raise InvalidInput("table", table, f"Use one of {', '.join(TABLES)}; it must have rows.")
        return handle

    def _state(self, table: str) -> TableState | None:
        """The newest snapshot; None while there is none. While nothing changed this is one small query."""
        return self._planner.state(
            table, self._location(table), lambda: self._load(table), by_day=table == EVENTS
        )

    def _location(self, table: str) -> str | None:
        """The address of the table's metadata file, which every commit changes."""
        from pyiceberg.catalog.sql import IcebergTables
        from sqlalchemy import select

        query = select(IcebergTables.metadata_location).where(
            IcebergTables.catalog_name == self.catalog.name,
            IcebergTables.table_namespace == NAMESPACE,
            IcebergTables.table_name == table,
        )
        with self.catalog.engine.connect() as connection:
            location: str | None = connection.scalar(query)
        return location

    def _load(self, table: str) -> Any:
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self.catalog.load_table((NAMESPACE, table))
        except NoSuchTableError:
            return None

    def _load_or_create(self, table: str, schema: pa.Schema) -> Any:
        if table not in TABLES:
            raise InvalidInput("table", table, f"Use one of {', '.join(TABLES)}.")
        return self._load(table) or self._create(table, schema)

    def _create(self, table: str, schema: pa.Schema) -> Any:
        from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
        from pyiceberg.transforms import DayTransform

        if table == CUSTOMERS and "customer_id" not in schema.names:
            raise InvalidInput("customer_id", None, "Rows of customers need a customer_id.")
        try:
            with self.catalog.create_table_transaction(
                (NAMESPACE, table), schema, properties=PROPERTIES
            ) as change:
                if table == EVENTS:
                    with change.update_spec() as spec:
                        spec.add_field("occurred_at", DayTransform(), "occurred_day")
        except (CommitFailedException, TableAlreadyExistsError):
            pass  # another process was first; its table is the same
        return self.catalog.load_table((NAMESPACE, table))

    def _widen(self, handle: Any, schema: pa.Schema) -> Any:
        known = {field.name for field in handle.schema().fields}
        if not set(schema.names) <= known:
            with handle.update_schema() as update:
                update.union_by_name(schema)
        return handle

    def _forget_old(self, handle: Any) -> None:
        """Take old snapshots out of the metadata, which every commit copies; their files stay."""
        from pyiceberg.exceptions import CommitFailedException

        snapshots = sorted(handle.metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
        if len(snapshots) <= _MOST_SNAPSHOTS:
            return
        old = [snapshot.snapshot_id for snapshot in snapshots[:-_KEPT_SNAPSHOTS]]
        with contextlib.suppress(CommitFailedException, ValueError):  # a writer was first: next time
            handle.maintenance.expire_snapshots().by_ids(old).commit()
            handle.refresh()

    def _data_folder(self, handle: Any) -> Path:
        return Path(str(handle.location()).removeprefix("file://")) / "data"

    def _newest(self, handle: Any) -> int:
        return int(handle.current_snapshot().snapshot_id)

    def _commit(self, change: Callable[[], None]) -> None:
        from pyiceberg.exceptions import CommitFailedException, ValidationException

        try:
            change()
        except (CommitFailedException, ValidationException) as error:
            raise Conflict("Other writers kept changing the table; nothing was written.") from error
        except ValueError as error:
            raise Stop(f"The rows do not fit the table: {error}") from error
