"""A mapping's values as DuckDB expressions. Values are bound; the names are columns that were checked.

Numbers are exact decimals (6 places for each factor), never floating point: 2.55 × 100 is 255.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from smart_reach.engine.events.sources.values import Spread, Value

ROW = "__row"
_OFFSET = r"(Z|[+-]\d{2}:?\d{2})$"
_EPOCH = {"epoch_s": 1, "epoch_ms": 1_000}
_DAY_S = 86_400


@dataclass(frozen=True)
class Expression:
    """`value`: the field. `shown`: the text it was made of. `fails`: true where it could not be made."""

    value: str
    shown: str
    fails: str | None
    remedy: str = ""


class Compiler:
    """Compiles values for one schema of rows; `bound` collects the parameters."""

    def __init__(self, types: Mapping[str, pa.DataType], digest: str) -> None:
        self._types = {name: _plain(kind) for name, kind in types.items()}
        self.bound: dict[str, Any] = {}
        self._digest = digest

    def bind(self, value: Any) -> str:
        name = f"p{len(self.bound)}"
        self.bound[name] = value
        return f"${name}"

    def value(self, value: Value) -> Expression:
        """The expression of a field."""
        made = self._constant(value) if value.constant is not None else self._made(value)
        if value.default is None:
            return made
        shown = self.bind(_typed(value.default, value.target))
        return Expression(f"coalesce({made.value}, {shown})", made.shown, made.fails, made.remedy)

    def _constant(self, value: Value) -> Expression:
        shown = self.bind(_typed(value.constant, value.target))
        if value.target != "time":
            return Expression(shown, f"CAST({shown} AS VARCHAR)", None)
        made = self._time(value, shown, "text")
        return replace(made, fails=f"({made.value}) IS NULL")

    def present(self, value: Value) -> str:
        """Whether there is anything to make the value of."""
        tests = []
        for column in (value.column, *value.multiply, *value.text[1::2]):
            kind = self._types.get(column or "", "special")
            if column and kind == "text":
                tests.append(f"{self.text(column)} IS NOT NULL")
            elif column and kind != "special":
                no_nan = f" AND NOT isnan({_quote(column)})" if kind == "real" else ""
                tests.append(f"{_quote(column)} IS NOT NULL{no_nan}")
        return " AND ".join(tests) or "true"

    def _made(self, value: Value) -> Expression:
        made = self._from_text(value, *self._origin(value))
        if made.fails == "":
            return replace(made, fails=f"({made.value}) IS NULL AND {self.present(value)}")
        return made

    def _from_text(self, value: Value, shown: str, kind: str) -> Expression:
        if value.lookup is not None:
            return self._lookup(value, shown)
        if value.target == "integer" or (value.target == "scalar" and _has_number(value)):
            return self._number(value, shown)
        if value.target == "time":
            return self._time(value, shown, kind)
        if value.target == "boolean":
            made = f"TRY_CAST({shown} AS BOOLEAN)"
            return _checked(made, shown, "Use true/false, yes/no or 1/0, or a `lookup`.")
        if value.target == "scalar" and kind in ("whole", "real", "bool"):
            return Expression(_quote(str(value.column)), shown, None)
        return Expression(shown, shown, None)

    def _origin(self, value: Value) -> tuple[str, str]:
        """The text that a value is made of, and the kind of its column."""
        if value.column:
            return self.text(value.column), self._types.get(value.column, "text")
        if value.multiply:
            return " || ' × ' || ".join(self.text(name) for name in value.multiply), "text"
        if value.hash:
            parts = ", ".join(f"coalesce({self.text(name)}, '')" for name in value.hash)
            return f"left(sha256(concat_ws(chr(31), {parts})), 32)", "text"
        pieces = [
            self.text(piece) if place % 2 else self.bind(piece)
            for place, piece in enumerate(value.text)
            if piece
        ]
        return f"({' || '.join(pieces)})", "text"

    def text(self, column: str) -> str:
        """A column as text: trimmed, empty is null, 17850.0 is 17850."""
        if column == "$row":
            return f"CAST({ROW} + 1 AS VARCHAR)"
        if column == "$file":
            return self.bind(self._digest[:12])
        name, kind = _quote(column), self._types[column]
        if kind == "text":
            return f"nullif(trim({name}), '')"
        if kind == "real":
            whole = f"isfinite({name}) AND {name} = trunc({name}) AND abs({name}) < 1e15"
            short = f"CASE WHEN {whole} THEN CAST(CAST({name} AS BIGINT) AS VARCHAR)"
            return f"({short} WHEN isnan({name}) THEN NULL ELSE CAST({name} AS VARCHAR) END)"
        return f"CAST({name} AS VARCHAR)"

    def number(self, column: str, decimal: str = "point") -> str:
        """A column as an exact decimal; null when it is none."""
        if column in ("$row", "$file") or self._types[column] == "text":
            shown = self.text(column)
            if decimal == "comma":
                shown = f"replace(replace({shown}, '.', ''), ',', '.')"
            return f"TRY_CAST({shown} AS DECIMAL(38, 6))"
        places = 0 if self._types[column] == "whole" else 6
        return f"TRY_CAST({_quote(column)} AS DECIMAL(38, {places}))"

    def _number(self, value: Value, shown: str) -> Expression:
        plain = value.scale == 1 and value.column and self._types.get(value.column) == "whole"
        if plain and value.target == "integer":
            return _checked(
                f"TRY_CAST({_quote(str(value.column))} AS BIGINT)", shown, "The number is too large."
            )
        names = value.multiply or ((value.column,) if value.column else ())
        made = " * ".join(self.number(name, value.decimal) for name in names)
        made = made or f"TRY_CAST({shown} AS DECIMAL(38, 6))"
        if value.scale != 1:
            made += f" * CAST({value.scale} AS DECIMAL(7, 0))"
        made = f"TRY({made})"
        if value.target != "integer" and not value.round:
            return _checked(f"CAST({made} AS DOUBLE)", shown, "This is not a number.")
        if value.round:
            made = f"{'round' if value.round == 'half_up' else 'trunc'}({made})"
            return _checked(f"TRY_CAST({made} AS BIGINT)", shown, "This is not a number.")
        made = f"CASE WHEN {made} = trunc({made}) THEN TRY_CAST({made} AS BIGINT) END"
        remedy = "This is not a whole number" + (f" after × {value.scale}" if value.scale != 1 else "")
        return _checked(made, shown, remedy + "; correct it, or let the mapping say `round: half_up`.")

    def _time(self, value: Value, shown: str, kind: str) -> Expression:
        if value.column and kind in ("naive", "aware"):
            made = f"CAST({_quote(value.column)} AS {'TIMESTAMP' if kind == 'naive' else 'TIMESTAMPTZ'})"
        else:
            made, kind = self._parsed(value, shown)
        if kind == "naive":
            made = f"timezone({self.bind(value.zone)}, {made})" if value.zone else "CAST(NULL AS TIMESTAMPTZ)"
        if value.spread:
            made = f"({made} + {self._spread(value.spread)})"
        form = " or ".join(value.format) or "ISO 8601"
        remedy = f"This is not a time of the form {form}."
        if not value.zone and kind != "aware":
            remedy = "The time has no zone; let the mapping say `zone: Europe/London` or the like."
        return _checked(f"CAST({made} AS TIMESTAMPTZ)", shown, remedy)

    def _parsed(self, value: Value, shown: str) -> tuple[str, str]:
        """Text or a number read as a time; `naive` when it says no zone."""
        if value.format and value.format[0] in _EPOCH:
            number = f"TRY_CAST({shown} AS DOUBLE) / {_EPOCH[value.format[0]]}"
            return f"TRY(to_timestamp({number}))", "aware"
        if value.format:
            forms = ", ".join(self.bind(form) for form in value.format)
            kind = "aware" if all("%z" in form for form in value.format) else "naive"
            return f"try_strptime({shown}, [{forms}])", kind
        has_zone = f"regexp_matches({shown}, '{_OFFSET}')"
        aware = f"CASE WHEN {has_zone} THEN TRY_CAST({shown} AS TIMESTAMPTZ)"
        if not value.zone:
            return f"{aware} END", "iso"
        zone = self.bind(value.zone)
        return f"{aware} ELSE timezone({zone}, TRY_CAST({shown} AS TIMESTAMP)) END", "aware"

    def _spread(self, spread: Spread) -> str:
        seconds = f"md5_number_lower(coalesce({self.text(spread.by)}, '')) % {spread.days * _DAY_S}"
        return f"to_seconds(CAST({seconds} AS BIGINT))"

    def _lookup(self, value: Value, shown: str) -> Expression:
        arms = ""
        listed = []
        for key, found in (value.lookup or {}).items():
            name = self.bind(key)
            listed.append(name)
            arms += f" WHEN {shown} = {name} THEN {self.bind(_typed(found, value.target))}"
        other = "NULL" if value.otherwise is None else self.bind(_typed(value.otherwise, value.target))
        made = f"CASE WHEN {shown} IS NULL THEN NULL{arms} ELSE {other} END"
        fails = None
        if value.otherwise is None:
            fails = f"coalesce({shown} NOT IN ({', '.join(listed)}), false)" if listed else "true"
        return Expression(made, shown, fails, "The mapping's lookup does not list it; add it or `otherwise`.")


def _checked(made: str, shown: str, remedy: str) -> Expression:
    """A conversion that gives null where it fails; `_made` fills in the test."""
    return Expression(made, shown, "", remedy)


def _has_number(value: Value) -> bool:
    return bool(value.multiply or value.round or value.scale != 1 or value.decimal != "point")


def _typed(value: Any, target: str) -> Any:
    if target in ("integer", "boolean", "scalar") or value is None:
        return value
    return str(value)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_timestamp(kind):
        return "aware" if kind.tz else "naive"
    if pa.types.is_date(kind):
        return "naive"
    if pa.types.is_integer(kind):
        return "whole"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "real" if pa.types.is_floating(kind) else "decimal"
    return "bool" if pa.types.is_boolean(kind) else "text"
