"""A file as a source: it continues at the row where the lake's newest snapshot left off.

Name and partition come from what the file and its mapping say, not from where the file lies: a renamed or
moved file goes on, a changed file or mapping is another one.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contracts.refusing import RAW_BYTES, SHOWN, Refused
from smart_reach.engine.events.sources.expressions import ROW
from smart_reach.engine.events.sources.lines import Lines, LongLine
from smart_reach.engine.events.sources.mapper import Made, Mapper, Unmade
from smart_reach.engine.events.sources.mapping import FileMapping
from smart_reach.engine.events.sources.rows import Broken, Piece, open_reader, unreadable_line
from smart_reach.engine.events.sources.source import Batch, Columns, PartitionStatus, Place, Resume

_MOST_ROWS = 250_000
_CORRECT = "Correct the row and retry it, or ingest the corrected file."


class Places(Sequence[Place]):
    """Places of rows, made only when somebody asks: the good rows of a large file never are."""

    def __init__(self, partition: str, rows: pa.Array, template: str | None) -> None:
        self._partition, self._rows = partition, rows
        self._ending = f"#{template}" if template else ""

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Place: ...
    @overload
    def __getitem__(self, place: slice) -> Places: ...
    def __getitem__(self, place: int | slice) -> Place | Places:
        if isinstance(place, slice):
            part = Places(self._partition, self._rows[place], None)
            part._ending = self._ending
            return part
        return self._partition, f"{self._rows[place].as_py()}{self._ending}"


class FileSource:
    """Rows of one file through one mapping. See `sources.source.Source` for what each method promises.

    A file that breaks off (`broken_off`) ends there: what was whole before it is kept.
    """

    kind = "file"

    def __init__(self, path: Path, mapping: FileMapping) -> None:
        self._reader = open_reader(path, mapping.file)
        self.digest = file_digest(path)
        self.path, self.mapping = path, mapping
        self.name = f"file:{self.digest[:16]}"
        self.partition = hashlib.sha256(mapping.digest.encode()).hexdigest()[:12]
        self._mapper = Mapper(mapping, self._reader.schema, path.name, self.digest)
        self._pieces: Iterator[Piece] | None = None
        self._rest: Piece | None = None
        self._position = 0
        self._start: dict[str, int] = {}
        self._done = False
        self._per_row = float(len(mapping.templates))  # records that a row becomes, as seen lately
        self.broken_off: InvalidInput | None = None
        self.skipped: Counter[str] = Counter()

    def open(self, resume: Resume) -> None:
        self.skipped.clear()
        self.rewind(resume())

    def rewind(self, positions: Mapping[str, int]) -> None:
        known = positions.get(self.partition)
        self._start = {} if known is None else {self.partition: known}
        self._position = known or 0
        self._pieces, self._rest, self._done = None, None, False

    def poll(self, limit: int, timeout_s: float) -> Batch | None:
        piece = self._next(max(1, min(_MOST_ROWS, int(limit / self._per_row))))
        if piece is None:
            return None
        made = self._mapper.make(piece.table, piece.first)
        records = sum(table.num_rows for _, _, table in made.tables)
        self._per_row = max(1.0, records / max(1, piece.next - piece.first))
        self.skipped.update(made.skipped)
        start, self._start = self._start, {self.partition: piece.next}
        self._position = piece.next
        return Batch(
            start=start,
            next=self._start,
            columns=[
                Columns(template.type, table, Places(self.partition, rows, self._ending(template.name)))
                for template, rows, table in made.tables
            ],
            refused=self._refused(piece, made),
        )

    def _ending(self, template: str) -> str | None:
        return template if len(self.mapping.templates) > 1 else None

    def _next(self, most: int) -> Piece | None:
        piece, self._rest = self._rest, None
        if piece is None and not self._done:
            try:
                if self._pieces is None:
                    self._pieces = self._reader.pieces(self.mapping.columns(), self._position, _MOST_ROWS)
                piece = next(self._pieces, None)
            except InvalidInput as error:
                self.broken_off = error
            self._done = piece is None
        if piece is not None and piece.table.num_rows > most:
            piece, self._rest = _split(piece, most)
        return piece

    def _refused(self, piece: Piece, made: Made) -> list[tuple[Place, Refused]]:
        found = [((self.partition, str(one.row)), unreadable(one)) for one in piece.broken]
        rows = _raw_rows(piece, {one.row for one in made.unmade})
        for one in made.unmade:
            ending = self._ending(one.template)
            place = (self.partition, f"{one.row}#{ending}" if ending else str(one.row))
            found.append((place, unmade(one, rows[one.row])))
        return found

    def sealed(self, positions: Mapping[str, int]) -> None:
        """A file keeps nothing that could be cleared."""

    def finished(self) -> bool:
        return self._done and self._rest is None

    def status(self) -> list[PartitionStatus]:
        end = self._reader.rows
        lag = None if end is None else max(0, end - self._position)
        return [{"partition": self.partition, "position": self._position, "end": end, "lag": lag}]

    def close(self) -> None:
        self._pieces = None
        self._mapper.close()


class LinesSource:
    """A JSONL file whose lines are records already. `contract`: of lines that do not say their `type`."""

    kind = "file"

    def __init__(self, path: Path, contract: str | None = None) -> None:
        if path.stat().st_size == 0:
            raise InvalidInput(path.name, "0 bytes", "The file is empty.")
        self.digest = file_digest(path)
        self.path, self._contract = path, contract
        self.name = f"file:{self.digest[:16]}"
        self.partition = f"lines:{contract}" if contract else "lines"
        self._lines: Lines | None = None
        self._start: dict[str, int] = {}
        self._position = 0
        self._done = False
        self.broken_off: InvalidInput | None = None
        self.skipped: Counter[str] = Counter()

    def open(self, resume: Resume) -> None:
        self.skipped.clear()
        self.rewind(resume())

    def rewind(self, positions: Mapping[str, int]) -> None:
        self.close()
        known = positions.get(self.partition)
        self._start = {} if known is None else {self.partition: known}
        self._position, self._done = known or 0, False

    def poll(self, limit: int, timeout_s: float) -> Batch | None:
        self._lines = self._lines or Lines(self.path, self._position)
        found: list[tuple[int, bytes | LongLine]] = []
        try:
            found = list(self._lines.take(limit))
        except InvalidInput as error:
            self.broken_off = error
        if not found:
            self._done = True
            return None
        start, self._start = self._start, {self.partition: self._lines.number}
        self._position = self._lines.number
        whole = [(number, line) for number, line in found if isinstance(line, bytes)]
        return Batch(
            start,
            self._start,
            [line for _, line in whole],
            [(self.partition, str(number)) for number, _ in whole],
            refused=[
                ((self.partition, str(number)), unreadable(unreadable_line(number, line)))
                for number, line in found
                if isinstance(line, LongLine)
            ],
            default_type=self._contract,
        )

    def sealed(self, positions: Mapping[str, int]) -> None:
        """A file keeps nothing that could be cleared."""

    def finished(self) -> bool:
        return self._done

    def status(self) -> list[PartitionStatus]:
        return [{"partition": self.partition, "position": self._position, "end": None, "lag": None}]

    def close(self) -> None:
        if self._lines is not None:
            self._lines.close()
            self._lines = None


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unreadable(one: Broken) -> Refused:
    """The refusal of a row that could not be read."""
    return Refused(
        one.row, str(one.row), None, None, None, None, None, one.reason, _CORRECT, one.raw, one.size
    )


def unmade(one: Unmade, raw: bytes) -> Refused:
    """The refusal of a row from which the mapping could not make the record."""
    value = None if one.value is None else one.value.replace("\x00", "\\x00")[:SHOWN]
    remedy = f"In the mapping: records, {one.template}, {one.field}."
    return Refused(
        one.row,
        str(one.row),
        one.contract,
        None,
        None,
        one.field,
        value,
        one.reason,
        remedy,
        raw[:RAW_BYTES],
        len(raw),
    )


def _raw_rows(piece: Piece, wanted: set[int]) -> dict[int, bytes]:
    if not wanted:
        return {}
    rows = piece.table
    numbers = rows[ROW] if ROW in rows.schema.names else pa.array(range(piece.first, piece.next))
    chosen = rows.filter(pc.is_in(numbers, pa.array(sorted(wanted), pa.int64())))
    found: dict[int, bytes] = {}
    for row in chosen.to_pylist():
        found[row.pop(ROW)] = json.dumps(row, ensure_ascii=False, default=str).encode()
    return found


def _split(piece: Piece, most: int) -> tuple[Piece, Piece]:
    first, rest = piece.table.slice(0, most), piece.table.slice(most)
    border: Any = rest[ROW][0].as_py()
    return (
        Piece(piece.first, border, first, [one for one in piece.broken if one.row < border]),
        Piece(border, piece.next, rest, [one for one in piece.broken if one.row >= border]),
    )
