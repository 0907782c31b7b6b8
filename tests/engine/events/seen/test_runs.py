"""Sorted runs: a key is found with its first value, however runs were merged."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.events.seen import runs as module
from smart_reach.engine.events.seen.runs import Manifest, Runs

KEYS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 30), max_size=40)


@given(batches=st.lists(st.tuples(st.integers(1, 3), KEYS), max_size=30), asked=KEYS)
@settings(max_examples=60, deadline=None)
def test_found_as_in_a_dictionary(batches: list[tuple[int, list[int]]], asked: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs, wanted = Runs(Path(folder)), dict[int, int]()
        for number, (day, keys) in enumerate(batches):
            new = [key for key in dict.fromkeys(keys) if key not in wanted]
            wanted |= dict.fromkeys(new, number)
            runs.add(day, np.array(new, np.uint64), np.full(len(new), number, np.uint64))
        keys = np.array(sorted({*asked, *wanted}), np.uint64)
        found, values = runs.find(keys, 0)
        assert found.tolist() == [int(key) in wanted for key in keys]
        assert values[found].tolist() == [wanted[int(key)] for key in keys[found]]
        assert len([run for run in runs.runs if run.day == 1]) < module._TOGETHER
        late, _ = runs.find(keys, 4)
        assert not late.any()
        runs.drop_before(3)
        assert {run.day for run in runs.runs} <= {3}


def test_large_runs_are_merged_in_slices(tmp_path: Path) -> None:
    runs, chance = Runs(tmp_path), np.random.default_rng(5)
    module._SLICE, kept = 1000, module._SLICE
    try:
        keys = chance.integers(0, 2**64, 40_000, np.uint64, endpoint=False)
        for part in np.array_split(keys, 8):
            runs.add(1, part, part)
    finally:
        module._SLICE = kept
    assert len(runs.runs) == 1
    found, values = runs.find(np.sort(keys), 0)
    assert found.all()
    assert (values == np.sort(keys)).all()


def test_a_manifest_of_another_form_is_not_used(tmp_path: Path) -> None:
    Manifest("1/a", 5, 3, (), (), ()).save(tmp_path)
    assert Manifest.load(tmp_path, "1/a") == Manifest("1/a", 5, 3, (), (), ())
    assert Manifest.load(tmp_path, "2/a") is None
    (tmp_path / "manifest.json").write_text('{"form": "1/a", "ids"')
    assert Manifest.load(tmp_path, "1/a") is None
