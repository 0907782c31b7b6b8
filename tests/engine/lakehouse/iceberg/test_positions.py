"""Positions merge, keep their order, and only finished files are ever forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.errors import Integrity, InvalidInput
from smart_reach.engine.lakehouse.iceberg.positions import KEPT_FILES, KEY, merge, parse, text

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8)
positions = st.dictionaries(
    names, st.dictionaries(names, st.integers(0, 2**62), min_size=1, max_size=4), max_size=4
)


def file(number: int) -> str:
    return f"file:{number:016x}"


@given(positions, positions)
def test_what_is_new_wins_and_the_rest_stays(
    old: dict[str, dict[str, int]], new: dict[str, dict[str, int]]
) -> None:
    expected = {source: old.get(source, {}) | new.get(source, {}) for source in old.keys() | new.keys()}
    merged = merge(old, new)
    assert merged == expected
    assert parse({KEY: text(merged)}) == merged


def test_only_old_files_are_forgotten() -> None:
    known = merge({}, {"kafka:bank": {"0": 7, "1": 9}, "inbox": {"0": 3}})
    for number in range(KEPT_FILES + 20):
        known = merge(known, {file(number): {"rows": number}})
    assert known["kafka:bank"] == {"0": 7, "1": 9}
    assert known["inbox"] == {"0": 3}
    assert len(known) == KEPT_FILES + 2
    assert file(19) not in known
    assert file(20) in known
    touched = merge(known, {file(20): {"rows": 99}})
    touched = merge(touched, {file(9999): {"rows": 1}})
    assert touched[file(20)] == {"rows": 99}
    assert file(21) not in touched


def test_nothing_else_is_a_position() -> None:
    for wrong in (-1, True, "7", 1.5):
        with pytest.raises(InvalidInput, match="kafka/0"):
            merge({}, {"kafka": {"0": wrong}})  # type: ignore[dict-item]
    with pytest.raises(Integrity):
        parse({KEY: "{"})
