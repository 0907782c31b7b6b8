"""Searches every table of the database for people's ids, whoever made the table, and takes them out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from smart_reach.engine.privacy.declared import APART, DELETED, DELETED_WHEN_NAMED
from smart_reach.engine.privacy.scrub import Scrubber

_KINDS = {
    "text": "text",
    "character varying": "text",
    "character": "text",
    "name": "text",
    "json": "json",
    "jsonb": "json",
    "bytea": "bytes",
}
_COLUMNS = text(
    "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c "
    "JOIN information_schema.tables t USING (table_schema, table_name) "
    "WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' "
    "AND c.is_generated = 'NEVER' ORDER BY c.table_name, c.ordinal_position"
)


@dataclass(frozen=True)
class Column:
    """A column that can hold an id. `kind`: text | json | bytes | texts."""

    name: str
    kind: str


@dataclass(frozen=True)
class Hit:
    """A row that names one of the people: where it stands, and its columns as they are without them."""

    place: str
    row: Mapping[str, Any]
    clean: Mapping[str, Any]


def searched_columns(session: Session) -> dict[str, list[Column]]:
    """Table → its columns that can hold an id, from the database itself."""
    found: dict[str, list[Column]] = {}
    for table, column, declared in session.execute(_COLUMNS):
        kind = "texts" if declared == "ARRAY" else _KINDS.get(declared)
        if kind is not None:
            found.setdefault(table, []).append(Column(column, kind))
    return found


def hits(session: Session, table: str, columns: Sequence[Column], scrubber: Scrubber) -> Iterator[Hit]:
    """Rows of a table that name one of the people; locked until the transaction ends."""
    needles = scrubber.needles
    names = ", ".join(_quoted(column.name) for column in columns)
    tests = " OR ".join(_test(column, number) for column in columns for number in range(len(needles)))
    query = text(f"SELECT ctid::text AS __place, {names} FROM {_quoted(table)} WHERE {tests} FOR UPDATE")
    values: dict[str, Any] = {f"t{number}": needle for number, needle in enumerate(needles)}
    values |= {f"b{number}": needle.encode() for number, needle in enumerate(needles)}
    for row in session.execute(query, values).mappings().all():
        clean = {column.name: _clean(column, row[column.name], scrubber) for column in columns}
        changed = {name: value for name, value in clean.items() if value != row[name]}
        if changed:
            yield Hit(row["__place"], dict(row), changed)


def scrub_table(session: Session, table: str, columns: Sequence[Column], scrubber: Scrubber) -> int:
    """Take the people out of one table; returns the rows changed or deleted."""
    kinds = {column.name: column.kind for column in columns}
    count = 0
    for hit in hits(session, table, columns, scrubber):
        count += 1
        if table in DELETED_WHEN_NAMED:
            statement, values = f"DELETE FROM {_quoted(table)}", {}
        else:
            sets = ", ".join(
                f"{_quoted(name)} = {_cast(kinds[name], number)}" for number, name in enumerate(hit.clean)
            )
            statement = f"UPDATE {_quoted(table)} SET {sets}"
            values = {
                f"v{number}": json.dumps(value, ensure_ascii=False) if kinds[name] == "json" else value
                for number, (name, value) in enumerate(hit.clean.items())
            }
        session.execute(text(f"{statement} WHERE ctid = CAST(:place AS tid)"), {**values, "place": hit.place})
    return count


def delete_rows(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Delete the rows that are about these people; table → rows."""
    there, found = set(searched_columns(session)), {}
    for table, columns in DELETED.items():
        if table not in there:
            continue
        test = " OR ".join(f"{_quoted(column)} = ANY(:ids)" for column in columns)
        done = session.execute(text(f"DELETE FROM {_quoted(table)} WHERE {test}"), {"ids": list(ids)})
        found[table] = int(done.rowcount)  # type: ignore[attr-defined]  # a DELETE's cursor result has it
    return {table: rows for table, rows in found.items() if rows}


def scrub_tables(session: Session, scrubber: Scrubber, only: Sequence[str] | None = None) -> dict[str, int]:
    """Take the people out of every table but those apart; table → rows."""
    found = {}
    for table, columns in searched_columns(session).items():
        if table not in APART and (only is None or table in only):
            found[table] = scrub_table(session, table, columns, scrubber)
    return {table: rows for table, rows in found.items() if rows}


def named_in(session: Session, scrubber: Scrubber) -> dict[str, int]:
    """Tables that name one of the people, the ledger included; table → rows. Changes nothing."""
    found = {}
    for table, columns in searched_columns(session).items():
        if table == "ledger" or table not in APART:
            found[table] = sum(1 for _ in hits(session, table, columns, scrubber))
    return {table: rows for table, rows in found.items() if rows}


def _test(column: Column, number: int) -> str:
    name = _quoted(column.name)
    if column.kind == "bytes":
        return f"position(CAST(:b{number} AS bytea) IN {name}) > 0"
    return f"strpos({name}::text, :t{number}) > 0"


def _clean(column: Column, value: Any, scrubber: Scrubber) -> Any:
    if value is None:
        return None
    if column.kind == "bytes":
        return scrubber.blob(bytes(value))
    return scrubber.text(value) if column.kind == "text" else scrubber.value(value)


def _cast(kind: str, number: int) -> str:
    return f"CAST(:v{number} AS jsonb)" if kind == "json" else f":v{number}"


def _quoted(name: str) -> str:
    """An identifier from the database's own catalogue or our declarations, never from outside."""
    return '"' + name.replace('"', '""') + '"'
