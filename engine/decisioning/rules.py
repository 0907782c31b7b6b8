"""Rules over feature columns, as data: offers use them for eligibility, segments for membership."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smart_reach.engine.errors import InvalidInput

Mask = npt.NDArray[np.bool_]
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_WORDS = {
    "=": "is",
    "!=": "is not",
    ">=": "is at least",
    "<=": "is at most",
    ">": "is above",
    "<": "is below",
    "in": "is one of",
    "not_in": "is none of",
}


@dataclass(frozen=True)
class Rule:
    """`field op value`. A customer whose value is missing does not pass any rule."""

    field: str
    op: str
    value: Any
    label: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Rule:
        """Raises InvalidInput for an operator outside the closed list."""
        op = {"==": "=", "not in": "not_in"}.get(str(value.get("op")), value.get("op"))
        if op not in _WORDS:
            raise InvalidInput("op", value.get("op"), f"Use one of {', '.join(_WORDS)}.")
        wanted = value["value"]
        if op in ("in", "not_in") and not isinstance(wanted, list | tuple):
            raise InvalidInput("value", wanted, f"{op} needs a list of values.")
        return cls(value["field"], op, wanted, value.get("label") or "")

    def as_json(self) -> dict[str, Any]:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"field": self.field, "op": self.op, "value": value, "label": self.label}

    @property
    def text(self) -> str:
        """The rule in words; its label when it has one."""
        if self.label:
            return self.label
        value = ", ".join(map(str, self.value)) if isinstance(self.value, list | tuple) else self.value
        return f"{self.field.replace('_', ' ')} {_WORDS[self.op]} {value}"

    def holds(self, frame: pd.DataFrame) -> Mask:
        """Which rows pass, (n,). Raises InvalidInput when the column does not exist."""
        if self.field not in frame.columns:
            raise InvalidInput("field", self.field, "No feature has this name; correct the rule.")
        column = frame[self.field]
        known = column.notna().to_numpy(dtype=bool)
        numeric = _is_number(self.value)
        if numeric or self.op in _ORDER:
            values: Any = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            known = known & ~np.isnan(values)
            wanted: Any = _number(self.value, self.field)
        else:
            values = column.astype("string").to_numpy(dtype=object, na_value="")
            wanted = (
                [str(one) for one in self.value] if isinstance(self.value, list | tuple) else str(self.value)
            )
        if self.op in _ORDER:
            found: Any = _ORDER[self.op](values, wanted)
        else:
            found = np.isin(values, wanted if isinstance(wanted, list) else [wanted])
            if self.op in ("!=", "not_in"):
                found = ~found
        passed: Mask = np.asarray(found, dtype=bool) & known
        return passed


def _is_number(value: Any) -> bool:
    values = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(one, bool | int | float) for one in values)


def _number(value: Any, field: str) -> Any:
    try:
        return [float(one) for one in value] if isinstance(value, list | tuple) else float(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(field, value, "This comparison needs a number.") from error


def all_hold(rules: tuple[Rule, ...], frame: pd.DataFrame) -> Mask:
    """Which rows pass every rule, (n,)."""
    mask = np.ones(len(frame), dtype=bool)
    for rule in rules:
        mask &= rule.holds(frame)
    return mask


def first_failing(rules: tuple[Rule, ...], frame: pd.DataFrame) -> Rule | None:
    """The first rule that a single row does not pass."""
    return next((rule for rule in rules if not rule.holds(frame).all()), None)
