"""Runs a suite: answer, score, compare with a base, decide, keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.ports import Progress, silent
from smart_reach.evals.cases import Outcome
from smart_reach.evals.compare import Comparison, below_floors, compare
from smart_reach.evals.suites import Suite, suite_named

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace
    from smart_reach.evals.tracking import StoredRun

Decision = Literal["ship", "don't ship"]


@dataclass(frozen=True)
class EvalReport:
    """What a run found. `reasons` says why the decision is what it is; figures are shares in [0, 1]."""

    suite: str
    run_id: str | None
    figures: dict[str, float]
    outcomes: tuple[Outcome, ...]
    prompts: dict[str, str]
    model: str
    cases_hash: str
    decision: Decision
    reasons: tuple[str, ...]
    comparison: Comparison | None

    @property
    def base(self) -> str | None:
        """The run it was compared with."""
        return None if self.comparison is None else self.comparison.base

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "suite": self.suite,
            "run_id": self.run_id,
            "figures": self.figures,
            "prompts": self.prompts,
            "model": self.model,
            "cases": [outcome.as_json() for outcome in self.outcomes],
            "cases_hash": self.cases_hash,
            "decision": self.decision,
            "reasons": list(self.reasons),
            "base": self.base,
            "comparison": None if self.comparison is None else self.comparison.as_json(),
        }


class Tracker(Protocol):
    """Where runs are kept."""

    def find(self, which: str) -> StoredRun: ...

    def keep(
        self, figures: Any, cases: Any, *, prompts: Any, decision: str, base: str | None, model: str
    ) -> str: ...


def run_eval(
    suite: str,
    ws: Workspace | None = None,
    *,
    compare_with: str | None = None,
    tracker: Tracker | None = None,
    progress: Progress = silent,
) -> EvalReport:
    """Run a suite. `compare_with`: a kept run's id, "last" or "base".

    With a workspace (or tracker) the run is kept in MLflow. Raises `NotFound` for an unknown suite or base,
    before anything is run.
    """
    chosen = suite_named(suite)
    if tracker is None and ws is not None:
        progress(0.0, "opening the log of runs")
        tracker = workspace_tracker(ws, suite)
    stored = tracker.find(compare_with) if tracker is not None and compare_with else None
    progress(0.3, f"running {suite}")
    outcomes = chosen.answer(chosen.cases())
    progress(0.9, "scoring")
    report = judged(chosen, outcomes, stored)
    if tracker is None:
        return report
    rows = [outcome.as_json() for outcome in outcomes]
    run_id = tracker.keep(
        report.figures,
        rows,
        prompts=report.prompts,
        decision=report.decision,
        base=report.base,
        model=report.model,
    )
    progress(1.0, "kept")
    return _with_id(report, run_id)


def judged(suite: Suite, outcomes: Sequence[Outcome], stored: StoredRun | None) -> EvalReport:
    """Score outcomes and decide; pure."""
    figures = suite.score(outcomes)
    paired = None
    if stored is not None:
        paired = compare(stored.id, stored.right, {outcome.case.id: outcome.right for outcome in outcomes})
    reasons = list(below_floors(figures, suite.floors))
    if paired is not None and paired.worse:
        reasons.append(
            f"worse than {paired.base}: {len(paired.lost)} cases lost, {len(paired.gained)} gained, "
            f"p = {paired.p_value:.4f}"
        )
    decision: Decision = "don't ship" if reasons else "ship"
    return EvalReport(
        suite=suite.name,
        run_id=None,
        figures=figures,
        outcomes=tuple(outcomes),
        prompts=prompt_versions(suite.prompts),
        model="Embedded language model",
        cases_hash=content_hash(
            [[outcome.case.id, outcome.case.expected, outcome.case.given] for outcome in outcomes]
        ),
        decision=decision,
        reasons=tuple(reasons) or (_why(paired),),
        comparison=paired,
    )


def _why(paired: Comparison | None) -> str:
    if paired is None:
        return "every figure is at or above its floor"
    return f"every figure is at or above its floor and not worse than {paired.base}"


def prompt_versions(names: Sequence[str]) -> dict[str, str]:
    """`v<version>@<hash>` of each prompt that the suite's subject uses."""
    from smart_reach.prompts import load_prompt

    versions = {}
    for name in names:
        prompt = load_prompt(name)
        versions[name] = f"v{prompt.version}@{prompt.hash[:12]}"
    return versions


def workspace_tracker(ws: Workspace, suite: str) -> Tracker:
    """The log of runs in a workspace's MLflow; its first start migrates a database (about 20 s)."""
    from smart_reach.evals.tracking import EvalTracker

    return EvalTracker(ws.mlflow_url(), suite, (ws.root / "evals" / suite).as_uri())


def _with_id(report: EvalReport, run_id: str) -> EvalReport:
    from dataclasses import replace

    return replace(report, run_id=run_id)
