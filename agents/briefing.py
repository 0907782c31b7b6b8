"""What a prompt is told: each variable by name, computed only when a prompt asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from langchain.agents.middleware import AgentMiddleware, ModelRequest, dynamic_prompt
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.terms import terms_of
from smart_reach.engine.catalog.words import CHANNEL_LABELS, WINDOWS
from smart_reach.engine.decisioning.segments import SEGMENTS
from smart_reach.prompts import load_prompt
from smart_reach.tools.context import Brief, RunContext
from smart_reach.tools.experimentation import summary
from smart_reach.tools.knowledge import offer_names

UNSETTLED = "not settled yet"


def prompted(name: str) -> AgentMiddleware:
    """The agent's system prompt, filled in anew for each call of the model."""

    @dynamic_prompt
    def fill(request: ModelRequest) -> str:
        prompt = load_prompt(name)
        context, brief = (
            cast(RunContext, request.runtime.context),
            cast(Brief, request.state.get("brief", {})),
        )
        return prompt.render(**{one: VARIABLES[one](context, brief) for one in prompt.variables})

    return fill


def _today(context: RunContext, brief: Brief) -> str:
    return f"{context.services.workspace.clock.now():%A, %d %B %Y}"


def _terms(context: RunContext, brief: Brief) -> str:
    ws = context.services.workspace
    with Session(ws.db) as session:
        terms = terms_of(session, brief.get("offer", ""), ws.clock.now()).values()
    return bullets(f"{{term:{t.id}@{t.version}}} {t.label}: {t.display} {t.qualifier or ''}" for t in terms)


def _passages(kind: str) -> Callable[[RunContext, Brief], str]:
    def find(context: RunContext, brief: Brief) -> str:
        query = f"{brief.get('channel', 'message')} {brief.get('offer', '')}"
        found = context.services.knowledge.search(query, kinds=(kind,), k=4)
        return bullets(f"{passage.title}: {passage.text}" for passage in found)

    return find


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line.strip()}" for line in lines) or "- none"


VARIABLES: dict[str, Callable[[RunContext, Brief], str]] = {
    "today": _today,
    "workspace": lambda context, brief: context.services.workspace.name,
    "user_role": lambda context, brief: context.user.role,
    "metrics": lambda context, brief: bullets(
        f"{metric.label}" for metric in context.services.metrics.model.metrics.values()
    ),
    "dimensions": lambda context, brief: bullets(
        f"{dimension.label}" for dimension in context.services.metrics.model.dimensions.values()
    ),
    "segments": lambda context, brief: bullets(f"{one.id}: {one.description}" for one in SEGMENTS),
    "offers": lambda context, brief: bullets(offer_names(context.services.workspace)),
    "channels": lambda context, brief: bullets(CHANNEL_LABELS.values()),
    "windows": lambda context, brief: bullets(f"{one.id}: {one.label}" for one in WINDOWS.values()),
    "running": lambda context, brief: summary(context.services.workspace)["text"],
    "brief": lambda context, brief: bullets(f"{name}: {value}" for name, value in brief.items()),
    "offer": lambda context, brief: brief.get("offer", UNSETTLED),
    "channel": lambda context, brief: brief.get("channel", UNSETTLED),
    "tone": lambda context, brief: "as the user asks, else one plain and one that leads with the benefit",
    "terms": _terms,
    "brand": _passages("brand"),
    "legal": _passages("legal"),
    "limits": _passages("contact"),
}
