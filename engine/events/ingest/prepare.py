"""From a source's batch to rows that may be written: validate, resolve; what fails is a letter.

A record that breaks a stage (a fault of ours, or input nobody foresaw) is found by halving the batch and
becomes a letter too; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contract import check_events
from smart_reach.engine.events.contracts.validate import Checked, validate, validate_table
from smart_reach.engine.events.ingest.letters import Letter
from smart_reach.engine.events.ingest.stages import KEYS, Stages
from smart_reach.engine.events.sources.source import Batch, Columns, Place
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA

# What wrong data may raise; an outside service that is down raises other errors.
DATA_ERRORS = (pa.ArrowException, ValueError, TypeError, KeyError, IndexError, OverflowError, InvalidInput)
_MOST_RAW = 64 << 10


@dataclass(frozen=True)
class Prepared:
    """Rows that may be written (event columns only), with the number of each in its batch, and letters."""

    events: pa.Table
    rows: Sequence[int]
    letters: list[Letter]


class Preparer:
    """Runs one source's stages up to the lake's lock."""

    def __init__(self, source: str, stages: Stages) -> None:
        self._source = source
        self._stages = stages

    def prepare(self, batch: Batch, received_at: datetime) -> Prepared:
        """Never raises for bad records."""
        at = batch.received_at or received_at
        parts: list[pa.Table] = []
        letters = [Letter.of(place, refused) for place, refused in batch.refused]
        if batch.lines:
            parts += self._lines(batch, 0, len(batch.lines), at, letters)
        first = len(batch.lines)
        for columns in batch.columns:
            parts += self._columns(columns, 0, columns.table.num_rows, at, first, letters)
            first += columns.table.num_rows
        events = pa.concat_tables(parts) if parts else _none()
        rows = events["row"].to_numpy()
        return Prepared(events.drop_columns(["row"]), rows, letters)

    def _lines(
        self, batch: Batch, first: int, end: int, at: datetime, letters: list[Letter]
    ) -> list[pa.Table]:
        if first >= end:
            return []

        def check() -> Checked:
            return validate(
                batch.lines[first:end], source=self._source, received_at=at, default_type=batch.default_type
            )

        def halves(middle: int) -> list[pa.Table]:
            below = self._lines(batch, first, middle, at, letters)
            return below + self._lines(batch, middle, end, at, letters)

        return self._checked(batch, check, halves, first, end, first, letters)

    def _columns(
        self, columns: Columns, first: int, end: int, at: datetime, offset: int, letters: list[Letter]
    ) -> list[pa.Table]:
        if first >= end:
            return []
        some = columns.table.slice(first, end - first)

        def check() -> Checked:
            return validate_table(some, columns.contract, source=self._source, received_at=at)

        def halves(middle: int) -> list[pa.Table]:
            below = self._columns(columns, first, middle, at, offset, letters)
            return below + self._columns(columns, middle, end, at, offset, letters)

        return self._checked(columns, check, halves, first, end, offset + first, letters)

    def _checked(
        self,
        part: Batch | Columns,
        check: Callable[[], Checked],
        halves: Callable[[int], list[pa.Table]],
        first: int,
        end: int,
        offset: int,
        letters: list[Letter],
    ) -> list[pa.Table]:
        """One part's rows, numbered in the batch from `offset`; letters are added only when it succeeds."""
        try:
            checked = check()
            found = [Letter.of(part.places[first + one.row], one) for one in checked.refused]
            events, strangers = self._staged(checked.events)
            found += [_stranger(part, first + row) for row in strangers]
        except DATA_ERRORS as error:
            if end - first > 1:
                return halves((first + end) // 2)
            letters.append(_broken(part, first, error))
            return []
        letters += found
        place = events.schema.get_field_index("row")
        return [events.set_column(place, "row", pc.add(events["row"], pa.scalar(offset, pa.int64())))]

    def _staged(self, events: pa.Table) -> tuple[pa.Table, list[int]]:
        """Resolved rows, and the numbers of those whose customer nobody knows."""
        self._stages.probe("validated")
        events = self._stages.resolve(events)
        events = events.drop_columns([name for name in KEYS if name in events.schema.names])
        unknown = pc.or_kleene(pc.is_null(events["customer_id"]), pc.equal(events["customer_id"], ""))
        strangers = events.filter(unknown)["row"].to_pylist()
        if strangers:
            events = events.filter(pc.invert(unknown))
        events = events.select([*EVENT_SCHEMA.names, "row"])
        check_events(events)
        return events, strangers


def raw_of(batch: Batch, row: int) -> tuple[Place, bytes, int]:
    """Place, the first 64 KB and the full size of a record of the batch."""
    if row < len(batch.lines):
        line = batch.lines[row]
        return batch.places[row], line[:_MOST_RAW], len(line)
    row -= len(batch.lines)
    for columns in batch.columns:
        if row < columns.table.num_rows:
            raw = _as_text(columns, row)
            return columns.places[row], raw[:_MOST_RAW], len(raw)
        row -= columns.table.num_rows
    raise IndexError(row)


def _as_text(columns: Columns, row: int) -> bytes:
    import msgspec

    record: dict[str, Any] = {"type": columns.contract}
    values = columns.table.slice(row, 1).to_pylist()[0]
    record |= {name: value for name, value in values.items() if value is not None}
    return msgspec.json.encode(record)


def _one(part: Batch | Columns, row: int) -> tuple[Place, bytes, int]:
    if isinstance(part, Batch):
        return raw_of(part, row)
    raw = _as_text(part, row)
    return part.places[row], raw[:_MOST_RAW], len(raw)


def _stranger(part: Batch | Columns, row: int) -> Letter:
    place, raw, size = _one(part, row)
    reason = "Nobody is known by this customer key, and keys are not resolved here."
    return Letter(*place, reason, "Give customer_id, or declare the key.", raw, size, field="customer_key")


def _broken(part: Batch | Columns, row: int, error: Exception) -> Letter:
    place, raw, size = _one(part, row)
    kind = type(error).__name__
    if isinstance(error, InvalidInput):
        return Letter(*place, f"{error.field} cannot be used.", error.remedy, raw, size, field=error.field)
    return Letter(*place, f"The record could not be processed ({kind}).", "Report it to us.", raw, size)


def _none() -> pa.Table:
    return EVENT_SCHEMA.append(pa.field("row", pa.int64())).empty_table()
