"""Golden cases, scorers, the paired comparison and the runner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.evals import scorers
from smart_reach.evals.cases import Case, Outcome, load_cases
from smart_reach.evals.compare import compare, mcnemar
from smart_reach.evals.runner import judged, run_eval
from smart_reach.evals.suites import suite_named
from smart_reach.evals.tracking import StoredRun


def outcome(expected: str, answer: str, number: int = 0, **extra: Any) -> Outcome:
    return Outcome(Case(f"c{number}", expected, {"text": "t"}), answer, expected == answer, extra)


def test_scores_against_counted_examples() -> None:
    rows = [outcome("a", "a", 1), outcome("a", "b", 2), outcome("b", "b", 3), outcome("b", "b", 4)]
    assert scorers.accuracy(rows) == 0.75
    assert scorers.precision(rows, "b") == 0.6667
    assert scorers.recall(rows, "a") == 0.5
    assert scorers.macro_f1(rows) == pytest.approx((2 / 3 + 0.8) / 2, abs=1e-3)
    assert scorers.accuracy([]) == 0.0


def test_asked_back_does_not_count_as_answered() -> None:
    rows = [outcome("a", "b", 1, clarify=True), outcome("a", "a", 2, clarify=False)]
    assert scorers.answered_precision(rows) == 1.0
    assert scorers.rate(rows, "clarify") == 0.5


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_sign_test(lost: int, gained: int) -> None:
    expected = binomtest(lost, lost + gained, 0.5, alternative="greater").pvalue if lost + gained else 1.0
    assert mcnemar(lost, gained) == pytest.approx(expected, abs=1e-9)


def test_comparison_names_the_cases() -> None:
    found = compare(
        "base", {"a": True, "b": False, "c": True, "only": True}, {"a": False, "b": True, "c": True}
    )
    assert (found.cases, found.gained, found.lost, found.worse) == (3, ("b",), ("a",), False)
    before = {f"c{i}": True for i in range(10)}
    assert compare("base", before, before | {f"c{i}": False for i in range(5)}).worse


def test_worse_than_base_does_not_ship() -> None:
    suite = suite_named("routing")
    rows = [outcome("out_of_scope", "out_of_scope", i) for i in range(95)]
    rows += [outcome("nba", "content", i) for i in range(95, 100)]
    assert judged(suite, rows, None).decision == "ship"
    report = judged(suite, rows, StoredRun("r1", {f"c{i}": True for i in range(100)}))
    assert report.decision == "don't ship"
    assert report.reasons == ("worse than r1: 5 cases lost, 0 gained, p = 0.0312",)


def test_a_figure_under_its_floor_does_not_ship() -> None:
    report = judged(suite_named("routing"), [outcome("nba", "content", i) for i in range(3)], None)
    assert report.decision == "don't ship"
    assert any("accuracy is 0.000" in reason for reason in report.reasons)


@pytest.mark.parametrize("suite", ["routing", "compliance"])
def test_the_product_passes_its_own_suites(suite: str) -> None:
    report = run_eval(suite)
    assert report.decision == "ship", report.reasons
    assert report.prompts
    assert json.loads(json.dumps(report.as_json()))["cases_hash"] == run_eval(suite).cases_hash


def test_golden_sets_are_big_enough() -> None:
    compliance = load_cases("compliance", key="expected")
    assert len(load_cases("routing", key="label")) >= 150
    assert len(compliance) >= 60
    assert {case.expected for case in compliance} == {"pass", "block"}
    assert {case.given["channel"] for case in compliance} == {"email", "push", "sms", "in_app", "social"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "a", "text": ""}', "label"),
        ("{", "JSON"),
        ('{"id":"a","text":"t","label":"l"}\n' * 2, "line 2"),
    ],
)
def test_a_bad_case_is_named(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "x.jsonl").write_text(line)
    with pytest.raises(InvalidInput, match=words):
        load_cases("x", key="label", folder=tmp_path)


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(NotFound, match="nothing"):
        run_eval("nothing")


class MemoryTracker:
    """A peer of the MLflow tracker that keeps runs in a list."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, bool]]] = []

    def find(self, which: str) -> StoredRun:
        for run_id, right in reversed(self.kept):
            if which in {"last", run_id}:
                return StoredRun(run_id, right)
        raise NotFound(f"There is no eval run {which!r}.")

    def keep(
        self, figures: Any, cases: Any, *, prompts: Any, decision: str, base: str | None, model: str
    ) -> str:
        self.kept.append((f"run{len(self.kept)}", {row["id"]: row["right"] for row in cases}))
        return self.kept[-1][0]


def test_a_run_is_kept_and_compared() -> None:
    tracker = MemoryTracker()
    first = run_eval("compliance", tracker=tracker)
    second = run_eval("compliance", tracker=tracker, compare_with="last")
    assert (first.run_id, first.base, second.base) == ("run0", None, "run0")
    assert second.comparison is not None
    assert second.comparison.lost == ()
    with pytest.raises(NotFound):
        run_eval("compliance", tracker=tracker, compare_with="nowhere")
