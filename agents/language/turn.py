"""Reads a conversation: what is asked now, what was said before, and what tools have answered since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

RESULTS_MARK: Final = "\n\n[Results so far]\n"
CONTEXT_MARK: Final = "\n\n[Earlier in this conversation]\n"
ASKS_FOR_MORE: Final = "I need one more thing for this"
_SHORT_ANSWER: Final = 4
_LONGEST_CONTEXT: Final = 1500


@dataclass(frozen=True)
class Turn:
    """One turn: `earlier` holds results handed over inside the request, `picked` a clicked choice."""

    request: str
    context: str
    earlier: str
    picked: str | None
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
        """Whether the last tool failed or asks the user something, so that no further step makes sense."""
        if not self.results:
            return False
        last = self.results[-1]
        artifact = last.artifact if isinstance(last.artifact, Mapping) else {}
        return last.status == "error" or bool(artifact.get("clarification") or artifact.get("refusal"))


def read_turn(messages: Sequence[BaseMessage], choices: Mapping[str, str]) -> Turn:
    """Read the turn that starts with the last human message."""
    start = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1)
    text = messages[start].text if start >= 0 else ""
    before = messages[: max(start, 0)]
    picked, text = _picked(text.strip(), before, choices)
    request, earlier, context = split_request(text)
    since = messages[start + 1 :]
    return Turn(
        request=request,
        context=context or _last_answer(before),
        earlier=earlier,
        picked=picked,
        results=tuple(message for message in since if isinstance(message, ToolMessage)),
        calls=tuple(
            call["name"] for message in since if isinstance(message, AIMessage) for call in message.tool_calls
        ),
        position=len(messages),
    )


def _picked(text: str, before: Sequence[BaseMessage], choices: Mapping[str, str]) -> tuple[str | None, str]:
    """Turn a clicked choice back into the request that the question was about."""
    label = next((label for label, words in choices.items() if words.lower() == text.lower()), None)
    asked = [message for message in before if isinstance(message, AIMessage)]
    said = [message for message in before if isinstance(message, HumanMessage)]
    if not asked or not said:
        return None, text
    if label is not None and asked[-1].response_metadata.get("clarify"):
        return label, said[-1].text
    if ASKS_FOR_MORE in asked[-1].text and len(text.split()) <= _SHORT_ANSWER:
        return None, f"{said[-1].text} ({text})"
    return None, text


def _last_answer(before: Sequence[BaseMessage]) -> str:
    for message in reversed(before):
        if isinstance(message, AIMessage) and not message.tool_calls and message.text:
            return message.text[:_LONGEST_CONTEXT]
    return ""


def join_request(request: str, *, results: str = "", context: str = "") -> str:
    """One text for a specialist: the request, then what earlier steps found, then what was said before."""
    text = request
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
