"""What a record says beyond the columns of `events`, as JSON: one object a row, null when there is nothing.

Declared fields stand under their own name, free attributes beside them, by name:
`{"quantity": 2, "merchant_category": "groceries", "country": "PT"}`. So a record that is sent again with
its attributes in another order says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.events.contracts.checks import attribute_fault
from smart_reach.engine.events.contracts.declared import ALL
from smart_reach.engine.events.contracts.fields import LIMIT, MAX_ATTRIBUTES, TEXT_LENGTH, Contract
from smart_reach.engine.events.contracts.personal import without_query
from smart_reach.engine.events.contracts.text import Mask, holds, mask, suspicious, unfit

_encoder = msgspec.json.Encoder()
_DECLARED: Final = {
    contract.name: tuple(
        field.name
        for field in contract.fields
        if field.column is None and field.type not in ("time", "key", "keys", "attributes")
    )
    for contract in ALL
}


def extras_column(contract: Contract, columns: Mapping[str, Any], count: int) -> pa.Array:
    """The column `attributes` of a contract's rows; text is put together a column at a time.

    Free attributes come as an object (or None) a row, or as a column a name.
    """
    members = list(_members(contract, columns))
    if not members:
        return pa.nulls(count, pa.string())
    first, *others = members
    if not others:
        return pc.binary_join_element_wise("{", first, "}", "")
    # every member but the first brings its comma; a first one that is missing leaves it to be taken away
    rest = [pc.binary_join_element_wise(",", member, "") for member in others]
    parts = ("{", first, *rest, "}", "")
    joined = pc.binary_join_element_wise(*parts, null_handling="replace", null_replacement="")
    if not first.null_count:
        return joined
    lone = pc.and_(pc.is_null(first), pc.starts_with(joined, "{,"))
    joined = pc.if_else(lone, pc.binary_replace_slice(joined, 0, 2, "{"), joined)
    return pc.if_else(pc.equal(joined, "{}"), pa.scalar(None, pa.string()), joined)


def _members(contract: Contract, columns: Mapping[str, Any]) -> Iterator[pa.Array]:
    """For each name that some row gives: `"name":value` in those rows, null in the others."""
    for name in _DECLARED[contract.name]:
        if columns[name].null_count < len(columns[name]):
            yield _member(name, shorn(columns[name]) if name == "referrer" else columns[name])
    free = columns["attributes"]
    if isinstance(free, Mapping):
        for name in sorted(free):
            yield _member(name, free[name])
    elif any(free):
        yield _listed(free)


def _member(name: str, values: pa.Array) -> pa.Array:
    head = _encoder.encode(name).decode() + ":"
    if pa.types.is_string(values.type) and not holds(values, b'"\\'):
        return pc.binary_join_element_wise(f'{head}"', values, '"', "")
    if pa.types.is_boolean(values.type):
        return pc.if_else(values, f"{head}true", f"{head}false")
    if pa.types.is_integer(values.type):
        return pc.binary_join_element_wise(head, values.cast(pa.string()), "")
    lines = _encoder.encode_lines(values.to_pylist()).decode().split("\n")
    lines.pop()
    return pc.binary_join_element_wise(head, pa.array(lines, pa.string(), mask=_nulls(values)), "")


def _nulls(values: pa.Array) -> Any:
    return pc.is_null(values).to_numpy(zero_copy_only=False)


def _listed(free: Sequence[Mapping[str, Any] | None]) -> pa.Array:
    rows = [
        {name: given[name] for name in sorted(given) if given[name] is not None} if given else {}
        for given in free
    ]
    lines = _encoder.encode_lines(rows).decode().split("\n")
    lines.pop()
    return pa.array([line[1:-1] or None for line in lines], pa.string())


def shorn(values: pa.Array) -> pa.Array:
    """Addresses without what follows ? or #."""
    if not holds(values, b"?#"):
        return values
    return pa.array(
        [None if value is None else without_query(value) for value in values.to_pylist()], pa.string()
    )


def attribute_columns(contract: Contract, values: pa.Array) -> tuple[Any, Mask]:
    """A struct's columns by name, and the rows that need a second look; a null says nothing."""
    if not pa.types.is_struct(values.type):
        return {}, mask(pc.is_valid(values))
    names = [values.type.field(place).name for place in range(values.type.num_fields)]
    made: dict[str, pa.Array] = {}
    doubt = np.zeros(len(values), bool)
    for name, column in zip(names, values.flatten(), strict=True):
        if column.null_count == len(column):
            continue
        if attribute_fault(name, None, contract) is not None:
            doubt |= mask(pc.is_valid(column))
            continue
        made[name], odd = _checked(column)
        doubt |= odd
    if len(made) > MAX_ATTRIBUTES:
        given = np.sum([pc.is_valid(column).to_numpy(zero_copy_only=False) for column in made.values()], 0)
        doubt |= given > MAX_ATTRIBUTES
    return made, doubt


def _checked(values: pa.Array) -> tuple[pa.Array, Mask]:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        text = values.cast(pa.string())
        return text, unfit(text, TEXT_LENGTH, 0) | suspicious(text)
    if pa.types.is_boolean(kind):
        return values, np.zeros(len(values), bool)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        wide = values.cast(pa.float64(), safe=False)
        within = pc.and_(pc.greater_equal(wide, -LIMIT), pc.less_equal(wide, LIMIT))
        return values, mask(pc.invert(within))
    return pa.nulls(len(values), pa.string()), mask(pc.is_valid(values))
