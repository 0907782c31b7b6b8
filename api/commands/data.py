"""`train` and `demo`: models out, time passing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from smart_reach.api.commands.common import JsonOption, WorkspaceOption, errors_as_exit_codes, opened, say
from smart_reach.api.setup import progress_bar, register_versions
from smart_reach.api.setup import train as train_models
from smart_reach.engine.models.versions import ModelVersion


def train(
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
    register: Annotated[bool, typer.Option(help="Register the versions in MLflow.")] = True,
) -> None:
    """Train the propensity models of every offer and let them serve."""
    with (
        errors_as_exit_codes(as_json),
        opened(workspace) as ws,
        progress_bar("Train", quiet=as_json) as report,
    ):
        versions = train_models(ws, lambda share, doing: report(0.7 * share, doing))
        if register:
            report(0.7, "registering in MLflow")
            register_versions(ws, versions)
        report(1.0, "done")
        found = {"models": [described(version) for version in versions]}
    say(found, as_json=as_json, text=lambda value: "\n".join(lines(one) for one in value["models"]))


def described(version: ModelVersion) -> dict[str, Any]:
    """What a person wants to know of a version."""
    kept = ("rows", "base_rate", "auc", "average_precision", "ece", "protocol")
    return {
        "model": version.model,
        "version": version.version,
        "offer": version.offer_id,
        "data_hash": version.data_hash,
        **{name: version.metrics.get(name) for name in kept},
        "notes": list(version.notes),
    }


def demo(
    days: Annotated[int, typer.Option(help="How many days to let pass.", min=1, max=365)] = 1,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Let the demo bank's customers live for some days and answer what was sent to them."""
    import asyncio

    with errors_as_exit_codes(as_json):
        found = asyncio.run(live(days, workspace, as_json))
    say(found, as_json=as_json, text=lines)


async def live(days: int, workspace: str | None, as_json: bool) -> dict[str, Any]:
    import asyncio

    from smart_reach.api.commands.common import settings_for
    from smart_reach.api.compose import open_cockpit
    from smart_reach.api.stream import Hub

    async with open_cockpit(settings_for(workspace), Hub(), live=False) as cockpit:
        with progress_bar(f"{days} days", quiet=as_json) as report:
            return await asyncio.to_thread(cockpit.life.advance, days, report)


def lines(value: dict[str, Any]) -> str:
    """One `name: value` a line."""
    return "\n".join(f"{name}: {found}" for name, found in value.items())
