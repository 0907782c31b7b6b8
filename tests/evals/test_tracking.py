"""The log of runs in MLflow, on the workspace's own database."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_reach.engine.errors import NotFound
from smart_reach.evals.runner import run_eval
from smart_reach.evals.tracking import EvalTracker


@pytest.mark.filterwarnings("default")
def test_runs_are_kept_in_mlflow_and_found_again(tmp_path: Path) -> None:
    tracker = EvalTracker(f"sqlite:///{tmp_path}/mlflow.db", "compliance", (tmp_path / "artifacts").as_uri())
    with pytest.raises(NotFound, match="No run"):
        tracker.find("last")
    first = run_eval("compliance", tracker=tracker)
    assert first.run_id is not None
    stored = tracker.find("base")
    assert stored.id == first.run_id
    assert stored.right == {row.case.id: row.right for row in first.outcomes}
    second = run_eval("compliance", tracker=tracker, compare_with=first.run_id)
    assert (second.base, second.decision) == (first.run_id, "ship")
    with pytest.raises(NotFound):
        tracker.find("0" * 32)
