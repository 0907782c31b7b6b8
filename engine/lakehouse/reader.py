"""A locked DuckDB over the files of Iceberg snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smart_reach.engine.lakehouse.schemas import EVENTS

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GB"
THREADS = 2

# One row a message. Machine events never count as engagement; they stay visible in the *_raw columns.
MESSAGES_SQL = """
CREATE VIEW messages AS
SELECT message_id,
       any_value(customer_id) AS customer_id,
       any_value(campaign_id) AS campaign_id,
       any_value(offer_id) AS offer_id,
       any_value(channel) AS channel,
       any_value(variant_id) AS variant_id,
       min(occurred_at) FILTER (kind IN ('sent', 'held_out')) AS sent_at,
       bool_or(kind = 'held_out') AS held_out,
       bool_or(kind = 'sent') AS sent,
       bool_or(kind = 'delivered') AS delivered,
       bool_or(kind = 'open' AND NOT machine) AS opened,
       bool_or(kind = 'click' AND NOT machine) AS clicked,
       bool_or(kind = 'open') AS opened_raw,
       bool_or(kind = 'click') AS clicked_raw,
       bool_or(kind = 'conversion') AS converted,
       min(occurred_at) FILTER (kind = 'conversion') AS converted_at,
       coalesce(sum(amount_minor) FILTER (kind = 'conversion'), 0)::BIGINT AS revenue_minor,
       bool_or(kind = 'unsubscribe') AS unsubscribed,
       bool_or(kind = 'complaint') AS complained,
       bool_or(kind = 'bounce') AS bounced,
       any_value(local_hour) FILTER (kind IN ('sent', 'held_out')) AS local_hour,
       any_value(local_weekday) FILTER (kind IN ('sent', 'held_out')) AS local_weekday
FROM events
WHERE message_id IS NOT NULL
GROUP BY message_id
"""

_LOCK = (
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    f"SET threads = {THREADS}",
    f"SET memory_limit = '{MEMORY_LIMIT}'",
    "SET temp_directory = ''",
)


@dataclass(frozen=True)
class Source:
    """The files behind one view; `evolved` when older ones may lack columns."""

    files: tuple[str, ...]
    evolved: bool = False


def open_reader(root: Path, tables: Mapping[str, Source]) -> duckdb.DuckDBPyConnection:
    """Connect, make a view for every table that has files, then lock everything else away."""
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        for statement in _LOCK:
            connection.execute(statement)
        for table, source in tables.items():
            if source.files:
                connection.execute(_view(table, source))
        if EVENTS in tables and tables[EVENTS].files:
            connection.execute(MESSAGES_SQL)
        connection.execute(f"SET allowed_directories = [{_text(str(root))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _view(table: str, source: Source) -> str:
    paths = ", ".join(_text(path) for path in source.files)
    # Files written before a column was added lack it: union by name gives null there.
    union = ", union_by_name = true" if source.evolved else ""
    return f"CREATE VIEW {table} AS SELECT * FROM read_parquet([{paths}]{union})"


def _text(value: str) -> str:
    """A SQL string literal; views cannot take bound parameters."""
    return "'" + value.replace("'", "''") + "'"
