"""What waits for a person's decision, as Chainlit's steps and elements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from smart_reach.ui.chat import render
from smart_reach.ui.chat.protocol import Json

MOST_CARDS = 3
_ASKED = re.compile(
    r"\b(?:needs?|waits?|waiting|awaits?|awaiting|requires?|for|pending)\b.*\bmy (?:approval|decision)s?\b"
    r"|\b(?:pending|waiting|open) (?:proposals?|approvals?)\b"
    r"|\bmy (?:pending |open )?approvals\b"
    r"|\bwhat (?:should|can|must|do) i (?:have to )?(?:approve|decide)\b",
    re.IGNORECASE,
)
_SHORT_QUESTION = 90


def asks_for_approvals(text: str) -> bool:
    """Whether a message asks what waits for its writer's decision, and asks nothing else."""
    return len(text) <= _SHORT_QUESTION and _ASKED.search(text) is not None


def waiting_words(count: int) -> str:
    """One line above the cards."""
    if count == 0:
        return "Nothing waits for your decision."
    line = "**1 proposal waits for your decision.**"
    if count > 1:
        line = f"**{count} proposals wait for your decision.**"
    newest = f" The newest {MOST_CARDS} are below;" if count > MOST_CARDS else ""
    return f"{line}{newest} [{'See all' if newest else 'Open'} in Approvals](/approvals)"


def waiting(
    thread_id: str, proposals: Sequence[Mapping[str, Any]], *, at: str | None, parent: str | None = None
) -> tuple[list[Json], list[Json]]:
    """Steps and elements of the line and of the newest cards. The cards are those that a decision made
    in this thread replaces."""
    head = render.step(
        thread_id,
        render.stable_id(thread_id, parent or "", "waiting"),
        kind="assistant_message",
        name=render.AUTHOR,
        at=at,
        parent=parent,
        output=waiting_words(len(proposals)),
    )
    steps, elements = [head], []
    for proposal in proposals[:MOST_CARDS]:
        message, card = render.approval(thread_id, proposal, parent)
        steps.append({**message, "createdAt": at, "start": at, "end": at})
        elements.append(card)
    return steps, elements


def suggestions(thread_id: str, for_id: str, starters: Iterable[tuple[str, str]]) -> Json:
    """The starters as buttons: Chainlit hides its own once a message is on the page."""
    props = {"starters": [{"label": label, "text": text} for label, text in starters]}
    element_id = render.stable_id(thread_id, "starters")
    return render.element(thread_id, for_id, render.ANSWER, element_id, props)
