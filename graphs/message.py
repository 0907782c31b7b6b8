"""From a finished turn to the Message that the faces show."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from smart_reach.tools.context import Artifact, merge


def user_message(text: str, at: datetime) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "role": "user", "text": text, "at": at.isoformat()}


def assistant_message(messages: Sequence[AnyMessage], label: str, at: datetime) -> dict[str, Any]:
    """The answer of the last turn; `plan` holds what a campaign run would start from, or None."""
    turn = last_turn(messages)
    found, routes = Artifact(), []
    for message in turn:
        if isinstance(message, ToolMessage):
            routes.append(message.name)
            found = merge(found, message.artifact or Artifact())
    first = next((message for message in turn if isinstance(message, AIMessage)), AIMessage(""))
    said = first.response_metadata
    clarification = found.get("clarification") or clarifying(said)
    declined = bool(said.get("declined") or found.get("declined"))
    return {
        "id": str(uuid.uuid4()),
        "role": "assistant",
        "text": turn[-1].text if turn else "",
        "at": at.isoformat(),
        "route": said.get("route") or (routes[0] if routes else "out_of_scope"),
        "confidence": said.get("confidence"),
        "trust": "none" if declined or clarification else found.get("trust", "none"),
        "facts": found.get("facts", []),
        "chart": found.get("chart"),
        "table": found.get("table"),
        "spec_text": found.get("spec_text"),
        "sql": found.get("sql"),
        "row_count": found.get("row_count"),
        "freshness": found.get("freshness"),
        "citations": found.get("citations", []),
        "clarification": clarification,
        "declined": declined,
        "model": label,
        "plan": campaign_plan(found),
    }


def last_turn(messages: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
    """Everything after the last thing that the user said."""
    for index in range(len(messages) - 1, -1, -1):
        if isinstance(messages[index], HumanMessage):
            return messages[index + 1 :]
    return messages


def clarifying(said: dict[str, Any]) -> dict[str, Any] | None:
    if not said.get("clarify"):
        return None
    return {
        "question": said.get("question") or "Which of these do you mean?",
        "choices": said.get("choices", []),
    }


def campaign_plan(found: Artifact) -> dict[str, Any] | None:
    """A decided segment with an action becomes a campaign; drafts of the same turn are used as they are."""
    brief = found.get("brief", {})
    if not {"segment_decision", "offer", "channel"} <= brief.keys():
        return None
    return {"brief": brief, "variants": found.get("variants", [])}
