"""The supervisor: routes a request among the five specialists."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import ToolErrorMiddleware
from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from smart_reach.agents.briefing import prompted
from smart_reach.agents.compliance import COMPLIANCE
from smart_reach.agents.content import CONTENT
from smart_reach.agents.experimentation import EXPERIMENTATION
from smart_reach.agents.insights import INSIGHTS
from smart_reach.agents.nba import NBA
from smart_reach.agents.specialist import CockpitState, door, explain
from smart_reach.tools.context import RunContext

SPECIALISTS = (INSIGHTS, NBA, CONTENT, COMPLIANCE, EXPERIMENTATION)


def build_supervisor(model: BaseChatModel) -> CompiledStateGraph[Any, Any, Any, Any]:
    """One tool per specialist; the model decides which to call and in which order."""
    return create_agent(
        model,
        [door(specialist, model) for specialist in SPECIALISTS],
        middleware=[prompted("supervisor"), ToolErrorMiddleware(explain)],
        state_schema=CockpitState,
        context_schema=RunContext,
        name="supervisor",
    )
