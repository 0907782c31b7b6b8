"""`decide`, `replay`, `verify-ledger`, `experiment`: what was decided, and the proof of it."""

from __future__ import annotations

from dataclasses import asdict
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
from smart_reach.api.compose import build_decisions
from smart_reach.engine.errors import InvalidInput, NotFound

ACTOR = "usr_cli"


def decide(
    customer: Annotated[str | None, typer.Argument(help="Customer id, such as cus_000123.")] = None,
    segment: Annotated[str | None, typer.Option(help="Decide for a segment instead.")] = None,
    offer: Annotated[str | None, typer.Option(help="Only this offer.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Decide the next best action of a customer or a segment."""
    with errors_as_exit_codes(as_json):
        if (customer is None) == (segment is None):
            raise InvalidInput("customer", customer, "Give either a customer id or --segment.")
        with opened(workspace) as ws:
            service = build_decisions(ws)
            found = (
                service.decide(customer, offer_id=offer, channel=channel, actor=ACTOR)
                if customer is not None
                else service.decide_segment(segment or "all", offer_id=offer, channel=channel, actor=ACTOR)
            ).as_json()
    say(found, as_json=as_json, text=funnel)


def funnel(found: dict[str, Any]) -> str:
    """The reason, then how many candidates each stage left."""
    stages = [
        f"  {stage['label']}: {stage['left']} left" + (f" – {stage['reason']}" if stage["reason"] else "")
        for stage in found["funnel"]
        if stage["removed"] or stage["reason"]
    ]
    return "\n".join([found["reason"], *stages, f"[{found['decision_id']}]"])


def replay(
    decision: Annotated[str, typer.Argument(help="Decision id.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Recompute a decision from its record and compare bit for bit; exit code 1 when it differs."""
    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        found = build_decisions(ws).replay(decision).as_json()
    say(
        found,
        as_json=as_json,
        text=lambda value: "same" if value["same"] else f"differs: {value['differences']}",
    )
    if not found["same"]:
        raise typer.Exit(FAILED)


def verify_ledger(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Check the ledger's chain; exit code 1 and the place when it is broken."""
    from sqlalchemy.orm import Session

    from smart_reach.engine.governance.anchors import verify_with_anchors

    with errors_as_exit_codes(as_json), opened(workspace) as ws, Session(ws.db) as session:
        found = asdict(verify_with_anchors(session, ws.settings.secret_key().encode()))
    say(found, as_json=as_json, text=chain)
    if not found["whole"]:
        raise typer.Exit(FAILED)


def chain(found: dict[str, Any]) -> str:
    if found["whole"]:
        entries = f"{found['entries']} {'entry' if found['entries'] == 1 else 'entries'}"
        return f"The chain is whole: {entries}."
    return f"The chain breaks at entry {found['broken_at']}: {found['reason']}"


def experiment(
    name: Annotated[str | None, typer.Argument(help="Experiment or campaign; all when left out.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say how the experiments stand."""
    from smart_reach.tools.experimentation import summary

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        found = summary(ws, name)
        if name is not None and not found["experiments"]:
            raise NotFound(found["text"], hint="Run `smart-reach experiment` to see them all.")
    say(found, as_json=as_json, text=lambda value: value["text"])
