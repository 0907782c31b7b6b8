"""The embedded language model: a deterministic chat model that needs no network.

It routes, chooses tools and fills their arguments; what it says is a tool's own text or a fixed reply,
so it cannot invent a figure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, PrivateAttr

from smart_reach.agents.language.arguments import ArgumentFiller
from smart_reach.agents.language.planner import Planner, Reply
from smart_reach.agents.language.routing.features import TextEmbedder
from smart_reach.agents.language.routing.router import Router
from smart_reach.agents.language.routing.tool_choice import ToolChooser
from smart_reach.agents.language.vocabulary import ValueFinder

MODEL_NAME: Final = "Embedded language model"


class EmbeddedChatModel(BaseChatModel):
    """Routes and fills by small classifiers over sentence embeddings; see `planner.py` for what it does.

    `response_metadata` of each answer holds `model_name` and, where it routed, `route`, `confidence`,
    `clarify`, `choices`, `declined` and `plan`; `additional_kwargs["routing"]` holds the same.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _planner: Planner = PrivateAttr()

    def __init__(self, *, router: Router | None = None, embedder: TextEmbedder | None = None) -> None:
        super().__init__()
        if embedder is None:
            from smart_reach.knowledge.embedder import Embedder

            embedder = Embedder()
        self._planner = Planner(
            router or Router.load(embedder), ToolChooser.load(embedder), ArgumentFiller(ValueFinder(embedder))
        )

    @property
    def _llm_type(self) -> str:
        return "smart-reach-embedded"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": MODEL_NAME}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; `tool_choice` "any" or "required" makes it end with a call of an unknown tool."""
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=formatted, tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self._planner.reply(messages, kwargs.get("tools") or [], kwargs.get("tool_choice"))
        return ChatResult(generations=[ChatGeneration(message=_message(reply))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """The same answer in pieces; the marks come with the last one."""
        reply = self._planner.reply(messages, kwargs.get("tools") or [], kwargs.get("tool_choice"))
        whole = _message(reply)
        for piece in re.findall(r"\S+\s*", reply.text) if not whole.tool_calls else []:
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(message=_last_chunk(whole))


def _message(reply: Reply) -> AIMessage:
    return AIMessage(
        content=reply.text,
        tool_calls=[
            {"name": call.name, "args": call.args, "id": call.id, "type": "tool_call"} for call in reply.calls
        ],
        additional_kwargs={"routing": reply.marks} if reply.marks else {},
        response_metadata={"model_name": MODEL_NAME, **reply.marks},
    )


def _last_chunk(message: AIMessage) -> AIMessageChunk:
    import json

    return AIMessageChunk(
        content="",
        tool_call_chunks=[
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ],
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
