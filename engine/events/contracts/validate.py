"""Lines of JSON in, columns of events out, and every refused record with its reason.

Fast path: msgspec decodes into typed records (types, lengths, bounds and closed lists are checked while it
reads), then columns are checked as columns. A line that is doubted there goes the slow path alone, which
finds it fine after all or says what is wrong; its neighbours are not touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from smart_reach.engine.events.contracts.columns import (
    CHECKED_SCHEMA,
    columns_of,
    doubtful,
    events_of,
    joined,
)
from smart_reach.engine.events.contracts.fields import MAX_RECORD_BYTES, Contract
from smart_reach.engine.events.contracts.records import ANY_RECORD, RECORDS
from smart_reach.engine.events.contracts.refusing import Checked, Refused, examine, gathered, latest_micros
from smart_reach.engine.events.contracts.registry import CONTRACTS, require_contract
from smart_reach.engine.events.contracts.tables import validate_table
from smart_reach.engine.lakehouse.order import arranged

__all__ = ["CHECKED_SCHEMA", "Checked", "Refused", "validate", "validate_table"]

# Records live only as long as their slice, in the processor's cache: a few thousand at a time run twice
# as fast as many. Columns are checked and made at whole batches of slices, where the fixed cost vanishes.
SLICE: Final = 2000
BATCH: Final = 16 * SLICE
BATCH_BYTES: Final = 32 << 20
# Control characters can stand in JSON text only behind a backslash.
_ESCAPED = re.compile(rb"\\(?:u00[01]|[bfnrt])")
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_NAMES: Final = list(RECORDS)
_CODES: Final = {record: code for code, record in enumerate(RECORDS.values())}

Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class _Gathered:
    tables: list[pa.Table] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def validate(
    lines: Sequence[bytes],
    *,
    source: str,
    received_at: datetime,
    positions: Sequence[str] | None = None,
    default_type: str | None = None,
) -> Checked:
    """Check lines of JSON against their contracts; never raises for what a line says.

    `default_type`: the contract of records without `type`. `positions`: where each line stands in its
    source, for the refusals. Raises `InvalidInput` for a naive `received_at`, `NotFound` for an unknown
    `default_type`.
    """
    default = require_contract(default_type) if default_type else None
    reader = _Reader(source, received_at, default)
    tables: list[pa.Table] = []
    refused: list[Refused] = []
    for first, last in _batches(lines, 0, len(lines)):
        part = reader.read(lines[first:last], first, positions)
        tables += part.tables
        refused += part.refused
    return gathered(tables, refused)


class _Reader:
    """Reads slices for one source, arrival time and default contract."""

    def __init__(self, source: str, received_at: datetime, default: Contract | None) -> None:
        self._source = source
        self._received_at = received_at
        self._latest = latest_micros(received_at)
        self._default = default
        self._decode = msgspec.json.Decoder(RECORDS[default.name] if default else ANY_RECORD).decode

    def read(self, lines: Sequence[bytes], first: int, positions: Sequence[str] | None) -> _Gathered:
        """One batch; `first` is the index of its first line."""
        found = _Gathered()
        parts: dict[str, list[tuple[dict[str, Any], Rows]]] = {}
        doubted: set[int] = set()
        for start in range(0, len(lines), SLICE):
            records, rows, bad = self._decoded(lines, start)
            blob = b"".join([lines[row] for row in rows] if bad else lines[start : start + SLICE])
            if b"\\" in blob and _ESCAPED.search(blob):
                bad.update(row for row in rows if _ESCAPED.search(lines[row]))
            for name, some, places in _by_contract(records, rows, bad):
                parts.setdefault(name, []).append((columns_of(CONTRACTS[name], some), places))
            doubted |= bad
        for name, of_slices in parts.items():
            contract = CONTRACTS[name]
            columns = joined([one for one, _ in of_slices])
            places = np.concatenate([rows for _, rows in of_slices])
            doubt = doubtful(contract, columns, self._latest)
            events = self._events(contract, columns, places + first)
            if doubt.any():
                doubted.update(places[doubt].tolist())
                events = events.filter(pa.array(~doubt))
            found.tables.append(events)
        self._look_again(lines, first, sorted(doubted), positions, found)
        if len(found.tables) > 1:
            found.tables = [_in_order(pa.concat_tables(found.tables))]
        return found

    def _look_again(
        self,
        lines: Sequence[bytes],
        first: int,
        doubted: Sequence[int],
        positions: Sequence[str] | None,
        found: _Gathered,
    ) -> None:
        """The slow way for lines that the fast one doubts."""
        for row in doubted:
            position = positions[first + row] if positions else None
            seen = examine(lines[row], first + row, position, self._default, self._latest)
            if isinstance(seen, Refused):
                found.refused.append(seen)
            else:
                columns = columns_of(seen[0], [seen[1]])
                found.tables.append(self._events(seen[0], columns, np.array([first + row])))

    def _decoded(self, lines: Sequence[bytes], start: int) -> tuple[list[Any], Sequence[int], set[int]]:
        """Typed records of a slice, the index of each, and the lines that msgspec refuses."""
        decode = self._decode
        part = lines[start : start + SLICE]
        try:
            if max(map(len, part)) <= MAX_RECORD_BYTES:
                return list(map(decode, part)), range(start, start + len(part)), set()
        except _UNREADABLE:
            pass  # at least one line is bad: each is decoded for itself below
        records, rows, bad = [], [], set()
        for row, line in enumerate(part, start):
            try:
                if len(line) > MAX_RECORD_BYTES:
                    bad.add(row)
                    continue
                records.append(decode(line))
                rows.append(row)
            except _UNREADABLE:
                bad.add(row)
        return records, rows, bad

    def _events(self, contract: Contract, columns: Any, rows: Rows) -> pa.Table:
        return events_of(contract, columns, rows, self._source, self._received_at)


def _batches(lines: Sequence[bytes], first: int, last: int) -> Iterator[tuple[int, int]]:
    """First and last index of batches of at most BATCH lines and BATCH_BYTES, were it for single lines."""
    for start in range(first, last, BATCH):
        end = min(start + BATCH, last)
        if end - start > 1 and sum(map(len, lines[start:end])) > BATCH_BYTES:
            middle = (start + end) // 2
            yield from _batches(lines, start, middle)
            yield from _batches(lines, middle, end)
        else:
            yield start, end


def _in_order(events: pa.Table) -> pa.Table:
    """As the lines came; each contract's are in order already, which a stable sort makes use of."""
    return arranged(events, np.argsort(events["row"].to_numpy(), kind="stable"))


def _by_contract(
    records: Sequence[msgspec.Struct], rows: Sequence[int], bad: set[int]
) -> Iterator[tuple[str, list[msgspec.Struct], Rows]]:
    """Contract by contract: name, records, and the index of each; without bad rows."""
    names = np.fromiter(map(_CODES.__getitem__, map(type, records)), np.int8, len(records))
    places = np.asarray(rows)
    if bad:
        names[np.isin(places, list(bad))] = -1
    for code in np.unique(names[names >= 0]).tolist():
        chosen = np.flatnonzero(names == code)
        some = [records[place] for place in chosen.tolist()]
        yield _NAMES[code], some, places[chosen]
