"""The catalog and its tables: connect, load, create, widen."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.lakehouse.iceberg.store import Store
from smart_reach.engine.lakehouse.schemas import (
    CUSTOMERS,
    EVENT_SCHEMA,
    EVENTS,
    NAMESPACE,
    PROPERTIES,
    TABLES,
)
from smart_reach.engine.settings import LakeSettings


class Tables:
    """pyiceberg's catalog behind a small door. Safe to share between threads."""

    def __init__(self, catalog_url: str, root: Path, remote: LakeSettings | None = None) -> None:
        self.root = root
        self._remote = remote
        self._namespace = NAMESPACE if remote is None else remote.namespace
        self._url = catalog_url
        self._lock = threading.RLock()
        self._catalog: Any = None

    @property
    def catalog(self) -> Any:
        """The pyiceberg catalog; connected on first use."""
        with self._lock:
            if self._catalog is None:
                self.root.mkdir(parents=True, exist_ok=True)
                self._catalog = self._connect()
            return self._catalog

    def _connect(self) -> Any:
        if self._remote is not None:
            from smart_reach.engine.lakehouse.iceberg.rest import RestLake

            return RestLake(self._remote, self.root)
        from smart_reach.engine.lakehouse.iceberg.catalog import LakeCatalog

        return LakeCatalog("lake", uri=self._url, warehouse=f"file://{self.root}", pool_pre_ping="true")

    @property
    def store(self) -> Store:
        """Where the tables' files are."""
        store: Store = self.catalog.store
        return store

    def ready(self) -> bool:
        """Whether the events table is there with all its columns."""
        handle = self.load(EVENTS)
        return handle is not None and set(EVENT_SCHEMA.names) <= {f.name for f in handle.schema().fields}

    def ensure(self) -> None:
        """Create the namespace and the events table unless they are there; add columns it lacks."""
        from pyiceberg.exceptions import NamespaceAlreadyExistsError

        with contextlib.suppress(NamespaceAlreadyExistsError):  # another process was first
            self.catalog.create_namespace_if_not_exists(self._namespace)
        self.widen(self.load(EVENTS) or self.create(EVENTS, EVENT_SCHEMA), EVENT_SCHEMA)

    def location(self, table: str) -> str | None:
        """The address of the table's metadata file, which every commit changes."""
        location: str | None = self.catalog.metadata_location((self._namespace, table))
        return location

    def load(self, table: str) -> Any:
        """The pyiceberg table as it is now; None when there is none."""
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self.catalog.load_table((self._namespace, table))
        except NoSuchTableError:
            return None

    def widen(self, handle: Any, schema: pa.Schema) -> Any:
        """Add columns that the table lacks; older rows have null there."""
        known = {field.name for field in handle.schema().fields}
        if not set(schema.names) <= known:
            with handle.update_schema() as update:
                update.union_by_name(schema)
        return handle

    def drop(self, table: str) -> None:
        """Take the table out of the catalog; its files stay."""
        from pyiceberg.exceptions import NoSuchTableError

        with contextlib.suppress(NoSuchTableError):
            self.catalog.drop_table((self._namespace, table))

    def elsewhere(self) -> list[str]:
        """The tables' locations that are not below `root`."""
        if self._remote is None:
            return []
        handles = [self.load(table) for table in TABLES]
        return [handle.location() for handle in handles if handle is not None]

    def close(self) -> None:
        """Give back the catalog's connections."""
        with self._lock:
            if self._catalog is not None:
                self._catalog.close()
                self._catalog = None

    def create(self, table: str, schema: pa.Schema) -> Any:
        """Make the table with these columns; events are divided by day."""
        from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
        from pyiceberg.transforms import DayTransform

        if table not in TABLES:
            raise InvalidInput("table", table, f"Use one of {', '.join(TABLES)}.")
        if table == CUSTOMERS and "customer_id" not in schema.names:
            raise InvalidInput("customer_id", None, "Rows of customers need a customer_id.")
        try:
            with self.catalog.create_table_transaction(
                (self._namespace, table), schema, properties=PROPERTIES
            ) as change:
                if table == EVENTS:
                    with change.update_spec() as spec:
                        spec.add_field("occurred_at", DayTransform(), "occurred_day")
        except (CommitFailedException, TableAlreadyExistsError):
            pass  # another process was first; its table is the same
        return self.catalog.load_table((self._namespace, table))
