"""The conversation service: what the Copilot page, the chat and the command line all speak to."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from smart_reach.agents.language.turn import asked_before
from smart_reach.agents.supervisor import build_supervisor
from smart_reach.engine.errors import InvalidInput, SmartReachError
from smart_reach.engine.governance.roles import allowed
from smart_reach.engine.governance.users import User
from smart_reach.engine.state.conversations import ConversationStore
from smart_reach.graphs.approvals import Approvals
from smart_reach.graphs.campaign import build_campaign
from smart_reach.graphs.message import assistant_message, user_message
from smart_reach.tools.asked import wants_proposal
from smart_reach.tools.context import RunContext, Services

Kind = Literal["step", "message", "proposal", "error", "done"]
LONGEST = 4000


@dataclass(frozen=True)
class ConversationEvent:
    """One thing that a face shows; `data` has the shape of the API."""

    kind: Kind
    data: dict[str, Any]


class ConversationService:
    """Threads, turns and decisions. One instance per process, built in the lifespan."""

    def __init__(
        self, services: Services, model: Any, label: str, checkpointer: BaseCheckpointSaver[Any]
    ) -> None:
        self._services = services
        self._label = label
        self._store = ConversationStore(services.workspace.db)
        self._supervisor = build_supervisor(model).with_config(recursion_limit=60)
        self._supervisor.checkpointer = checkpointer
        self._campaign = build_campaign(checkpointer)
        self.approvals = Approvals(services, self._campaign)

    async def threads(self, user: User) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._store.threads, user.id)

    async def open_thread(self, user: User, *, thread_id: str | None = None, title: str | None = None) -> str:
        now = self._services.workspace.clock.now()
        return await asyncio.to_thread(self._store.open, user.id, now, title=title or "", thread_id=thread_id)

    async def thread(self, user: User, thread_id: str) -> dict[str, Any]:
        row, messages = await asyncio.to_thread(self._store.thread, user.id, thread_id)
        pending = await asyncio.to_thread(self.approvals.pending, user, thread_id)
        return {
            "id": row.id,
            "title": row.title,
            "messages": [message.body for message in messages],
            "pending": pending,
        }

    async def waiting_for(self, user: User) -> list[dict[str, Any]]:
        """Proposals that this user may decide, newest first."""
        return await asyncio.to_thread(self.approvals.waiting_for, user)

    async def proposal(self, user: User, proposal_id: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.approvals.show, user, proposal_id)

    async def rename_thread(self, user: User, thread_id: str, title: str) -> None:
        await asyncio.to_thread(self._store.rename, user.id, thread_id, title)

    async def delete_thread(self, user: User, thread_id: str) -> None:
        await asyncio.to_thread(self._store.delete, user.id, thread_id)

    async def feedback(self, user: User, message_id: str, score: int, comment: str | None) -> None:
        await asyncio.to_thread(self._store.rate, user.id, message_id, score, comment)

    async def decide(
        self, user: User, proposal_id: str, *, decision: str, reason: str | None, payload_hash: str
    ) -> dict[str, Any]:
        return await self.approvals.decide(
            user, proposal_id, decision=decision, reason=reason, payload_hash=payload_hash
        )

    async def send(self, user: User, thread_id: str, text: str) -> AsyncIterator[ConversationEvent]:
        """One turn: the specialists' steps as they happen, the answer, then a proposal if there is one."""
        text = text.strip()
        if not text or len(text) > LONGEST:
            raise InvalidInput("text", text[:40], f"Write 1 to {LONGEST} characters.")
        row, _ = await asyncio.to_thread(self._store.thread, user.id, thread_id)
        await self._keep(row.id, user_message(text, self._now()), title=text[:80])
        context = RunContext(self._services, user, row.id)
        try:
            async for event in self._turn(context, text):
                yield event
        except SmartReachError as error:
            yield ConversationEvent("error", {"code": error.code, "message": error.message})
        yield ConversationEvent("done", {})

    async def _turn(self, context: RunContext, text: str) -> AsyncIterator[ConversationEvent]:
        steps: dict[str, dict[str, Any]] = {}
        messages: list[Any] = []
        config: RunnableConfig = {"configurable": {"thread_id": context.thread_id}}
        async for part in self._supervisor.astream(
            {"messages": [HumanMessage(text)]},
            config,
            context=context,
            stream_mode=["custom", "values"],
            version="v2",
        ):
            data: Any = part["data"]
            if part["type"] == "values":
                messages = data["messages"]
                continue
            steps[data["step"]["id"]] = data["step"]
            yield ConversationEvent("step", data["step"])
        answer = assistant_message(messages, self._label, self._now())
        plan, proposal_id = answer.pop("plan"), None
        asked = asked_before(messages)  # a follow-up such as "make it sms instead", written out
        wanted = plan is not None and any(map(wants_proposal, (text, asked.request if asked else "")))
        if wanted and not allowed(context.user, "proposal.create"):
            answer["text"] += f"\n\nYour role ({context.user.role}) may look but not propose a campaign."
        elif wanted:
            async for event in self._propose(context, plan, steps):
                proposal_id = event.data["id"] if event.kind == "proposal" else proposal_id
                yield event
        answer.update(steps=list(steps.values()), proposal_id=proposal_id)
        await self._keep(context.thread_id, answer)
        yield ConversationEvent("message", answer)

    async def _propose(
        self, context: RunContext, plan: dict[str, Any], steps: dict[str, dict[str, Any]]
    ) -> AsyncIterator[ConversationEvent]:
        """Run the campaign graph to its approval; it has a thread of its own, so no message can drop it."""
        run_id = str(uuid.uuid4())
        config: RunnableConfig = {"configurable": {"thread_id": run_id}}
        async for part in self._campaign.astream(
            {"run_id": run_id, **plan},
            config,
            context=context,
            stream_mode="custom",
            durability="sync",
            version="v2",
        ):
            data: Any = part["data"]
            if "proposal" in data:
                shown = await asyncio.to_thread(self.approvals.show, context.user, data["proposal"])
                yield ConversationEvent("proposal", shown)
            else:
                steps[data["step"]["id"]] = data["step"]
                yield ConversationEvent("step", data["step"])

    async def _keep(self, thread_id: str, body: dict[str, Any], *, title: str | None = None) -> None:
        await asyncio.to_thread(self._store.add, thread_id, body, self._now(), title=title)

    def _now(self) -> Any:
        return self._services.workspace.clock.now()
