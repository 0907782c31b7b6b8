"""pyiceberg's catalog in PostgreSQL, with two things added: metadata is read once, and written to stay."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.io import FileIO
from pyiceberg.table import StagedTable, Table
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import (
    _apply_table_update,
    _TableMetadataUpdateContext,
    _update_table_metadata_log,
)
from sqlalchemy import select

from smart_reach.engine.lakehouse.iceberg.store import LocalStore, make_durable

_KEPT = 8


class LakeCatalog(SqlCatalog):  # type: ignore[misc]  # pyiceberg is not typed for us
    """Metadata files never change, so one that was read or written here is not parsed again."""

    def __init__(self, name: str, **properties: str) -> None:
        self._known: OrderedDict[str, TableMetadata] = OrderedDict()
        self._guard = threading.Lock()
        self.store = LocalStore()
        super().__init__(name, **properties)

    def metadata_location(self, identifier: tuple[str, str]) -> str | None:
        """The address of the table's metadata file, which every commit changes."""
        query = select(IcebergTables.metadata_location).where(
            IcebergTables.catalog_name == self.name,
            IcebergTables.table_namespace == identifier[0],
            IcebergTables.table_name == identifier[1],
        )
        with self.engine.connect() as connection:
            location: str | None = connection.scalar(query)
        return location

    def _convert_orm_to_iceberg(self, orm_table: IcebergTables) -> Table:
        location = str(orm_table.metadata_location)
        with self._guard:
            metadata = self._known.get(location)
        if metadata is None:
            table = super()._convert_orm_to_iceberg(orm_table)
            self._remember(location, table.metadata)
            return table
        return Table(
            identifier=(*self.identifier_to_tuple(orm_table.table_namespace), orm_table.table_name),
            metadata=metadata,
            metadata_location=location,
            io=self._load_file_io(metadata.properties, location),
            catalog=self,
        )

    def _write_metadata(self, metadata: TableMetadata, io: FileIO, metadata_path: str) -> None:
        super()._write_metadata(metadata, io, metadata_path)
        make_durable([metadata_path])
        self._remember(metadata_path, metadata)

    def _update_and_stage_table(
        self, current_table: Any, table_identifier: Any, requirements: Any, updates: Any
    ) -> StagedTable:
        """As pyiceberg does it, but without a deep copy of every snapshot: nobody changes one in place."""
        if current_table is None:
            return super()._update_and_stage_table(current_table, table_identifier, requirements, updates)
        for requirement in requirements:
            requirement.validate(current_table.metadata)
        metadata = _updated(current_table, updates)
        version = self._parse_metadata_version(current_table.metadata_location) + 1
        provider = load_location_provider(metadata.location, metadata.properties)
        location = provider.new_table_metadata_file_location(version)
        io = self._load_file_io(properties=metadata.properties, location=location)
        return StagedTable(table_identifier, metadata, location, io, self)

    def _remember(self, location: str, metadata: Any) -> None:
        with self._guard:
            self._known[location] = metadata
            self._known.move_to_end(location)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)


def _updated(table: Table, updates: Iterable[Any]) -> TableMetadata:
    context = _TableMetadataUpdateContext()
    before = metadata = table.metadata
    for update in updates:
        metadata = _apply_table_update(update, metadata, context)
    if context.has_changes():
        metadata = _update_table_metadata_log(metadata, table.metadata_location, before.last_updated_ms)
        if metadata.last_updated_ms == before.last_updated_ms:
            metadata = metadata.model_copy(update={"last_updated_ms": int(time.time() * 1000)})
    metadata.spec().check_compatible(metadata.schema())
    metadata.sort_order().check_compatible(metadata.schema())
    return metadata
