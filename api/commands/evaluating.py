"""`eval`: score golden cases and say ship or don't ship."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from smart_reach.api.commands.common import (
    FAILED,
    JsonOption,
    WorkspaceOption,
    errors_as_exit_codes,
    opened,
    say,
)


def evaluate(
    suite: Annotated[str, typer.Argument(help="routing or compliance.")],
    compare: Annotated[str | None, typer.Option(help="Base to compare with: a run id, or `last`.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Run a suite of golden cases, log it to MLflow, compare with a base; exit code 1 for don't ship."""
    from smart_reach.evals.runner import run_eval

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        report = run_eval(suite, ws, compare_with=compare)
    say(report.as_json(), as_json=as_json, text=lambda value: shown(value))
    if report.decision != "ship":
        raise typer.Exit(FAILED)


def shown(value: dict[str, Any]) -> str:
    figures = "\n".join(f"  {name}: {figure}" for name, figure in value["figures"].items())
    return f"{value['suite']}\n{figures}\n→ {value['decision']}: {' '.join(value['reasons'])}"
