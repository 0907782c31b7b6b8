"""Approvals from any face: decide once, then resume the campaign run that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from smart_reach.engine.governance.users import User
from smart_reach.tools.campaign import show_proposal
from smart_reach.tools.context import RunContext, Services


class Approvals:
    """One door for the chat card, the queue page and the API."""

    def __init__(self, services: Services, campaign: Any) -> None:
        self._services = services
        self._campaign = campaign
        self.shown: list[Callable[[dict[str, Any]], Awaitable[None]]] = []

    def show(self, user: User, proposal_id: str) -> dict[str, Any]:
        return show_proposal(self._services, user, proposal_id)

    def pending(self, user: User, thread_id: str) -> list[dict[str, Any]]:
        """Proposals of a thread that nobody has decided yet."""
        found = self._services.proposals.list(status="pending", thread_id=thread_id)
        return [self.show(user, proposal.id) for proposal in found]

    def waiting_for(self, user: User, limit: int = 10) -> list[dict[str, Any]]:
        """Proposals that this user may decide, newest first."""
        proposals = self._services.proposals
        found = [one for one in proposals.list("pending") if proposals.why_not(one, user) is None]
        return [self.show(user, one.id) for one in found[:limit]]

    async def decide(
        self,
        user: User,
        proposal_id: str,
        *,
        decision: str,
        reason: str | None,
        payload_hash: str,
        edits: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Role, four eyes, hash and compare-and-set in one transaction; then the run goes on."""
        proposal = await asyncio.to_thread(
            self._services.proposals.decide,
            proposal_id,
            user,
            decision,
            payload_hash=payload_hash,
            reason=reason or "",
            edits=edits,
        )
        if proposal.status != "pending":
            await self.resume(proposal.interrupt_id, user, proposal.status)
        shown = await asyncio.to_thread(self.show, user, proposal_id)
        for tell in self.shown:
            await tell(shown)
        return shown

    async def resume(self, run_id: str | None, user: User, status: str) -> None:
        """Let the waiting run end. A run that has already ended, or never waited, is left alone."""
        if run_id is None:
            return
        config: RunnableConfig = {"configurable": {"thread_id": run_id}}
        context = RunContext(self._services, user, run_id)
        state = await self._campaign.aget_state(config)
        if state.next and not state.interrupts:
            # the process died between the proposal's row and the interrupt: walk up to it first
            await self._campaign.ainvoke(None, config, context=context, durability="sync")
            state = await self._campaign.aget_state(config)
        for waiting in state.interrupts:
            answer: Command[Any] = Command(resume={waiting.id: {"status": status, "by": user.id}})
            await self._campaign.ainvoke(answer, config, context=context, durability="sync")

    async def resume_decided(self) -> int:
        """After a crash between a decision and its resume: end the runs that still wait."""
        ended = 0
        for proposal in await asyncio.to_thread(self._services.proposals.list, "decided"):
            if proposal.interrupt_id is None or proposal.decided_by_id is None:
                continue
            config = {"configurable": {"thread_id": proposal.interrupt_id}}
            if (await self._campaign.aget_state(config)).next:
                decider = User(proposal.decided_by_id, proposal.decided_by_name or "", "", "manager")
                await self.resume(proposal.interrupt_id, decider, proposal.status)
                ended += 1
        return ended
