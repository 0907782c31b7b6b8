"""A locked DuckDB over the files of Iceberg snapshots."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smart_reach.engine.lakehouse.rollups.messages import MESSAGES_SQL
from smart_reach.engine.lakehouse.rollups.views import statements, text
from smart_reach.engine.lakehouse.schemas import EVENTS, blank_events_sql

if TYPE_CHECKING:
    import duckdb

__all__ = ["MESSAGES_SQL", "Source", "open_reader"]
MEMORY_LIMIT = "1GB"
MOST_SPILLED = "10GB"
THREADS = 2

_LOCK = (
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    f"SET threads = {THREADS}",
    f"SET memory_limit = '{MEMORY_LIMIT}'",
    f"SET max_temp_directory_size = '{MOST_SPILLED}'",
)


@dataclass(frozen=True)
class Source:
    """The files behind one view; `evolved` when older ones may lack columns."""

    files: tuple[str, ...]
    evolved: bool = False


def open_reader(root: Path, tables: Mapping[str, Source]) -> duckdb.DuckDBPyConnection:
    """Connect, make a view for every table that has files, then lock everything else away.

    Events come with `messages` (one row a message) and `event_span` (oldest, newest, received).
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        for statement in _LOCK:
            connection.execute(statement)
        for table, source in tables.items():
            if source.files:
                connection.execute(_view(table, source))
        if EVENTS in tables and tables[EVENTS].files:
            source = tables[EVENTS]
            for statement in statements(root, source.files, _options(source)):
                connection.execute(statement)
        # a folder of its own, made when memory does not suffice and taken away with the connection
        connection.execute(f"SET temp_directory = {text(str(root / f'spill-{uuid.uuid4().hex}'))}")
        connection.execute(f"SET allowed_directories = [{text(str(root))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _view(table: str, source: Source) -> str:
    paths = ", ".join(text(path) for path in source.files)
    rows = f"SELECT * FROM read_parquet([{paths}]{_options(source)})"
    if table == EVENTS and source.evolved:
        rows += f" UNION ALL BY NAME {blank_events_sql()}"
    return f"CREATE VIEW {table} AS {rows}"


def _options(source: Source) -> str:
    # Files written before a column was added lack it: union by name gives null there.
    return ", union_by_name = true" if source.evolved else ""
