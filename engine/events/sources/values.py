"""One field's value in a mapping: where it comes from and what is done to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smart_reach.engine.events.sources.marked import Marked, check_zone

ORIGINS = ("column", "constant", "text", "multiply", "hash")
CHANGES = ("format", "zone", "scale", "round", "decimal", "default", "lookup", "otherwise", "spread")
ROUNDINGS = ("half_up", "down")
SCALES = (1, 10, 100, 1_000, 10_000, 1_000_000)
SPECIAL = ("$row", "$file")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SLOT = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Spread:
    """A stable place within so many days, chosen by a column's value, for files that know no times."""

    days: int
    by: str


@dataclass(frozen=True)
class Value:
    """Exactly one origin, then the changes in this order: lookup, number (decimal, scale, round) or time
    (format, zone, spread), default. `target`: the contract's type of the field. Nested ones carry `parts`:
    `customer_key` {kind, value}, `keys` [{kind, value}, …], `attributes` {name: value, …}."""

    target: str
    column: str | None = None
    constant: str | int | float | bool | None = None
    text: tuple[str, ...] = ()  # literal, column, literal, column, …
    multiply: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    zone: str | None = None
    scale: int = 1
    round: str | None = None
    decimal: str = "point"
    default: Any = None
    lookup: Mapping[str, Any] | None = None
    otherwise: Any = None
    spread: Spread | None = None
    parts: tuple[tuple[str, Value], ...] = field(default=())

    def columns(self) -> list[str]:
        """The columns it reads."""
        found = [self.column] if self.column else []
        found += [*self.text[1::2], *self.multiply, *self.hash]
        found += [self.spread.by] if self.spread else []
        return found + [name for _, part in self.parts for name in part.columns()]


def read_value(where: Marked, target: str) -> Value:
    """Read what a field is made of. Raises `InvalidInput` naming the line."""
    if is_nested(target):
        return _nested(where, target)
    if not where.is_block:
        where.fail(where.scalar(), "Write `{column: NAME}`, or `{constant: VALUE}` for a fixed value.")
    parts = where.block((*ORIGINS, *CHANGES))
    origins = [name for name in ORIGINS if name in parts]
    if len(origins) != 1:
        where.fail(", ".join(origins) or None, f"A field has exactly one of: {', '.join(ORIGINS)}.")
    return Value(target=target, **_origin(parts), **_changes(parts, target))


def is_nested(target: str) -> bool:
    return target in ("key", "keys", "attributes")


def _nested(where: Marked, target: str) -> Value:
    if target == "attributes":
        return Value(target, parts=tuple(_attribute(name, part) for name, part in where.entries()))
    found = []
    for one in where.items():
        parts = one.block(("kind", "value"), required=("kind", "value"))
        found.append((parts["kind"].text(), read_value(parts["value"], "id")))
    if target == "key" and len(found) != 1:
        where.fail("a list", "One key belongs here.")
    return Value(target, parts=tuple(found))


def _attribute(name: str, part: Marked) -> tuple[str, Value]:
    if not _ATTRIBUTE.fullmatch(name):
        part.fail(name, "Use lower-case letters, digits and _ in the name of an attribute.")
    return name, read_value(part, "scalar")


def _origin(parts: dict[str, Marked]) -> dict[str, Any]:
    if "column" in parts:
        return {"column": parts["column"].text()}
    if "constant" in parts:
        value = parts["constant"].scalar()
        if value is None:
            parts["constant"].fail(None, "Leave the field out instead of making it empty.")
        return {"constant": value}
    if "text" in parts:
        return {"text": _slots(parts["text"])}
    name = "multiply" if "multiply" in parts else "hash"
    columns = tuple(item.text() for item in parts[name].items())
    if name == "multiply" and len(columns) != 2:
        parts[name].fail(", ".join(columns), "Name two columns.")
    return {name: columns}


def _slots(where: Marked) -> tuple[str, ...]:
    pieces = tuple(_SLOT.split(where.text()))
    for column in pieces[1::2]:
        if not column or (column.startswith("$") and column not in SPECIAL):
            where.fail("{" + column + "}", "Between braces stands a column, {$row} or {$file}.")
    if any("{" in piece or "}" in piece for piece in pieces[::2]):
        where.fail(where.text(), "A brace is open or left over.")
    return pieces


def _changes(parts: dict[str, Marked], target: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("format", "zone", "spread"):
        if name in parts and target != "time":
            parts[name].fail(name, "This is for fields that hold a time.")
    for name in ("scale", "round", "decimal"):
        if name in parts and target not in ("integer", "scalar"):
            parts[name].fail(name, "This is for fields that hold a number.")
    if "format" in parts:
        found["format"] = tuple(item.text() for item in parts["format"].items())
    if "zone" in parts:
        found["zone"] = check_zone(parts["zone"], parts["zone"].text())
    if "spread" in parts:
        inner = parts["spread"].block(("days", "by"), required=("days", "by"))
        found["spread"] = Spread(inner["days"].whole(1, 366), inner["by"].text())
    if "scale" in parts:
        found["scale"] = parts["scale"].whole(1, SCALES[-1])
        if found["scale"] not in SCALES:
            parts["scale"].fail(found["scale"], f"Use one of {', '.join(map(str, SCALES))}.")
    if "round" in parts:
        found["round"] = parts["round"].word(ROUNDINGS)
    if "decimal" in parts:
        found["decimal"] = parts["decimal"].word(("point", "comma"))
    for name in ("default", "otherwise"):
        if name in parts:
            found[name] = parts[name].scalar()
    if "lookup" in parts:
        found["lookup"] = {key: value.scalar() for key, value in parts["lookup"].entries()}
    elif "otherwise" in parts:
        parts["otherwise"].fail("otherwise", "This says what a `lookup` gives for values it does not list.")
    return found
