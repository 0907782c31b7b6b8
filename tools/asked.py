"""What the user asked, as a tool can read it from the conversation's state."""

from __future__ import annotations

import re
from typing import Any

from langchain_core.messages import HumanMessage

# Blocks that a supervisor may add below the request begin like this.
_BLOCK = re.compile(r"\n\n\[[A-Z][^\]]*\]\n")
_WANTS = re.compile(
    r"\b(propos\w*|campaign|launch|send|approv\w*|next best (action|offer)s?|plan|start|set up|target"
    r"|(an|the|some) actions?|write|draft)\b",
    re.IGNORECASE,
)
_ONLY_ASKS = re.compile(
    r"^\W*(why|when|how|is|are|was|were|does|do|did|which|who|whom|best time|would|should it)\b",
    re.IGNORECASE,
)


def request_of(state: Any) -> str:
    """The newest thing that a person said, without what a supervisor added below it."""
    for message in reversed(state.get("messages", [])):
        if isinstance(message, HumanMessage):
            return _BLOCK.split(message.text, maxsplit=1)[0].strip()
    return ""


def wants_proposal(text: str) -> bool:
    """Whether the user asks for something to be put forward, rather than for an answer only."""
    return bool(_WANTS.search(text)) and not _ONLY_ASKS.search(text)
