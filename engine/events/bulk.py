"""Bulk loading of PostgreSQL by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine


def copy_rows(db: Engine, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Load rows in one transaction. Table and column names come from code, never from outside."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    pooled = db.raw_connection()
    connection: Any = pooled.driver_connection  # psycopg's own, which knows COPY
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as stream:
            for row in rows:
                stream.write_row(row)
        connection.commit()
    finally:
        pooled.close()
