"""Golden cases: what was asked or written, and what the right answer is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smart_reach.engine.errors import InvalidInput, NotFound

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Case:
    """One golden case; `expected` is the label that a suite's subject must give, `given` its input."""

    id: str
    expected: str
    given: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What the subject answered on one case. `extra` holds what a suite scores beside right or wrong."""

    case: Case
    answer: str
    right: bool
    extra: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values for a report; `text` is the golden input, which holds no personal data."""
        return {
            "id": self.case.id,
            "text": self.case.given.get("text"),
            "expected": self.case.expected,
            "answer": self.answer,
            "right": self.right,
            **self.extra,
        }


def load_cases(suite: str, *, key: str, folder: Path = GOLDEN) -> Sequence[Case]:
    """Read `<suite>.jsonl`; `key` is the field that holds the expected answer.

    Raises `NotFound` for an unknown suite and `InvalidInput` naming file, line and field for a bad case.
    """
    path = folder / f"{suite}.jsonl"
    if not path.is_file():
        raise NotFound(f"There are no golden cases for {suite!r}.")
    cases: list[Case] = []
    seen: set[str] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.name} line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidInput(place, line[:60], f"Write one JSON object a line ({error.msg}).") from error
        if absent := [name for name in ("id", "text", key) if not row.get(name)]:
            raise InvalidInput(place, absent, "Give the case these fields.")
        if row["id"] in seen:
            raise InvalidInput(place, row["id"], "Give each case an id of its own.")
        seen.add(row["id"])
        given = {name: value for name, value in row.items() if name not in {"id", key}}
        cases.append(Case(row["id"], str(row[key]), given))
    return cases
