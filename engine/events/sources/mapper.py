"""Applies a mapping to a piece of a file: rows in, one table a template out, and what could not be made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.sources.expressions import ROW, Compiler, Expression
from smart_reach.engine.events.sources.mapping import Condition, FileMapping, Template
from smart_reach.engine.events.sources.marked import choices
from smart_reach.engine.events.sources.values import Value

if TYPE_CHECKING:
    import duckdb

_FAILED = "__failed"
_PIECE_ROWS = 32_768  # DuckDB reads the batches of a table side by side
_COMPARED = {"above": ">", "below": "<", "at_least": ">=", "at_most": "<="}


@dataclass(frozen=True)
class Unmade:
    """A record that a row should have become: the field that failed, its value, and what to do."""

    row: int
    template: str
    contract: str
    field: str
    value: str | None
    reason: str


@dataclass(frozen=True)
class Made:
    """`tables`: (template, absolute row numbers, columns named as fields). `skipped`: rows by reason."""

    tables: list[tuple[Template, pa.Array, pa.Table]]
    unmade: list[Unmade] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """`records` gives the fields and, in `__failed`, the number of the first check that failed; `values`
    gives row, check and offending text of the rows in `failed`. `checks`: (field, remedy)."""

    records: str
    values: str
    bound: dict[str, Any]
    checks: list[tuple[str, str]]


class Mapper:
    """Compiles a mapping once for a schema; `make` may then be called for piece after piece."""

    def __init__(self, mapping: FileMapping, schema: pa.Schema, file: str, digest: str) -> None:
        self._mapping = mapping
        self._opened: duckdb.DuckDBPyConnection | None = None
        types = {one.name: one.type for one in schema}
        for column in mapping.columns():
            if column not in types:
                remedy = f"The file has no such column. {choices(column, list(types))}"
                raise InvalidInput(f"{file}, column {column}", column, remedy)
        self._skips = [_skip_query(mapping, types, digest)] if mapping.skips else []
        self._queries = [(one, _query(mapping, one, types, digest)) for one in mapping.templates]

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._opened = _connect()
        return self._opened

    def make(self, rows: pa.Table, first: int) -> Made:
        """The records of rows whose first has the number `first` (from 0) in its file."""
        rows = _numbered(rows, first)
        self._connection.register("piece", rows)
        try:
            made = Made([])
            for query, bound in self._skips:
                made.skipped.update(self._counts(query, bound))
            for template, made_by in self._queries:
                self._take(template, made_by, rows, made)
        finally:
            self._connection.unregister("piece")
        return made

    def _counts(self, query: str, bound: dict[str, Any]) -> dict[str, int]:
        found = self._connection.execute(query, bound).fetchall()
        return {self._mapping.skips[number].reason: count for number, count in found}

    def _take(self, template: Template, query: Query, rows: pa.Table, made: Made) -> None:
        found = self._connection.sql(query.records, params=query.bound).to_arrow_table()
        failed = pc.is_valid(found[_FAILED])
        if pc.any(failed).as_py():
            self._explain(template, query, rows.filter(_among(rows, found.filter(failed)[ROW])), made)
            found = found.filter(pc.invert(failed))
        if found.num_rows:
            numbers = found[ROW].combine_chunks()
            made.tables.append((template, numbers, found.drop_columns([ROW, _FAILED])))

    def _explain(self, template: Template, query: Query, failed: pa.Table, made: Made) -> None:
        self._connection.register("failed", failed)
        try:
            for row, check, value in self._connection.execute(query.values, _used(query)).fetchall():
                name, remedy = query.checks[check]
                made.unmade.append(Unmade(row, template.name, template.type, name, value, remedy))
        finally:
            self._connection.unregister("failed")

    def close(self) -> None:
        """Give the memory back; `make` may be called again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _connect() -> duckdb.DuckDBPyConnection:
    import duckdb

    options = {"threads": 2, "memory_limit": "512MB", "preserve_insertion_order": True}
    connection = duckdb.connect(config={**options, "enable_external_access": False})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    return connection


def _numbered(rows: pa.Table, first: int) -> pa.Table:
    if ROW not in rows.schema.names:
        rows = rows.append_column(ROW, pa.array(np.arange(first, first + rows.num_rows, dtype=np.int64)))
    return pa.Table.from_batches(rows.to_batches(max_chunksize=_PIECE_ROWS), rows.schema)


def _query(mapping: FileMapping, template: Template, types: dict[str, pa.DataType], digest: str) -> Query:
    compiler = Compiler(types, digest)
    leaves = [(name, *_compiled(compiler, value)) for name, value in template.fields.items()]
    checks = [(name, one) for name, _, inner in leaves for one in inner if one.fails is not None]
    arms = "".join(f" WHEN {one.fails} THEN {number}" for number, (_, one) in enumerate(checks))
    failed = f"CASE{arms} END" if arms else "CAST(NULL AS INTEGER)"
    texts = "".join(f" WHEN {one.fails} THEN ({one.shown})" for _, one in checks)
    columns = [f'{made} AS "{name}"' for name, made, _ in leaves]
    where = [_all(compiler, template.when)] if template.when else []
    where += [f"NOT {_all(compiler, skip.when)}" for skip in mapping.skips]
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return Query(
        records=f"SELECT {ROW}, {failed} AS {_FAILED}, {', '.join(columns)} FROM piece{condition}",
        values=f"SELECT {ROW}, {failed}, CASE{texts} END FROM failed" if arms else "",
        bound=compiler.bound,
        checks=[(name, one.remedy) for name, one in checks],
    )


def _used(query: Query) -> dict[str, Any]:
    """The parameters that `values` names; DuckDB refuses others."""
    return {name: query.bound[name] for name in re.findall(r"\$(p\d+)", query.values)}


def _among(rows: pa.Table, numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(rows[ROW], numbers.combine_chunks())


def _compiled(compiler: Compiler, value: Value) -> tuple[str, list[Expression]]:
    if not value.parts:
        one = compiler.value(value)
        return one.value, [one]
    inner = [(name, compiler.value(part)) for name, part in value.parts]
    made = [one for _, one in inner]
    if value.target == "attributes":
        return f"struct_pack({', '.join(f'{name} := {one.value}' for name, one in inner)})", made
    packed = [f"struct_pack(kind := {compiler.bind(kind)}, value := {one.value})" for kind, one in inner]
    if value.target == "key":
        return f"CASE WHEN {made[0].value} IS NOT NULL THEN {packed[0]} END", made
    return f"list_filter([{', '.join(packed)}], lambda one: one.value IS NOT NULL)", made


def _skip_query(
    mapping: FileMapping, types: dict[str, pa.DataType], digest: str
) -> tuple[str, dict[str, Any]]:
    compiler = Compiler(types, digest)
    arms = " ".join(
        f"WHEN {_all(compiler, skip.when)} THEN {number}" for number, skip in enumerate(mapping.skips)
    )
    query = f"SELECT reason, count(*) FROM (SELECT CASE {arms} END AS reason FROM piece)"
    return f"{query} WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1", compiler.bound


def _all(compiler: Compiler, conditions: Sequence[Condition]) -> str:
    tests = " AND ".join(_test(compiler, one) for one in conditions)
    return f"coalesce({tests}, false)"


def _test(compiler: Compiler, one: Condition) -> str:
    shown = compiler.text(one.column)
    if one.test == "is":
        return f"({shown} IS {'NULL' if one.against[0] == 'empty' else 'NOT NULL'})"
    if one.test in _COMPARED:
        limit = f"CAST({compiler.bind(str(one.against[0]))} AS DECIMAL(38, 6))"
        return f"({compiler.number(one.column)} {_COMPARED[one.test]} {limit})"
    values = ", ".join(compiler.bind(value) for value in one.against)
    if one.test == "starts_with":
        return f"starts_with({shown}, {values})"
    return f"({shown} {'NOT IN' if one.test == 'not' else 'IN'} ({values}))"
