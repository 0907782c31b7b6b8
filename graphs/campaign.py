"""The campaign graph: content → compliance → revise (at most n) → proposal → approval.

Compliance is an edge that no model can skip. The proposal row is made in a node of its own, so that a
resume, which runs the interrupted node again, makes nothing twice.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from smart_reach.tools.campaign import propose_campaign
from smart_reach.tools.context import Brief, RunContext

MAX_REVISIONS = 2


class CampaignState(TypedDict, total=False):
    """What a campaign run knows so far."""

    run_id: str
    brief: Brief
    variants: list[dict[str, Any]]
    revisions: int
    proposal_id: str
    payload_hash: str
    outcome: dict[str, Any]


def draft(state: CampaignState, runtime: Runtime[RunContext]) -> CampaignState:
    """Two variants for the decided offer and channel, unless the conversation already has them."""
    if state.get("variants"):
        return {}
    brief, started = state["brief"], time.monotonic()
    variants = runtime.context.services.knowledge.draft(brief["offer"], brief["channel"], count=2)
    report("content", "Content agent", f"{len(variants)} variants drafted from product terms", started)
    return {"variants": variants}


def check(
    state: CampaignState, runtime: Runtime[RunContext]
) -> Command[Literal["revise", "propose", "give_up"]]:
    """Verdicts decide where the run goes; there is no way around them."""
    started = time.monotonic()
    variants = runtime.context.services.knowledge.recheck(state["variants"])
    failed = sum(not variant["verdict"]["passed"] for variant in variants)
    report(
        "compliance",
        "Compliance agent",
        f"{failed} of {len(variants)} variants need work" if failed else "Every variant passes the checks",
        started,
    )
    update = {"variants": variants}
    if not failed:
        return Command(update=update, goto="propose")
    if state.get("revisions", 0) < MAX_REVISIONS:
        return Command(update=update, goto="revise")
    return Command(update=update, goto="give_up")


def revise(state: CampaignState, runtime: Runtime[RunContext]) -> CampaignState:
    """Apply the suggested repairs of the findings."""
    variants = runtime.context.services.knowledge.repair(state["variants"])
    return {"variants": variants, "revisions": state.get("revisions", 0) + 1}


def give_up(state: CampaignState) -> CampaignState:
    return {"outcome": {"status": "not_compliant"}}


def propose(state: CampaignState, runtime: Runtime[RunContext]) -> CampaignState:
    """Write the proposal; the run's id makes a repeated call return the first one."""
    proposal = propose_campaign(runtime.context, state["run_id"], state["brief"], state["variants"])
    get_stream_writer()({"proposal": proposal.id})
    return {"proposal_id": proposal.id, "payload_hash": proposal.payload_hash}


def await_approval(state: CampaignState) -> CampaignState:
    """Stop until `ProposalService.decide` has an answer; it alone resumes the run."""
    return {"outcome": interrupt({"proposal_id": state["proposal_id"]})}


def report(step_id: str, agent: str, text: str, started: float) -> None:
    ms = round((time.monotonic() - started) * 1000)
    get_stream_writer()({"step": {"id": step_id, "agent": agent, "text": text, "status": "done", "ms": ms}})


def build_campaign(checkpointer: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Compile the graph on a checkpointer; approvals outlive the process."""
    graph = StateGraph(CampaignState, context_schema=RunContext)
    for node in (draft, check, revise, give_up, propose, await_approval):
        graph.add_node(node)
    graph.add_edge(START, "draft")
    graph.add_edge("draft", "check")
    graph.add_edge("revise", "check")
    graph.add_edge("propose", "await_approval")
    graph.add_edge("await_approval", END)
    graph.add_edge("give_up", END)
    return graph.compile(checkpointer=checkpointer, name="campaign")
