"""Keeps eval runs in MLflow: figures, prompt versions and the outcome of each case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smart_reach.engine.errors import NotFound

_CASES: Final = "cases.json"
_BASE: Final = "base"


@dataclass(frozen=True)
class StoredRun:
    """A run of a suite that was kept: its id and right/wrong per case id."""

    id: str
    right: dict[str, bool]


class EvalTracker:
    """Reads and writes the runs of one suite, in an experiment of its own. MLflow is imported here only."""

    def __init__(self, tracking_uri: str, suite: str, artifacts: str) -> None:
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(tracking_uri=tracking_uri)
        self._suite = suite
        name = f"smart-reach-eval-{suite}"
        found = self._client.get_experiment_by_name(name)
        self._experiment = (
            found.experiment_id
            if found is not None
            else self._client.create_experiment(name, artifact_location=artifacts)
        )

    def find(self, which: str) -> StoredRun:
        """A run by id, the `last` one kept, or the `base`: the newest one that shipped, else the first.

        Raises `NotFound` when there is none.
        """
        run_id = which if which not in {"last", _BASE} else self._newest(which)
        from mlflow.exceptions import MlflowException

        try:
            run = self._client.get_run(run_id)
            text = self._client.download_artifacts(run_id, _CASES)
        except MlflowException as error:
            raise NotFound(
                f"There is no eval run {which!r}.", hint="Use a run's id, last or base."
            ) from error
        if run.info.experiment_id != self._experiment:
            raise NotFound(f"The run {which!r} is not one of the suite {self._suite}.")
        with open(text, encoding="utf-8") as file:
            rows = json.load(file)
        return StoredRun(run_id, {row["id"]: bool(row["right"]) for row in rows})

    def _newest(self, which: str) -> str:
        query = "tags.decision = 'ship'" if which == _BASE else ""
        order = ["attributes.start_time DESC"]
        runs = self._client.search_runs([self._experiment], query, order_by=order, max_results=1)
        if not runs and which == _BASE:
            runs = self._client.search_runs(
                [self._experiment], order_by=["attributes.start_time ASC"], max_results=1
            )
        if not runs:
            raise NotFound(
                f"No run of the suite {self._suite} was kept yet.", hint="Run it once without --compare."
            )
        return str(runs[0].info.run_id)

    def keep(
        self,
        figures: Mapping[str, float],
        cases: list[dict[str, Any]],
        *,
        prompts: Mapping[str, str],
        decision: str,
        base: str | None,
        model: str,
    ) -> str:
        """Store a run; returns its id."""
        tags = {"suite": self._suite, "decision": decision, "model": model, "base": base or ""}
        run = self._client.create_run(self._experiment, tags=tags, run_name=f"{self._suite}")
        run_id = str(run.info.run_id)
        for name, value in figures.items():
            self._client.log_metric(run_id, name, value)
        for name, version in prompts.items():
            self._client.log_param(run_id, f"prompt.{name}", version)
        self._client.log_text(run_id, json.dumps(cases, ensure_ascii=False, indent=1), _CASES)
        self._client.set_terminated(run_id)
        return run_id
