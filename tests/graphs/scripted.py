"""A chat model that says what the test wrote, and fails on a step too many or too few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field


class ScriptedModel(BaseChatModel):
    """Plays `steps` in order. Shared by supervisor and specialists, in the order they run."""

    steps: list[AIMessage]
    seen: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ScriptedModel:
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if not self.steps:
            raise AssertionError(f"a step that the test did not expect; last message: {messages[-1].text!r}")
        self.seen.append(list(messages))
        return ChatResult(generations=[ChatGeneration(message=self.steps.pop(0))])


def call(name: str, **arguments: Any) -> AIMessage:
    """A step that calls one tool."""
    return AIMessage(
        "", tool_calls=[{"name": name, "args": arguments, "id": f"call_{name}_{len(arguments)}"}]
    )


def say(text: str, **metadata: Any) -> AIMessage:
    """A step that answers."""
    return AIMessage(text, response_metadata=metadata)
