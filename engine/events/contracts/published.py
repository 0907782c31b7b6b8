"""A contract as JSON Schema (draft 2020-12), made from the same fields as the validator."""

from __future__ import annotations

from typing import Any

from smart_reach.engine.events.contracts.fields import (
    CONTROL_PATTERN,
    CURRENCY_PATTERN,
    EARLIEST_MS,
    KEY_LENGTH,
    LATEST_YEAR_MS,
    LIMIT,
    MAX_ATTRIBUTES,
    MAX_KEYS,
    NAME_PATTERN,
    TEXT_LENGTH,
    TIME_PATTERN,
    Contract,
    Field,
    Rule,
)
from smart_reach.engine.events.contracts.personal import EMAIL_PATTERN, PERSONAL_NAMES, PHONE_PATTERN

_CLEAN: dict[str, Any] = {"not": {"pattern": CONTROL_PATTERN}}
_IMPERSONAL: dict[str, Any] = {
    "not": {"anyOf": [{"pattern": p} for p in (CONTROL_PATTERN, EMAIL_PATTERN, PHONE_PATTERN)]}
}
_KEY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "pattern": NAME_PATTERN, "maxLength": 64, **_CLEAN},
        "value": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH, **_CLEAN},
    },
    "required": ["kind", "value"],
    "additionalProperties": False,
}


def json_schema(contract: Contract) -> dict[str, Any]:
    """JSON Schema of a record. It accepts what `validate` accepts, but for two things JSON Schema cannot
    say: that a time exists and is at most a day ahead, and that an address is one."""
    fields = {field.name: _property(contract, field) for field in contract.fields}
    required = [field.name for field in contract.fields if field.required]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:smart-reach:contract:{contract.name}:{contract.version}",
        "title": contract.title,
        "description": contract.description,
        "type": "object",
        "properties": {
            "type": {"const": contract.name},
            "version": {"const": contract.version, "default": contract.version},
            **fields,
        },
        "required": ["type", *required],
        "additionalProperties": False,
        "allOf": [_rule(rule) for rule in contract.rules],
        "examples": [contract.example],
    }


def _property(contract: Contract, field: Field) -> dict[str, Any]:
    shape = _shape(contract, field)
    if not field.required:
        shape = {"anyOf": [shape, {"type": "null"}]}
    shape["description"] = field.description
    if field.personal:
        shape["x-personal"] = True
    return shape


def _shape(contract: Contract, field: Field) -> dict[str, Any]:
    string: dict[str, Any] = {"type": "string"}
    match field.type:
        case "id":
            rule = _IMPERSONAL if field.name == "customer_id" else _CLEAN
            return {**string, "minLength": 1, "maxLength": field.max_length, **rule}
        case "text":
            return {**string, "maxLength": field.max_length, **_IMPERSONAL}
        case "address":
            return {**string, "maxLength": 64, **_CLEAN}
        case "enum":
            return {**string, "enum": list(field.enum)}
        case "currency":
            return {**string, "pattern": CURRENCY_PATTERN, "minLength": 3, "maxLength": 3}
        case "integer":
            return {"type": "integer", "minimum": field.minimum, "maximum": field.maximum}
        case "boolean":
            return {"type": "boolean"}
        case "time":
            epoch = {"type": "integer", "minimum": EARLIEST_MS, "maximum": LATEST_YEAR_MS}
            return {"anyOf": [{**string, "pattern": TIME_PATTERN, "maxLength": 40, **_CLEAN}, epoch]}
        case "key":
            return dict(_KEY)
        case "keys":
            return {"type": "array", "items": _KEY, "maxItems": MAX_KEYS}
        case "attributes":
            return _attributes(contract)


def _attributes(contract: Contract) -> dict[str, Any]:
    taken = [field.name for field in contract.fields]
    name = {
        "pattern": NAME_PATTERN,
        "maxLength": 64,
        "not": {"anyOf": [{"enum": taken}, {"pattern": PERSONAL_NAMES}, {"pattern": CONTROL_PATTERN}]},
    }
    scalar = [
        {"type": "string", "maxLength": TEXT_LENGTH, **_IMPERSONAL},
        {"type": "number", "minimum": -LIMIT, "maximum": LIMIT},
        {"type": "boolean"},
        {"type": "null"},
    ]
    return {
        "type": "object",
        "propertyNames": name,
        "additionalProperties": {"anyOf": scalar},
        "maxProperties": MAX_ATTRIBUTES,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    """A rule between fields; a field that is null counts as left out."""
    given = [_given(name) for name in rule.fields]
    if rule.kind == "at_least_one":
        return {"anyOf": given}
    if rule.kind == "at_most_one":
        return {"not": {"allOf": given}}
    return {"if": given[0], "then": given[1]}


def _given(name: str) -> dict[str, Any]:
    filled = {"not": {"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 0}]}}
    return {"required": [name], "properties": {name: filled}}
