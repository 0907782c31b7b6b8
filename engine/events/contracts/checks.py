"""One record against its contract, in words: the slow path, taken only by records the fast path doubts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from smart_reach.engine.events.contracts.fields import (
    CONTROL_PATTERN,
    CURRENCY_PATTERN,
    KEY_LENGTH,
    LIMIT,
    MAX_ATTRIBUTES,
    MAX_KEYS,
    NAME_PATTERN,
    TEXT_LENGTH,
    Contract,
    Field,
    Rule,
)
from smart_reach.engine.events.contracts.moments import Fault, time_fault
from smart_reach.engine.events.contracts.personal import looks_personal, network_of, personal_name

_control = re.compile(CONTROL_PATTERN)
_name = re.compile(NAME_PATTERN)
_currency = re.compile(CURRENCY_PATTERN)
_TYPES = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def fault_of(record: Mapping[str, Any], contract: Contract, latest: int) -> Fault | None:
    """The first thing that breaks the contract, or None. `latest`: µs since 1970 that no time may pass."""
    known = {field.name for field in contract.fields} | {"type", "version"}
    for name in record:
        if name not in known:
            return _unknown_field(name, record[name], contract)
    version = record.get("version", contract.version)
    if isinstance(version, bool) or version != contract.version:
        return Fault(
            "version",
            version,
            f"This version of {contract.name} is not known.",
            f"Use version {contract.version}.",
        )
    for field in contract.fields:
        value = record.get(field.name)
        if value is None:
            if field.required:
                return Fault(field.name, None, "A required field is missing.", field.description)
            continue
        fault = _CHECKS[field.type](field, value, contract, latest)
        if fault is not None:
            return fault
    return next(filter(None, (_broken(rule, record) for rule in contract.rules)), None)


def _unknown_field(name: str, value: Any, contract: Contract) -> Fault:
    near = difflib.get_close_matches(name, [field.name for field in contract.fields], n=1)
    if personal_name(name):
        remedy = "Leave personal data out; give ids in customer_key."
    elif near:
        remedy = f"Did you mean {near[0]}?"
    else:
        remedy = "Leave it out, or put it into attributes."
    return Fault(name[:TEXT_LENGTH], value, f"{contract.title} has no such field.", remedy)


def _wrong_type(field: str, value: Any, wanted: str) -> Fault:
    return Fault(field, value, f"This is {_TYPES.get(type(value), 'something else')}.", f"Give {wanted}.")


def _string(name: str, value: Any, longest: int, shortest: int = 0) -> Fault | None:
    if not isinstance(value, str):
        return _wrong_type(name, value, "text")
    if len(value) > longest:
        return Fault(name, value, f"It has {len(value):,} characters.", f"At most {longest} fit.")
    if len(value) < shortest:
        return Fault(name, value, "It is empty.", "Give a value or leave the field out.")
    if _control.search(value):
        return Fault(name, value, "It holds control characters.", "Remove NUL, tabs and line ends.")
    return None


def _impersonal(name: str, value: str) -> Fault | None:
    seen = looks_personal(value)
    if seen is None:
        return None
    return Fault(
        name, value, f"It holds what looks like {seen}.", "Leave personal data out; use customer_key."
    )


def _id(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    fault = _string(field.name, value, field.max_length or TEXT_LENGTH, 1)
    return fault or (_impersonal(field.name, value) if field.name == "customer_id" else None)


def _text(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    return _string(field.name, value, field.max_length or TEXT_LENGTH) or _impersonal(field.name, value)


def _integer(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        return _wrong_type(field.name, value, "a whole number")
    least, most = field.minimum or -LIMIT, field.maximum or LIMIT
    if not least <= value <= most:
        return Fault(field.name, value, "The number is too large.", f"Use {least:,} to {most:,}.")
    return None


def _boolean(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    return None if isinstance(value, bool) else _wrong_type(field.name, value, "true or false")


def _enum(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    if isinstance(value, str) and value in field.enum:
        return None
    near = difflib.get_close_matches(value, field.enum, n=1) if isinstance(value, str) else []
    guess = f"Did you mean {near[0]}? " if near else ""
    return Fault(
        field.name, value, "It is not one of the allowed words.", f"{guess}Use {', '.join(field.enum)}."
    )


def _code(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    if isinstance(value, str) and _currency.fullmatch(value):
        return None
    return Fault(field.name, value, "It is no currency code.", "Give three capital letters, such as EUR.")


def _time(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return _wrong_type(field.name, value, "a time: ISO 8601 with zone, or epoch milliseconds")
    return time_fault(field.name, value, latest)


def _address(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    fault = _string(field.name, value, 64)
    if fault is None and network_of(value) is None:
        return Fault(field.name, value, "It is no internet address.", "Give an IPv4 or IPv6 address.")
    return fault


def _key(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    return _one_key(field.name, value)


def _one_key(name: str, value: Any) -> Fault | None:
    if not isinstance(value, dict):
        return _wrong_type(name, value, 'an object: {"kind": "crm_id", "value": "C-77120"}')
    for part in value:
        if part not in ("kind", "value"):
            return Fault(
                f"{name}.{part}"[:TEXT_LENGTH], value[part], "A key has no such part.", "Give kind and value."
            )
    fault = _string(f"{name}.kind", value.get("kind"), 64, 1) or _string(
        f"{name}.value", value.get("value"), KEY_LENGTH, 1
    )
    if fault is None and not _name.fullmatch(value["kind"]):
        return Fault(
            f"{name}.kind", value["kind"], "It is no kind of key.", "Use a–z, 0–9 and _, such as crm_id."
        )
    return fault


def _keys(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    if not isinstance(value, list):
        return _wrong_type(field.name, value, "a list of {kind, value}")
    if len(value) > MAX_KEYS:
        return Fault(field.name, len(value), "There are too many keys.", f"At most {MAX_KEYS} fit.")
    faults = (_one_key(f"{field.name}[{place}]", key) for place, key in enumerate(value))
    return next(filter(None, faults), None)


def _attributes(field: Field, value: Any, contract: Contract, latest: int) -> Fault | None:
    if not isinstance(value, dict):
        return _wrong_type(field.name, value, "an object of names and values")
    if len(value) > MAX_ATTRIBUTES:
        return Fault(
            field.name, len(value), "There are too many attributes.", f"At most {MAX_ATTRIBUTES} fit."
        )
    faults = (attribute_fault(name, item, contract) for name, item in value.items())
    return next(filter(None, faults), None)


def attribute_fault(name: str, value: Any, contract: Contract) -> Fault | None:
    """What is wrong with one free attribute."""
    place = f"attributes.{name}"[:TEXT_LENGTH]
    if not _name.fullmatch(name):
        return Fault(place, value, "It is no attribute's name.", "Use a–z, 0–9 and _, at most 64 characters.")
    if personal_name(name):
        return Fault(place, value, "The name says personal data.", "Leave it out; keys hold ids as hashes.")
    if contract.field(name) is not None:
        return Fault(place, value, "This is a field of the contract.", f"Give {name} beside attributes.")
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _string(place, value, TEXT_LENGTH) or _impersonal(place, value)
    if not isinstance(value, int | float):
        return _wrong_type(place, value, "text, a number, true or false")
    if not -LIMIT <= value <= LIMIT:
        return Fault(place, value, "The number is too large.", f"Use {-LIMIT:,} to {LIMIT:,}.")
    return None


def _broken(rule: Rule, record: Mapping[str, Any]) -> Fault | None:
    given = [record.get(name) not in (None, []) for name in rule.fields]
    if rule.kind == "at_least_one" and not any(given):
        return Fault(rule.fields[0], None, "A required field is missing.", rule.remedy)
    if rule.kind == "at_most_one" and all(given):
        return Fault(rule.fields[0], record[rule.fields[0]], "Two fields exclude each other.", rule.remedy)
    if rule.kind == "needs" and given[0] and not given[1]:
        return Fault(rule.fields[1], None, "A required field is missing.", rule.remedy)
    return None


_CHECKS: dict[str, Callable[[Field, Any, Contract, int], Fault | None]] = {
    "id": _id,
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "enum": _enum,
    "currency": _code,
    "time": _time,
    "address": _address,
    "key": _key,
    "keys": _keys,
    "attributes": _attributes,
}
