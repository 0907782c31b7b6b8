"""From feature definitions to SQL: one query a moment, or one for many customers, each at its own moment.

It reads the temporary tables of `prepare.py`: `people` (person, customer_id, …) and `happened` (person,
kind, occurred_at, known_at, …); in the second form also `spine` (person, as_of). An event counts when it had
happened before the moment and was known by it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.features.definitions import FeatureDefinition, FeatureSet

Mode = Literal["snapshot", "spine"]
_TEXT, _WORD = re.compile(r"'[^']*'"), re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_EMPTY = {"count": "0", "sum": "0", "any": "false", "standing": "0"}


def compile_sql(features: FeatureSet, mode: Mode = "snapshot") -> str:
    """SQL that gives customer_id, as_of and every feature. `snapshot` has the parameter `$as_of`.

    Raises `InvalidInput` when the set has nothing to compute or its formulas go round in a circle.
    """
    if not features.computed:
        raise InvalidInput("features", features.kind, "The values of this set come with its file.")
    return _Compiler(features, mode).sql()


@dataclass(frozen=True)
class _Compiler:
    features: FeatureSet
    mode: Mode

    @property
    def _keys(self) -> str:
        return "person" if self.mode == "snapshot" else "person, as_of"

    @property
    def _moment(self) -> str:
        return "$as_of::TIMESTAMPTZ" if self.mode == "snapshot" else "as_of"

    def sql(self) -> str:
        parts = [f"known AS ({self._known()})", f"totals AS ({self._totals()})"]
        parts += [f"standing_{one.name} AS ({self._standing(one)})" for one in self._of("standing")]
        parts.append(f"rows AS ({self._rows()})")
        columns = ", ".join(f'"{one.name}"' for one in self.features.definitions)
        return (
            f"WITH {', '.join(parts)} SELECT customer_id, as_of, {columns} FROM ({self._formulas()})"
            " ORDER BY as_of, customer_id"
        )

    def _known(self) -> str:
        windows = sorted({one.window_days for one in self.features.everything if one.window_days})
        flags = "".join(
            f", occurred_at >= {self._moment} - INTERVAL {days} DAY AS d{days}" for days in windows
        )
        source = "happened" if self.mode == "snapshot" else "happened JOIN spine USING (person)"
        return (
            f"SELECT *{flags} FROM {source} WHERE occurred_at < {self._moment} AND known_at <= {self._moment}"
        )

    def _totals(self) -> str:
        made = ("count", "sum", "any", "last_time", "first_time", "latest")
        columns = ", ".join(f"{_aggregate(one)} AS {one.name}" for one in self._of(*made))
        return f"SELECT {self._keys}, {columns} FROM known GROUP BY {self._keys}"

    def _standing(self, one: FeatureDefinition) -> str:
        return (
            f"SELECT {self._keys}, count(*) AS {one.name} FROM ("
            f"SELECT {self._keys} FROM known WHERE {_when(one)} AND ({one.key}) IS NOT NULL"
            f" GROUP BY {self._keys}, ({one.key})"
            f" HAVING arg_max(coalesce({one.value}, false), (occurred_at, event_id))) GROUP BY {self._keys}"
        )

    def _rows(self) -> str:
        """People beside their totals; without events a count is 0 and a time is unknown."""
        made = [one for one in self.features.everything if one.aggregation not in ("formula", "given")]
        columns = ", ".join(_filled(one) for one in made)
        joins = "".join(
            f" LEFT JOIN standing_{one.name} USING ({self._keys})" for one in self._of("standing")
        )
        return (
            f"SELECT people.*, {self._moment} AS as_of, {columns} FROM people"
            f"{self._population()}{joins}{self._joined()}"
        )

    def _population(self) -> str:
        if self.mode == "spine":
            return " JOIN spine USING (person) LEFT JOIN totals USING (person, as_of)"
        join = "LEFT JOIN" if self.features.population == "customers" else "JOIN"
        return f" {join} totals USING (person)"

    def _joined(self) -> str:
        if self.features.population == "events":
            return ""
        return f" WHERE joined_on <= ({self._moment})::DATE"

    def _formulas(self) -> str:
        """Every value once; a formula stands after what it uses."""
        plain = [one.name for one in self.features.everything if one.aggregation not in ("formula", "given")]
        columns = [f"rows.{name}" for name in plain]
        columns += [_cast(f"({one.value})", one) + f" AS {one.name}" for one in _ordered(self._of("formula"))]
        return f"SELECT customer_id, as_of, {', '.join(columns)} FROM rows"

    def _of(self, *kinds: str) -> list[FeatureDefinition]:
        return [one for one in self.features.everything if one.aggregation in kinds]


def _aggregate(one: FeatureDefinition) -> str:
    when = _when(one)
    if one.aggregation == "count":
        return f"count(*) FILTER ({when})"
    if one.aggregation == "any":
        return f"bool_or({when})"
    if one.aggregation == "sum":
        return f"sum({one.value}) FILTER ({when})::BIGINT"
    if one.aggregation == "latest":
        newest = f"arg_max({one.value}, (occurred_at, event_id))"
        return f"{newest} FILTER ({when} AND {one.value} IS NOT NULL)"
    function = "max" if one.aggregation == "last_time" else "min"
    return f"{function}(occurred_at) FILTER ({when})"


def _when(one: FeatureDefinition) -> str:
    return f"({one.source})" + (f" AND d{one.window_days}" if one.window_days else "")


def _filled(one: FeatureDefinition) -> str:
    empty = _EMPTY.get(one.aggregation)
    value = one.name if empty is None else f"coalesce({one.name}, {empty})"
    return f"{_cast(value, one)} AS {one.name}"


def _cast(value: str, one: FeatureDefinition) -> str:
    return f"{value}::{one.column}" if one.column else value


def _ordered(formulas: Sequence[FeatureDefinition]) -> list[FeatureDefinition]:
    """The formulas so that each comes after those it names."""
    waiting = {one.name: one for one in formulas}
    done: list[FeatureDefinition] = []
    while waiting:
        ready = [one for one in waiting.values() if not (_names(one.value) - {one.name}) & waiting.keys()]
        if not ready:
            raise InvalidInput("formula", next(iter(waiting)), "Formulas may not use each other in a circle.")
        done += ready
        for one in ready:
            del waiting[one.name]
    return done


def _names(value: str) -> set[str]:
    return set(_WORD.findall(_TEXT.sub("", value)))
