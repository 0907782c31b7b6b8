"""Two uses of one advisory lock's number would wait for each other for no reason, or for ever."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NUMBER = re.compile(r"^(\w+)\s*=\s*(726_417_\d{3})\b", re.MULTILINE)


def test_every_lock_has_a_number_of_its_own() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for room in ("engine", "api", "graphs", "agents", "tools", "knowledge", "evals"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for name, number in _NUMBER.findall(path.read_text(encoding="utf-8")):
                found[number].append(f"{path.relative_to(ROOT)}:{name}")
    assert len(found) >= 12
    assert {number: uses for number, uses in found.items() if len(uses) > 1} == {}
