"""Reads a conversation: what is asked now, what was said before, and what tools have answered since."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from smart_reach.agents.language.follow_up import Asked, follow_up
from smart_reach.agents.language.routing.corpus import SPECIALISTS

RESULTS_MARK: Final = "\n\n[Results so far]\n"
WHOLE_MARK: Final = "\n\n[The whole request]\n"
CONTEXT_MARK: Final = "\n\n[Earlier in this conversation]\n"
ASKS_FOR_MORE: Final = "I need one more thing for this"
_SHORT_ANSWER: Final = 4
_COMMAND: Final = re.compile(
    r"^\W*(?:what|which|who|how|why|when|is|are|show|write|draft|check|propose|decide|compare|plan|start|hi|"
    r"hello|thanks|help|never ?mind|no|stop|cancel)\b",
    re.IGNORECASE,
)
_PREPOSITION: Final = re.compile(r"^(?:for|to|the|with|by)\s+", re.IGNORECASE)
_LONGEST_CONTEXT: Final = 1500


@dataclass(frozen=True)
class Turn:
    """One turn: `earlier` holds results handed over inside the request, `picked` the specialists it is for
    when that is certain (a clicked choice, a follow-up), `whole` the request that it is one step of."""

    request: str
    context: str
    earlier: str
    picked: tuple[str, ...]
    whole: str
    results: tuple[ToolMessage, ...]
    calls: tuple[str, ...]
    position: int

    def called(self, name: str) -> bool:
        return name in self.calls

    @property
    def result_text(self) -> str:
        """The tools' texts in order, each once."""
        texts = [message.text.strip() for message in self.results]
        return "\n\n".join(dict.fromkeys(text for text in texts if text))

    @property
    def stopped(self) -> bool:
        """Whether a tool failed or asks the user something, so that no step that builds on it makes sense."""
        return any(message.status == "error" or _open_end(message) for message in self.results)


def read_turn(messages: Sequence[BaseMessage], choices: Mapping[str, str]) -> Turn:
    """Read the turn that starts with the last human message."""
    start = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1)
    text = messages[start].text if start >= 0 else ""
    before = messages[: max(start, 0)]
    picked, text = _picked(text.strip(), before, choices)
    request, earlier, context = split_request(text)
    request, _, whole = request.partition(WHOLE_MARK)
    since = messages[start + 1 :]
    return Turn(
        request=request,
        whole=whole,
        context=context or _last_answer(before),
        earlier=earlier,
        picked=picked,
        results=tuple(message for message in since if isinstance(message, ToolMessage)),
        calls=tuple(
            call["name"] for message in since if isinstance(message, AIMessage) for call in message.tool_calls
        ),
        position=len(messages),
    )


def _picked(
    text: str, before: Sequence[BaseMessage], choices: Mapping[str, str]
) -> tuple[tuple[str, ...], str]:
    """Turn a clicked choice, a short answer or a follow-up into the whole request that it stands for."""
    label = next((label for label, words in choices.items() if words.lower() == text.lower()), None)
    asked = [message for message in before if isinstance(message, AIMessage)]
    said = [message for message in before if isinstance(message, HumanMessage)]
    if not asked or not said:
        return (), text
    if label is not None and asked[-1].response_metadata.get("clarify"):
        return (label,), said[-1].text
    if ASKS_FOR_MORE in asked[-1].text and len(text.split()) <= _SHORT_ANSWER:
        return (), f"{said[-1].text} ({text})"
    earlier = asked_before(before)
    if earlier is None:
        return (), text
    if (
        _was_asked(before)
        and earlier.labels[-1] != "insights"
        and len(text.split()) <= _SHORT_ANSWER
        and not _COMMAND.match(text)
    ):
        return earlier.labels, f"{earlier.request} for {_PREPOSITION.sub('', text)}"
    merged = follow_up(text, earlier)
    return (merged.labels, merged.request) if merged else ((), text)


def asked_before(before: Sequence[BaseMessage]) -> Asked | None:
    """What the last turn that reached a specialist was about, follow-ups written out."""
    labels: list[str] = []
    request = ""
    for message in reversed(before):
        if isinstance(message, HumanMessage) and labels:
            break
        for call in reversed(message.tool_calls) if isinstance(message, AIMessage) else ():
            if call["name"] in SPECIALISTS:
                labels.insert(0, call["name"])
                own, _, whole = split_request(str(call["args"].get("request", "")))[0].partition(WHOLE_MARK)
                request = whole or own
    return Asked(tuple(dict.fromkeys(labels)), request) if labels else None


def _was_asked(before: Sequence[BaseMessage]) -> bool:
    """Whether the last turn ended with a tool's question to the user."""
    last = next((one for one in reversed(before) if isinstance(one, ToolMessage | HumanMessage)), None)
    artifact = last.artifact if isinstance(last, ToolMessage) else None
    return isinstance(artifact, Mapping) and bool(artifact.get("clarification"))


def _open_end(message: ToolMessage) -> bool:
    artifact = message.artifact if isinstance(message.artifact, Mapping) else {}
    return bool(artifact.get("clarification") or artifact.get("refusal"))


def _last_answer(before: Sequence[BaseMessage]) -> str:
    for message in reversed(before):
        if isinstance(message, AIMessage) and not message.tool_calls and message.text:
            return message.text[:_LONGEST_CONTEXT]
    return ""


def join_request(request: str, *, whole: str = "", results: str = "", context: str = "") -> str:
    """One text for a specialist: its part of the request, the whole of it when that is more, then what
    earlier steps found, then what was said before."""
    text = request + (WHOLE_MARK + whole if whole and whole != request else "")
    if results:
        text += RESULTS_MARK + results
    if context:
        text += CONTEXT_MARK + context
    return text


def split_request(text: str) -> tuple[str, str, str]:
    """(request, results so far, earlier conversation): the inverse of `join_request`."""
    head, _, context = text.partition(CONTEXT_MARK)
    request, _, results = head.partition(RESULTS_MARK)
    return request.strip(), results.strip(), context.strip()


def metadata(message: BaseMessage) -> dict[str, Any]:
    """How a message of the embedded model was routed; empty for any other."""
    routing: dict[str, Any] = message.additional_kwargs.get("routing", {})
    return routing
