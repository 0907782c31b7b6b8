"""The catalog and its tables: connect, load, create, widen."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.lakehouse.schemas import (
    CUSTOMERS,
    EVENT_SCHEMA,
    EVENTS,
    NAMESPACE,
    PROPERTIES,
    TABLES,
)


class Tables:
    """pyiceberg's catalog behind a small door. Safe to share between threads."""

    def __init__(self, catalog_url: str, root: Path) -> None:
        self.root = root
        self._url = catalog_url
        self._lock = threading.RLock()
        self._catalog: Any = None

    @property
    def catalog(self) -> Any:
        """The pyiceberg catalog; connected on first use."""
        with self._lock:
            if self._catalog is None:
                from smart_reach.engine.lakehouse.iceberg.catalog import LakeCatalog

                self.root.mkdir(parents=True, exist_ok=True)
                self._catalog = LakeCatalog(
                    "lake", uri=self._url, warehouse=f"file://{self.root}", pool_pre_ping="true"
                )
            return self._catalog

    def ready(self) -> bool:
        """Whether the events table is there with all its columns."""
        handle = self.load(EVENTS)
        return handle is not None and set(EVENT_SCHEMA.names) <= {f.name for f in handle.schema().fields}

    def ensure(self) -> None:
        """Create the namespace and the events table unless they are there; add columns it lacks."""
        from pyiceberg.exceptions import NamespaceAlreadyExistsError

        with contextlib.suppress(NamespaceAlreadyExistsError):  # another process was first
            self.catalog.create_namespace_if_not_exists(NAMESPACE)
        self.widen(self.load(EVENTS) or self.create(EVENTS, EVENT_SCHEMA), EVENT_SCHEMA)

    def location(self, table: str) -> str | None:
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

    def load(self, table: str) -> Any:
        """The pyiceberg table as it is now; None when there is none."""
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self.catalog.load_table((NAMESPACE, table))
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
            self.catalog.drop_table((NAMESPACE, table))

    def close(self) -> None:
        """Give back the catalog's connections."""
        with self._lock:
            if self._catalog is not None:
                self._catalog.engine.dispose()
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
                (NAMESPACE, table), schema, properties=PROPERTIES
            ) as change:
                if table == EVENTS:
                    with change.update_spec() as spec:
                        spec.add_field("occurred_at", DayTransform(), "occurred_day")
        except (CommitFailedException, TableAlreadyExistsError):
            pass  # another process was first; its table is the same
        return self.catalog.load_table((NAMESPACE, table))
