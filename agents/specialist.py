"""What the five specialists share: how one is built and how the supervisor reaches it."""

from __future__ import annotations

import operator
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from langchain.agents import AgentState, create_agent
from langchain.agents.middleware import ToolCallRequest, ToolErrorMiddleware
from langchain.tools import BaseTool, ToolRuntime, tool
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.config import get_stream_writer
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from smart_reach.agents.briefing import prompted
from smart_reach.engine.errors import SmartReachError
from smart_reach.tools.context import Artifact, Brief, RunContext, merge


class CockpitState(AgentState[Any]):
    """What changes during a conversation: the messages, and what earlier specialists settled."""

    brief: Annotated[Brief, operator.or_]


@dataclass(frozen=True)
class Specialist:
    """One specialist: its name, when to call it, its prompt and its tools."""

    name: str
    title: str
    purpose: str
    tools: Sequence[BaseTool]

    def build(self, model: BaseChatModel) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The specialist's own agent."""
        return create_agent(
            model,
            list(self.tools),
            middleware=[prompted(self.name), ToolErrorMiddleware(explain)],
            state_schema=CockpitState,
            context_schema=RunContext,
            name=self.name,
        )


def explain(error: Exception, request: ToolCallRequest) -> str | None:
    """Our own errors go back as a sentence; anything else stops the run."""
    return error.message if isinstance(error, SmartReachError) else None


def door(specialist: Specialist, model: BaseChatModel) -> BaseTool:
    """The specialist as a tool of the supervisor; reports a step when it starts and ends."""
    agent = specialist.build(model)

    async def call(request: str, runtime: ToolRuntime[RunContext, CockpitState]) -> Command[Any]:
        write, started = get_stream_writer(), time.monotonic()
        step = {"id": runtime.tool_call_id, "agent": specialist.title}
        write({"step": {**step, "text": specialist.purpose, "status": "running", "ms": 0}})
        brief = runtime.state.get("brief", {})
        result = await agent.ainvoke({"messages": [HumanMessage(request)], "brief": brief})
        text, found, failed = reading(result["messages"])
        ms = round((time.monotonic() - started) * 1000)
        write(
            {"step": {**step, "text": first_line(text), "status": "failed" if failed else "done", "ms": ms}}
        )
        answer = ToolMessage(
            text,
            tool_call_id=runtime.tool_call_id or "",
            name=specialist.name,
            artifact=found,
            status="error" if failed else "success",
        )
        return Command(update={"messages": [answer], "brief": found.get("brief", {})})

    return tool(specialist.name, description=specialist.purpose)(call)


def reading(messages: Sequence[AnyMessage]) -> tuple[str, Artifact, bool]:
    """The specialist's last words, all that its tools found, and whether its last tool failed."""
    found, failed = Artifact(), False
    for message in messages:
        if isinstance(message, ToolMessage):
            failed = message.status == "error"
            found = merge(found, message.artifact or Artifact())
    last = messages[-1]
    return (last.text if isinstance(last, AIMessage) else ""), found, failed


def first_line(text: str, limit: int = 160) -> str:
    """What a step shows: the first sentence of the answer."""
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= limit else line[: limit - 1].rsplit(" ", 1)[0] + "…"
