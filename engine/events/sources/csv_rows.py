"""Reads CSV in pieces of text columns; rows of the wrong width and unclosed quotes are set aside."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.sources.expressions import ROW
from smart_reach.engine.events.sources.lines import WholeLines, open_bytes
from smart_reach.engine.events.sources.mapping import FileFormat
from smart_reach.engine.events.sources.rows import Broken, Piece, checked

_BLOCK = 8 << 20


class CsvRows:
    """A CSV file with a header; every value is text."""

    def __init__(self, path: Path, form: FileFormat) -> None:
        self._path, self._form = path, form
        self.rows: int | None = None
        header = self._header()
        self._delimiter = form.delimiter or max(",;\t|", key=header.count)
        names = [name.strip() for name in next(csv.reader([header], delimiter=self._delimiter))]
        if doubled := [name for name in names if names.count(name) > 1 or not name]:
            remedy = "Each column needs a name of its own in the first line."
            raise InvalidInput(f"{path.name}, line 1", doubled[0], remedy)
        self._names = names
        self.schema = pa.schema([(name, pa.string()) for name in names])

    def _header(self) -> str:
        try:
            with open_bytes(self._path) as file:
                line = file.readline(1 << 20)
            return line.decode("utf-8-sig" if self._form.encoding == "utf-8" else self._form.encoding).strip(
                "\r\n"
            )
        except UnicodeDecodeError as error:
            remedy = "Save the file as UTF-8, or let the mapping say `encoding: latin-1`."
            raise InvalidInput(f"{self._path.name}, line 1", line[:40], remedy) from error
        except (OSError, EOFError) as error:
            raise InvalidInput(self._path.name, "broken gzip", "Get the file again.") from error

    def pieces(self, columns: Sequence[str], first: int, size: int) -> Iterator[Piece]:
        file = WholeLines(self._path)
        broken: list[Broken] = []
        at = 0
        try:
            for batch, last in _with_last(self._batches(file, columns, broken)):
                numbers, at = _numbers(batch.num_rows, at, broken)
                rows = pa.Table.from_batches([batch]).append_column(ROW, numbers)
                if last:
                    at = max([at, *(one.row + 1 for one in broken)])
                yield from self._sized(rows, at, broken, first, size, unclosed=last and file.quotes % 2 == 1)
                broken[:] = [one for one in broken if one.row >= at]
        except pa.ArrowInvalid as error:
            remedy = "A row is larger than 8 MB, or a quote is not closed. Correct it from here on."
            raise InvalidInput(f"{self._path.name}, after row {at}", str(error)[:120], remedy) from error
        finally:
            file.close()
        if file.cut:
            raise InvalidInput(f"{self._path.name}, after row {at}", "cut off", file.cut)

    def _sized(
        self, rows: pa.Table, end: int, broken: list[Broken], first: int, size: int, *, unclosed: bool
    ) -> Iterator[Piece]:
        """Slices of a block, from row `first` on, each with the broken rows among its own."""
        if unclosed and rows.num_rows and (swallowed := _swallowed(rows)):
            broken.append(swallowed)
            rows = rows.slice(0, rows.num_rows - 1)
        start = first
        while True:
            rows = rows.filter(pc.greater_equal(rows[ROW], start))
            part = rows.slice(0, size)
            stop = end if rows.num_rows <= size else part[ROW][-1].as_py() + 1
            mine = [one for one in broken if start <= one.row < stop]
            if stop > start and (part.num_rows or mine):
                yield checked(start, stop, part, mine)
            if stop >= end:
                return
            start = stop

    def _batches(self, file: WholeLines, columns: Sequence[str], broken: list[Broken]) -> Iterator[Any]:
        from pyarrow import csv as arrow

        def note(row: Any) -> str:
            raw = row.text.encode()
            reason = f"The row has {row.actual_columns} values and the header {row.expected_columns}."
            broken.append(Broken(row.number - 2, raw[:65536], len(raw), reason))
            return "skip"

        wanted = list(columns) or self._names[:1]
        yield from arrow.open_csv(
            pa.PythonFile(file, "r"),
            read_options=arrow.ReadOptions(
                use_threads=False,
                block_size=_BLOCK,
                encoding=self._form.encoding,
                column_names=self._names,
                skip_rows=1,
            ),
            parse_options=arrow.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=arrow.ConvertOptions(
                column_types={name: pa.binary() for name in self._names},
                include_columns=wanted,
                check_utf8=False,
            ),
        )


def _with_last(batches: Iterator[Any]) -> Iterator[tuple[Any, bool]]:
    held = None
    for batch in batches:
        if held is not None:
            yield held, False
        held = batch
    if held is not None:
        yield held, True


def _numbers(count: int, at: int, broken: list[Broken]) -> tuple[pa.Array, int]:
    """The next `count` row numbers from `at`, leaving out those of broken rows; and where they end."""
    out = np.array([one.row for one in broken if one.row >= at], np.int64)
    numbers = np.setdiff1d(np.arange(at, at + count + len(out), dtype=np.int64), out)[:count]
    return pa.array(numbers), int(numbers[-1]) + 1 if count else at


def _swallowed(rows: pa.Table) -> Broken | None:
    """The last row, when a value in it runs over lines: its quote was never closed."""
    last = rows.slice(rows.num_rows - 1).to_pylist()[0]
    number = last.pop(ROW)
    raw = b",".join(value or b"" for value in last.values())
    if b"\n" not in raw:
        return None
    reason = "A quote opens in this row and is never closed, so the rows after it cannot be told apart."
    return Broken(number, raw[:65536], len(raw), reason)
