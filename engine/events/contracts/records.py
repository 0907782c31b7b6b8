"""Typed records for msgspec, one class a contract, made from the contract's fields.

A class checks what it can while it decodes: types, lengths, bounds, closed lists, unknown fields. What it
cannot (times, personal data, rules between fields) is checked a column at a time in `columns`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from smart_reach.engine.events.contracts.declared import ALL
from smart_reach.engine.events.contracts.fields import (
    EARLIEST_MS,
    KEY_LENGTH,
    LATEST_YEAR_MS,
    MAX_ATTRIBUTES,
    MAX_KEYS,
    TEXT_LENGTH,
    Contract,
    Field,
)


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An id that another system gave a customer."""

    kind: Annotated[str, Meta(min_length=1, max_length=64)]
    value: Annotated[str, Meta(min_length=1, max_length=KEY_LENGTH)]


def _kind(field: Field) -> Any:
    match field.type:
        case "id":
            return Annotated[str, Meta(min_length=1, max_length=field.max_length)]
        case "text":
            return Annotated[str, Meta(max_length=field.max_length)]
        case "address":
            return Annotated[str, Meta(max_length=64)]
        case "enum":
            return Literal[field.enum]
        case "currency":
            return Annotated[str, Meta(min_length=3, max_length=3)]
        case "integer":
            return Annotated[int, Meta(ge=field.minimum, le=field.maximum)]
        case "boolean":
            return bool
        case "time":
            whole = Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_YEAR_MS)]
            return Annotated[str, Meta(max_length=40)] | whole
        case "key":
            return Key
        case "keys":
            return Annotated[list[Key], Meta(max_length=MAX_KEYS)]
        case "attributes":
            scalar = Annotated[str, Meta(max_length=TEXT_LENGTH)] | int | float | bool | None
            return Annotated[dict[str, scalar], Meta(max_length=MAX_ATTRIBUTES)]


def _record(contract: Contract) -> type[msgspec.Struct]:
    required: list[Any] = [(field.name, _kind(field)) for field in contract.fields if field.required]
    optional: list[Any] = [
        (field.name, _kind(field) | None, None) for field in contract.fields if not field.required
    ]
    return msgspec.defstruct(
        contract.name,
        [*required, ("version", Literal[contract.version], contract.version), *optional],
        tag_field="type",
        tag=contract.name,
        forbid_unknown_fields=True,
        # Records hold no cycles; without this the collector would walk every one of them.
        gc=False,
    )


RECORDS: Final[dict[str, type[msgspec.Struct]]] = {contract.name: _record(contract) for contract in ALL}
_any: Any = None
for _one in RECORDS.values():
    _any = _one if _any is None else _any | _one
ANY_RECORD: Final[Any] = _any
