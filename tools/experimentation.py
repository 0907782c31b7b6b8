"""Doors to the experiments: how they stand, and how one would be planned."""

from __future__ import annotations

import math
from typing import Any, Literal

from langchain.tools import ToolRuntime, tool
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.words import CHANNEL_LABELS, Channel, OfferId
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.learning.bounds import obf_bounds
from smart_reach.engine.learning.promotion import labels_of
from smart_reach.engine.learning.status import experiment_list, experiment_status
from smart_reach.engine.workspace import Workspace
from smart_reach.tools.campaign import ALPHA, HOLDOUT_SHARE, LOOKS, MIN_DAYS
from smart_reach.tools.context import Artifact, Brief, Found, RunContext

Runtime = ToolRuntime[RunContext]
# Two-sided 80 % power at one-sided α/2, the usual yardstick for the smallest lift a test can show.
Z_POWER = 0.84


@tool("experiment_status", response_format="content_and_artifact")
def experiment_status_tool(runtime: Runtime, name: str | None = None) -> Found:
    """Say how the experiments stand: arms, rates, bound, what is still missing.

    Args:
        name: The experiment or campaign, when the user named one.
    """
    found = summary(runtime.context.services.workspace, name)
    return found["text"], Artifact(facts=found["facts"], table=found["table"], trust="verified")


@tool(response_format="content_and_artifact")
def plan_experiment(
    runtime: Runtime,
    offer: OfferId | None = None,
    channel: Channel | None = None,
    metric: Literal["click", "conversion"] = "click",
) -> Found:
    """Plan an A/B test: arms, holdout, looks, the smallest lift that it can show.

    Args:
        offer: The offer to test, when known.
        channel: The channel to test on, when known.
        metric: What decides the test.
    """
    brief = runtime.state.get("brief", {})
    medium = channel or brief.get("channel") or "email"
    settled = Brief(channel=medium)
    if chosen := offer or brief.get("offer"):
        settled["offer"] = chosen
    text, facts = plan(runtime.context.services.workspace, medium, metric)
    return text, Artifact(facts=facts, trust="verified", brief=settled)


def summary(ws: Workspace, name: str | None = None) -> dict[str, Any]:
    """Experiments whose id, campaign or name holds `name`; all of them without one."""
    with Session(ws.db) as session:
        every = [named(session, one) for one in experiment_list(session)]
    wanted = (name or "").lower()
    found = [one for one in every if wanted in f"{one['id']} {one['campaign_id']} {one['name']}".lower()]
    if not found:
        text = f"There is no experiment called {name!r}." if every else "No experiment has been started yet."
        return {"text": text, "facts": [], "table": None, "experiments": []}
    lines = [_line(one) for one in found[:10]]
    facts = [fact for one in found[:10] for fact in _facts(one)]
    return {"text": "\n".join(lines), "facts": facts, "table": _table(found), "experiments": found}


def named(session: Session, one: dict[str, Any]) -> dict[str, Any]:
    """An experiment whose arms carry the letters that people know from its proposal."""
    content = approved_payload(session, one["proposal_id"])
    labels = labels_of(content.payload) if content else {}
    return experiment_status(session, one["id"], labels)


def _line(one: dict[str, Any]) -> str:
    head = f"{one['name']} ({one['id']}) is {one['status'].replace('_', ' ')}"
    if not one["looks"]:
        return f"{head}; no look has been taken yet, the first one is not due before {one['min_days']} days."
    arms = ", ".join(f"{arm['label']} {arm['rate']:.1%} of {arm['matured']:,}" for arm in one["arms"])
    return f"{head}: {arms}. {one['looks'][-1]['reason']}"


def _facts(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{one['id']}.{arm['id']}",
            "value": arm["rate"],
            "display": f"{arm['rate']:.1%}",
            "source": f"look {one['looks'][-1]['number']} of {one['id']}",
        }
        for arm in one["arms"]
    ]


def _table(found: list[dict[str, Any]]) -> dict[str, Any]:
    columns = [
        ("experiment", None),
        ("arm", None),
        ("sent", "count"),
        ("clicks", "count"),
        ("rate", "percent"),
    ]
    rows = [
        [one["name"], arm["label"], arm["sent"], arm["clicks"], arm["rate"]]
        for one in found
        for arm in one["arms"]
    ]
    return {
        "columns": [{"id": name, "label": name.capitalize(), "unit": unit} for name, unit in columns],
        "rows": rows,
    }


def plan(ws: Workspace, channel: str, metric: str) -> tuple[str, list[dict[str, Any]]]:
    """The standard plan in words, with the lift it can show at 2,000 customers an arm."""
    rate, rows = base_rate(ws, channel, metric)
    bounds = [float(bound) for bound in obf_bounds([(n + 1) / LOOKS for n in range(LOOKS)], ALPHA / 2)]
    shown_bounds = ", ".join(f"{bound:.2f}" for bound in bounds)
    size = 2000
    lift = (bounds[-1] + Z_POWER) * math.sqrt(2 * rate * (1 - rate) / size)
    source = f"messages of the last 90 days by {channel} ({rows:,} sent)"
    facts: list[dict[str, Any]] = [
        {"id": "base_rate", "value": rate, "display": f"{rate:.1%}", "source": source},
        {
            "id": "lift",
            "value": lift,
            "display": f"{100 * lift:.1f} pp",
            "source": f"two arms of {size:,}, {source}",
        },
        {"id": "bounds", "value": bounds, "display": shown_bounds, "source": "O'Brien–Fleming"},
    ]
    text = (
        f"An A/B test by {CHANNEL_LABELS[channel]} would split customers evenly over two variants and keep "
        f"{HOLDOUT_SHARE:.0%} back as a holdout. It is decided on the {metric} rate, {rate:.1%} so far, "
        f"in {LOOKS} looks with the bounds {shown_bounds}, not before {MIN_DAYS} days. With "
        f"{size:,} customers an arm it can show a difference of {100 * lift:.1f} pp. The winner is proposed, "
        "and a manager approves it. Ask for a next best action to start one."
    )
    return text, facts


def base_rate(ws: Workspace, channel: str, metric: str) -> tuple[float, int]:
    """The rate so far on a channel, machines left out, and the messages it was measured on."""
    column = {"click": "clicked", "conversion": "converted"}[metric]  # a closed list, never the caller's text
    connection = ws.lake.connect()
    try:
        row = connection.execute(
            f"SELECT coalesce(avg({column}::INT), 0), count(*) FROM messages WHERE sent AND channel = ?",
            [channel],
        ).fetchone()
    finally:
        connection.close()
    return (float(row[0]), int(row[1])) if row else (0.0, 0)
