"""Records of one contract as columns of events, and which of their rows need a second look.

Checks here run on whole columns. They may doubt a row that is fine (it then goes the slow way, which
decides), but a row they pass breaks no rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.events.contracts.checks import attribute_fault
from smart_reach.engine.events.contracts.extras import extras_column, shorn
from smart_reach.engine.events.contracts.fields import (
    CURRENCY_PATTERN,
    EARLIEST_MS,
    NAME_PATTERN,
    Contract,
    Field,
    Rule,
)
from smart_reach.engine.events.contracts.moments import times
from smart_reach.engine.events.contracts.personal import network_of
from smart_reach.engine.events.contracts.text import Mask, mask, suspicious
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA, UTC_MICROS

KEY_TYPE: Final = pa.struct([("kind", pa.string()), ("value", pa.string())])
# Events as they leave validation: identity fills customer_id from the keys and takes the key columns away.
CHECKED_SCHEMA: Final = pa.schema(
    [field.with_nullable(True) if field.name == "customer_id" else field for field in EVENT_SCHEMA]
    + [
        pa.field("key_kind", pa.string()),
        pa.field("key_value", pa.string()),
        pa.field("keys", pa.list_(KEY_TYPE)),
        pa.field("row", pa.int64(), nullable=False),
    ]
)
_ARROW: Final = {
    "id": pa.string(),
    "text": pa.string(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "enum": pa.string(),
    "currency": pa.string(),
    "address": pa.string(),
}
_currency = re.compile(CURRENCY_PATTERN)
_name = re.compile(NAME_PATTERN)

Columns = Mapping[str, Any]


def columns_of(contract: Contract, records: Sequence[msgspec.Struct]) -> dict[str, Any]:
    """A column per field: Arrow arrays, times as µs (int64), keys and attributes as lists."""
    columns: dict[str, Any] = {}
    for field in contract.fields:
        values = list(map(attrgetter(field.name), records))
        if field.type == "time":
            columns[field.name] = times(values)
        elif field.type == "key":
            given = values.count(None) < len(values)
            for part in ("kind", "value"):
                parts = [key and getattr(key, part) for key in values] if given else values
                columns[f"key_{part}"] = pa.array(parts, pa.string())
        elif kind := _ARROW.get(field.type):
            absent = not field.required and values.count(None) == len(values)
            columns[field.name] = pa.nulls(len(values), kind) if absent else pa.array(values, kind)
        else:
            columns[field.name] = values
    return columns


def joined(parts: Sequence[Columns]) -> dict[str, Any]:
    """Columns of several slices as one."""
    if len(parts) == 1:
        return dict(parts[0])
    made: dict[str, Any] = {}
    for name, values in parts[0].items():
        pieces = [part[name] for part in parts]
        if isinstance(values, pa.Array):
            made[name] = pa.concat_arrays(pieces)
        elif isinstance(values, np.ndarray):
            made[name] = np.concatenate(pieces)
        else:
            made[name] = list(chain.from_iterable(pieces))
    return made


def doubtful(contract: Contract, columns: Columns, latest: int) -> Mask:
    """Which rows need the slow path."""
    at = columns["occurred_at"]
    doubt: Mask = (at < EARLIEST_MS * 1000) | (at > latest)
    for field in contract.fields:
        if field.type == "text" or field.name == "customer_id":
            doubt |= suspicious(columns[field.name])
        if field.type == "currency":
            doubt |= _unlike(columns[field.name], lambda text: _currency.fullmatch(text) is not None)
        if field.type == "address":
            doubt |= _unlike(columns[field.name], lambda text: network_of(text) is not None)
        if field.type == "key":
            doubt |= _unlike(columns["key_kind"], lambda text: _name.fullmatch(text) is not None)
        if field.type == "keys":
            doubt |= [
                any(not _name.fullmatch(key.kind) for key in keys or ()) for keys in columns[field.name]
            ]
        if field.type == "attributes" and isinstance(columns[field.name], list):
            doubt |= _odd_attributes(contract, columns[field.name])
    for rule in contract.rules:
        doubt |= _breaks(rule, columns)
    return doubt


def events_of(
    contract: Contract, columns: Columns, rows: np.ndarray[Any, Any], source: str, received_at: datetime
) -> pa.Table:
    """Columns of records as columns of events (CHECKED_SCHEMA)."""
    count = len(rows)
    made: dict[str, Any] = {
        field.column: _kept(field, columns[field.name])
        for field in contract.fields
        if field.column and field.type != "time"
    }
    made["occurred_at"] = pa.array(columns["occurred_at"], pa.int64()).cast(UTC_MICROS)
    made["received_at"] = pa.repeat(pa.scalar(received_at, UTC_MICROS), count)
    made["machine"] = pa.repeat(pa.scalar(False), count)
    made["source"] = pa.repeat(source, count)
    made["kind"] = made.get("kind", _kinds(contract, columns, count))
    made["attributes"] = extras_column(contract, columns, count)
    made["key_kind"], made["key_value"] = columns["key_kind"], columns["key_value"]
    made["row"] = pa.array(rows, pa.int64())
    if "keys" in columns:
        given = [
            [{"kind": key.kind, "value": key.value} for key in keys] if keys else None
            for keys in columns["keys"]
        ]
        made["keys"] = pa.array(given, pa.list_(KEY_TYPE))
    arrays = [
        made[field.name] if field.name in made else pa.nulls(count, field.type) for field in CHECKED_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=CHECKED_SCHEMA)


def _kept(field: Field, values: pa.Array) -> pa.Array:
    """What is stored of a value: a network instead of an address, a page without its query."""
    if field.type == "address":
        return _mapped(values, network_of)
    if field.column == "page":
        return shorn(values)
    return values


def _kinds(contract: Contract, columns: Columns, count: int) -> pa.Array:
    if contract.name != "outcome":
        return pa.repeat(contract.kinds[0], count)
    return pc.if_else(pc.equal(columns["outcome"], "accepted"), "conversion", "outcome")


def _mapped(values: pa.Array, change: Any) -> pa.Array:
    """A function over a column, run once for each value that differs."""
    coded = values.dictionary_encode()
    changed = pa.array([change(value) for value in coded.dictionary.to_pylist()], pa.string())
    return changed.take(coded.indices)


def _unlike(values: pa.Array, fine: Any) -> Mask:
    """Rows whose value is there and not fine; each different value is looked at once."""
    if values.null_count == len(values):
        return np.zeros(len(values), bool)
    wrong = [value for value in values.unique().to_pylist() if value is not None and not fine(value)]
    if not wrong:
        return np.zeros(len(values), bool)
    return mask(pc.is_in(values, pa.array(wrong, pa.string())))


def _odd_attributes(contract: Contract, values: Sequence[dict[str, Any] | None]) -> list[bool]:
    if not any(values):
        return [False] * len(values)
    return [
        any(attribute_fault(name, value, contract) is not None for name, value in (given or {}).items())
        for given in values
    ]


def _breaks(rule: Rule, columns: Columns) -> Mask:
    given = [_given(columns, name) for name in rule.fields]
    broken: Mask
    if rule.kind == "at_least_one":
        broken = ~np.logical_or.reduce(given)
    elif rule.kind == "at_most_one":
        broken = given[0] & given[1]
    else:
        broken = given[0] & ~given[1]
    return broken


def _given(columns: Columns, name: str) -> Mask:
    values = columns["key_kind" if name == "customer_key" else name]
    if isinstance(values, pa.Array):
        return mask(pc.is_valid(values))
    return np.array([value is not None and value != [] for value in values], bool)
