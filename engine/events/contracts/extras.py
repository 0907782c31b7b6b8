"""What a record says beyond the columns of `events`, as JSON: one object a row, null when there is nothing.

Declared fields stand under their own name, free attributes beside them:
`{"quantity": 2, "merchant_category": "groceries", "country": "PT"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pyarrow as pa

from smart_reach.engine.events.contracts.declared import ALL
from smart_reach.engine.events.contracts.fields import Contract
from smart_reach.engine.events.contracts.personal import without_query

_encoder = msgspec.json.Encoder()


def extras_column(contract: Contract, columns: Mapping[str, Any], count: int) -> pa.Array:
    """The column `attributes` of a contract's rows."""
    names, shape = _SHAPES[contract.name]
    filled = [name for name in names if columns[name].count(None) < count]
    free = columns["attributes"]
    if not filled and not any(free):
        return pa.nulls(count, pa.string())
    lists = [_plain(name, columns[name]) for name in names]
    rows: list[Any] = list(map(shape, *lists)) if names else [{}] * count
    for place, given in enumerate(free):
        if given:
            rows[place] = _merged(rows[place], given)
    lines = _encoder.encode_lines(rows).decode().split("\n")
    lines.pop()
    return pa.array([None if line == "{}" else line for line in lines], pa.string())


def _merged(declared: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    known = declared if isinstance(declared, dict) else msgspec.to_builtins(declared)
    # By name, so that a record sent again with its attributes in another order says the same.
    return {**known, **{name: given[name] for name in sorted(given) if given[name] is not None}}


def _shape(contract: Contract) -> tuple[tuple[str, ...], Any]:
    names = tuple(
        field.name
        for field in contract.fields
        if field.column is None and field.type not in ("time", "key", "keys", "attributes")
    )
    fields: list[Any] = [(name, Any, None) for name in names]
    return names, msgspec.defstruct(f"{contract.name}_extras", fields, omit_defaults=True, gc=False)


_SHAPES: Final = {contract.name: _shape(contract) for contract in ALL}


def _plain(name: str, values: list[Any]) -> list[Any]:
    if name == "referrer":
        return [None if value is None else without_query(value) for value in values]
    return values
