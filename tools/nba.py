"""Doors to the decisions: the next best action of one customer and of a segment."""

from __future__ import annotations

from typing import Literal

from langchain.tools import ToolRuntime, tool

from smart_reach.engine.catalog.words import CHANNEL_LABELS, Channel, OfferId
from smart_reach.tools.context import Artifact, Brief, Found, RunContext

SegmentId = Literal[
    "all",
    "slipping",
    "students",
    "young-professionals",
    "families",
    "affluent",
    "retirees",
    "new-customers",
    "dormant-cards",
    "high-balance",
    "previous-buyers",
    "over-60",
]
Runtime = ToolRuntime[RunContext]
WHOM = "For which group of customers?"


@tool(response_format="content_and_artifact")
def decide_customer(
    customer_id: str, runtime: Runtime, offer: OfferId | None = None, channel: Channel | None = None
) -> Found:
    """Decide the next best action of one customer: offer, channel and window, with the reason.

    Args:
        customer_id: Such as cus_000123.
        offer: Only this offer, when the user named one: says whether and why it is offered or not.
        channel: Only this channel, when the user named one.
    """
    context = runtime.context
    decision = context.services.decisions.decide(
        customer_id, offer_id=offer, channel=channel, actor=context.user.id
    ).as_json()
    return decision["reason"], Artifact(
        facts=decision["facts"],
        decision=decision,
        trust="verified",
        citations=[_record(decision["decision_id"])],
    )


@tool(response_format="content_and_artifact")
def decide_segment(
    runtime: Runtime,
    segment: SegmentId | None = None,
    offer: OfferId | None = None,
    channel: Channel | None = None,
) -> Found:
    """Decide the next best action of a group of customers, within consent, caps and eligibility.

    Args:
        segment: The group; left out, the one that was found before. Use all only for everybody.
        offer: Only this offer, when the user named one.
        channel: Only this channel, when the user named one.
    """
    context, brief = runtime.context, runtime.state.get("brief", {})
    chosen = segment or brief.get("segment")
    if chosen is None:
        return WHOM, Artifact(clarification={"question": WHOM, "choices": choices(offer, channel)})
    decision = context.services.decisions.decide_segment(
        chosen, offer_id=offer, channel=channel, actor=context.user.id
    ).as_json()
    settled = Brief(segment=decision["segment"]["id"], segment_decision=decision["decision_id"])
    if action := decision["action"]:
        settled["offer"], settled["channel"] = action["offer_id"], action["channel"]
        settled["window"] = action["window"]
    return decision["reason"], Artifact(
        facts=decision["facts"],
        decision=decision,
        table=decision["table"],
        trust="verified",
        brief=settled,
        citations=[_record(decision["decision_id"])],
    )


def choices(offer: str | None, channel: str | None) -> list[str]:
    """Complete requests, one for each group that people ask for most."""
    what = f" with the {offer.replace('-', ' ')}" if offer else ""
    how = f" by {CHANNEL_LABELS[channel]}" if channel else ""
    groups = ("everyone", "slipping customers", "students", "families", "affluent customers", "retirees")
    return [f"Propose the next best action for {group}{what}{how}" for group in groups]


def _record(decision_id: str) -> dict[str, str]:
    return {
        "title": "Decision record",
        "text": f"Replay with: smart-reach replay {decision_id}",
        "source": decision_id,
    }
