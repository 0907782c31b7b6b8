"""Records that are columns already (files): the same rules and the same words, without a detour over JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contracts.columns import columns_of, doubtful, events_of
from smart_reach.engine.events.contracts.extras import attribute_columns
from smart_reach.engine.events.contracts.fields import (
    EARLIEST_MS,
    KEY_LENGTH,
    LATEST_YEAR_MS,
    MAX_KEYS,
    Contract,
    Field,
)
from smart_reach.engine.events.contracts.moments import NO_TIME, times_of
from smart_reach.engine.events.contracts.records import Key
from smart_reach.engine.events.contracts.refusing import (
    Checked,
    Refused,
    examine,
    gathered,
    latest_micros,
)
from smart_reach.engine.events.contracts.registry import require_contract
from smart_reach.engine.events.contracts.text import Mask, mask, unfit
from smart_reach.engine.lakehouse.schemas import UTC_MICROS

ROWS: Final = 20_000
_STRINGS: Final = ("id", "text", "enum", "currency", "address")
Typed = tuple[Any, Mask]


def validate_table(
    rows: pa.Table,
    contract: str,
    *,
    source: str,
    received_at: datetime,
    positions: Sequence[str] | None = None,
) -> Checked:
    """Check rows whose columns are named as the contract's fields; columns it needs not may be missing.

    `customer_key` is a struct {kind, value}, `keys` a list of them, `attributes` a struct; times are
    timestamps with a zone, text or whole milliseconds. `row` counts from 0 in `rows`. Raises `InvalidInput`
    for a column that is no field, `NotFound` for an unknown contract.
    """
    chosen = require_contract(contract)
    _check_columns(rows.schema, chosen)
    latest = latest_micros(received_at)
    tables: list[pa.Table] = []
    refused: list[Refused] = []
    for first in range(0, rows.num_rows, ROWS):
        piece = rows.slice(first, ROWS).combine_chunks()
        columns, doubt = _typed(chosen, piece)
        doubt |= doubtful(chosen, columns, latest)
        places = np.arange(first, first + piece.num_rows)
        good = events_of(chosen, columns, places, source, received_at)
        if not doubt.any():
            tables.append(good)
            continue
        parts = [good.filter(pa.array(~doubt))]
        for row, line in _lines(chosen, piece, doubt):
            at = first + row
            seen = examine(line, at, positions[at] if positions else None, chosen, latest)
            if isinstance(seen, Refused):
                refused.append(seen)
            else:
                again = columns_of(chosen, [seen[1]])
                parts.append(events_of(chosen, again, np.array([at]), source, received_at))
        tables.append(pa.concat_tables(parts).sort_by("row"))
    return gathered(tables, refused)


def _check_columns(schema: pa.Schema, contract: Contract) -> None:
    known = sorted(field.name for field in contract.fields)
    for column in schema:
        if column.name not in known:
            raise InvalidInput("column", column.name, f"A {contract.name} has: {', '.join(known)}.")
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            raise InvalidInput(f"column {column.name}", "bytes", "Give text as text, in UTF-8.")


def _lines(contract: Contract, piece: pa.Table, doubt: Mask) -> Iterator[tuple[int, bytes]]:
    """The doubted rows as records, for the slow look and for the dead letters."""
    places = np.flatnonzero(doubt)
    for row, record in zip(places.tolist(), piece.take(pa.array(places)).to_pylist(), strict=True):
        given = {name: _without_nulls(value) for name, value in record.items() if value is not None}
        yield row, msgspec.json.encode({"type": contract.name, **given}, enc_hook=str)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if item is not None}
    return value


def _typed(contract: Contract, piece: pa.Table) -> tuple[dict[str, Any], Mask]:
    """Columns as `columns_of` makes them, and the rows whose values break what msgspec would have checked."""
    made: dict[str, Any] = {}
    doubt = np.zeros(piece.num_rows, bool)
    for field in contract.fields:
        if field.name in piece.schema.names:
            values = piece[field.name].combine_chunks()
        else:
            values = pa.nulls(piece.num_rows)
        if field.required:
            doubt |= mask(pc.is_null(values))
        if field.type == "key":
            (made["key_kind"], made["key_value"]), odd = _key(values)
        else:
            made[field.name], odd = _column(contract, field, values)
        doubt |= odd
    return made, doubt


def _column(contract: Contract, field: Field, values: pa.Array) -> Typed:
    if field.type in _STRINGS:
        return _text(field, values)
    match field.type:
        case "integer":
            return _whole(field, values)
        case "boolean":
            return (
                (values, _nowhere(values))
                if pa.types.is_boolean(values.type)
                else _nothing(values, pa.bool_())
            )
        case "time":
            return _moments(values)
        case "keys":
            return _keys(values)
        case _:
            return attribute_columns(contract, values)


def _nowhere(values: pa.Array) -> Mask:
    return np.zeros(len(values), bool)


def _nothing(values: pa.Array, kind: pa.DataType) -> Typed:
    """A column of another type: every value that is there is looked at for itself."""
    return pa.nulls(len(values), kind), mask(pc.is_valid(values))


def _text(field: Field, values: pa.Array) -> Typed:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return _nothing(values, pa.string())
    values = values.cast(pa.string())
    if field.type == "enum":
        return values, mask(pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, pa.array(field.enum)))))
    if field.type == "currency":
        return values, _nowhere(values)  # every different code is looked at later
    longest = field.max_length or 64
    return values, unfit(values, longest, 1 if field.type == "id" else 0)


def _whole(field: Field, values: pa.Array) -> Typed:
    if not pa.types.is_integer(values.type):
        return _nothing(values, pa.int64())
    wide = values.cast(pa.float64())  # no unsigned number overflows here, and bounds are far below 2**53
    outside = mask(pc.or_(pc.less(wide, field.minimum), pc.greater(wide, field.maximum)))
    if outside.any():
        values = pc.if_else(pa.array(outside), None, values)
    return values.cast(pa.int64()), outside


def _moments(values: pa.Array) -> tuple[Any, Mask]:
    kind = values.type
    lost = mask(pc.is_null(values))
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        micros = values.cast(UTC_MICROS, safe=False).cast(pa.int64())
    elif pa.types.is_integer(kind):
        fits = pc.and_(pc.greater_equal(values, EARLIEST_MS), pc.less_equal(values, LATEST_YEAR_MS))
        micros = pc.multiply(pc.if_else(fits, values, None).cast(pa.int64()), 1000)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return times_of(pc.fill_null(values, "").cast(pa.string())), lost
    else:
        return np.full(len(values), NO_TIME), np.ones(len(values), bool)
    return np.asarray(pc.fill_null(micros, NO_TIME)), lost


def _key(values: pa.Array) -> Typed:
    kind = values.type
    wanted = {"kind", "value"}
    if pa.types.is_struct(kind) and {kind.field(i).name for i in range(kind.num_fields)} == wanted:
        parts = [pc.struct_field(values, name) for name in ("kind", "value")]
        if all(pa.types.is_string(part.type) for part in parts):
            odd = unfit(parts[0], 64, 1) | unfit(parts[1], KEY_LENGTH, 1)
            # A key without one of its parts is no key; one that is null altogether was left out.
            half = [mask(pc.and_(pc.is_valid(values), pc.is_null(part))) for part in parts]
            return parts, odd | half[0] | half[1]
    nothing, odd = _nothing(values, pa.string())
    return (nothing, nothing), odd


def _keys(values: pa.Array) -> Typed:
    given = values.to_pylist()
    fine = [
        keys is None or (isinstance(keys, list) and len(keys) <= MAX_KEYS and all(map(_is_key, keys)))
        for keys in given
    ]
    made = [
        [Key(**key) for key in keys] if keys and good else None
        for keys, good in zip(given, fine, strict=True)
    ]
    return made, ~np.array(fine, bool)


def _is_key(key: Any) -> bool:
    if not isinstance(key, dict) or set(key) != {"kind", "value"}:
        return False
    value = key["value"]
    return (
        isinstance(key["kind"], str)
        and isinstance(value, str)
        and 1 <= len(value) <= KEY_LENGTH
        and min(value) >= " "
    )
