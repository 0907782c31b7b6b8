"""Reads files in pieces of columns, from any row on, with what cannot be read set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.sources.expressions import ROW
from smart_reach.engine.events.sources.lines import Lines, LongLine
from smart_reach.engine.events.sources.mapping import FileFormat

_SUFFIXES = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "parquet": "parquet",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
}


@dataclass(frozen=True)
class Broken:
    """A row that cannot be read. `row` from 0."""

    row: int
    raw: bytes
    size: int
    reason: str


@dataclass(frozen=True)
class Piece:
    """Rows `first` to `next` (exclusive) of the file. `table` has the columns asked for."""

    first: int
    next: int
    table: pa.Table
    broken: list[Broken] = field(default_factory=list)


class Reader(Protocol):
    """Rows of one file."""

    schema: pa.Schema
    rows: int | None  # how many there are, when the file says so

    def pieces(self, columns: Sequence[str], first: int, size: int) -> Iterator[Piece]:
        """From row `first`, about `size` rows each. Raises `InvalidInput` where the file breaks off."""


def open_reader(path: Path, form: FileFormat) -> Reader:
    """The reader for a file. Raises `InvalidInput` for what is no such file."""
    if not path.is_file():
        raise InvalidInput("file", str(path), "There is no such file.")
    if path.stat().st_size == 0:
        raise InvalidInput(path.name, "0 bytes", "The file is empty.")
    kind = form.format or format_of(path)
    if kind == "parquet":
        return ParquetRows(path)
    from smart_reach.engine.events.sources.csv_rows import CsvRows

    return CsvRows(path, form) if kind == "csv" else JsonRows(path)


def format_of(path: Path) -> str:
    """csv, parquet or jsonl, by its first bytes or its name."""
    with path.open("rb") as file:
        if file.read(4) == b"PAR1":
            return "parquet"
    names = path.name.lower().removesuffix(".gz").rsplit(".", 1)
    if (found := _SUFFIXES.get(names[-1])) is None:
        remedy = "Name it .csv, .parquet or .jsonl (or .gz of these), or let the mapping say `format`."
        raise InvalidInput("file", path.name, remedy)
    return found


class ParquetRows:
    """A Parquet file, row group by row group."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._path = path
        try:
            self._file = pq.ParquetFile(path, memory_map=True)
        except (pa.ArrowException, OSError) as error:
            remedy = "This is not a whole Parquet file; it may be cut off. Get it again."
            raise InvalidInput(path.name, f"{path.stat().st_size} bytes", remedy) from error
        self.schema = self._file.schema_arrow
        self.rows: int | None = self._file.metadata.num_rows

    def pieces(self, columns: Sequence[str], first: int, size: int) -> Iterator[Piece]:
        for at, rows in self._tables(columns, first, size):
            end = at + rows.num_rows
            if end > first:
                yield checked(max(first, at), end, rows.slice(max(0, first - at)))

    def _tables(self, columns: Sequence[str], first: int, size: int) -> Iterator[tuple[int, pa.Table]]:
        """Row groups from the one that holds row `first`, small ones together, with the number of each
        table's first row."""
        for start, groups in self._groups(first, size):
            try:
                if len(groups) == 1:
                    yield from self._group(start, groups[0], columns, size)
                else:
                    yield start, self._file.read_row_groups(groups, list(columns), use_threads=True)
            except (pa.ArrowException, OSError):
                if len(groups) == 1:
                    raise
                for group in groups:  # to keep what is whole before the damage
                    yield from self._group(start, group, columns, size)
                    start += self._file.metadata.row_group(group).num_rows

    def _groups(self, first: int, size: int) -> Iterator[tuple[int, list[int]]]:
        meta = self._file.metadata
        at, start, some, held = 0, 0, list[int](), 0
        for group in range(meta.num_row_groups):
            rows = meta.row_group(group).num_rows
            if some and held + rows > size:
                yield start, some
                some, held = [], 0
            if at + rows > first:
                start = start if some else at
                some.append(group)
                held += rows
            at += rows
        if some:
            yield start, some

    def _group(
        self, at: int, group: int, columns: Sequence[str], size: int
    ) -> Iterator[tuple[int, pa.Table]]:
        try:
            for batch in self._file.iter_batches(size, [group], list(columns), use_threads=True):
                yield at, pa.Table.from_batches([batch])
                at += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            remedy = "The file is damaged from here on; get it again."
            raise InvalidInput(f"{self._path.name}, after row {at}", str(error)[:200], remedy) from error


class JsonRows:
    """A JSONL file; columns are the objects' names, and every value is its text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: int | None = None
        names: dict[str, None] = {}
        for _, line in Lines(path).take(200):
            names.update(dict.fromkeys(_names(line)))
        self.schema = pa.schema([(name, pa.string()) for name in names])

    def pieces(self, columns: Sequence[str], first: int, size: int) -> Iterator[Piece]:
        lines = Lines(self._path, first)
        try:
            while True:
                start, broken, numbers, kept = lines.number, [], [], []
                for number, line in lines.take(size):
                    row = None if isinstance(line, LongLine) else _object(line)
                    if row is None:
                        broken.append(unreadable_line(number, line))
                    else:
                        numbers.append(number)
                        kept.append(row)
                if lines.number == start or not (kept or broken):
                    return
                found = {
                    name: pa.array([_text(row.get(name)) for row in kept], pa.string()) for name in columns
                }
                table = pa.table({**found, ROW: pa.array(numbers, pa.int64())})
                yield Piece(start, lines.number, table, broken)
        finally:
            lines.close()


def _names(line: bytes | LongLine) -> list[str]:
    row = None if isinstance(line, LongLine) else _object(line)
    return list(row or ())


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def unreadable_line(number: int, line: bytes | LongLine) -> Broken:
    """What is said of a line that is too long or no JSON object."""
    if isinstance(line, LongLine):
        return Broken(number, line.head, line.size, f"The line has {line.size} bytes; 1 MB is the most.")
    return Broken(number, line[:65536], len(line), "The line is not a JSON object in UTF-8.")


def checked(first: int, stop: int, rows: pa.Table, broken: Sequence[Broken] = ()) -> Piece:
    """Text columns as valid UTF-8; rows where it is not are set aside."""
    if ROW not in rows.schema.names:
        rows = rows.append_column(ROW, pa.array(np.arange(first, first + rows.num_rows, dtype=np.int64)))
    bad: set[int] = set()
    for name in rows.schema.names:
        if _is_text(rows.schema.field(name).type):
            bad |= _invalid(rows[name])
    found = list(broken)
    if bad:
        for place in sorted(bad):
            raw = repr(
                {
                    n: rows[n].cast(pa.binary())[place].as_py()
                    for n in rows.schema.names
                    if n != ROW and _is_text(rows.schema.field(n).type)
                }
            ).encode()
            number = rows[ROW][place].as_py()
            reason = "The row holds bytes that are not UTF-8; save the file as UTF-8 or name its `encoding`."
            found.append(Broken(number, raw[:65536], len(raw), reason))
        rows = rows.take([place for place in range(rows.num_rows) if place not in bad])
    for place, name in enumerate(rows.schema.names):
        if pa.types.is_binary(rows.schema.field(name).type):
            rows = rows.set_column(place, name, rows[name].cast(pa.string()))
    return Piece(first, stop, rows, found)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind))


def _invalid(column: pa.ChunkedArray) -> set[int]:
    try:
        column.cast(pa.string()).validate(full=True)
    except pa.ArrowInvalid:
        return {place for place, value in enumerate(column.cast(pa.binary()).to_pylist()) if not _utf8(value)}
    return set()


def _utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True
