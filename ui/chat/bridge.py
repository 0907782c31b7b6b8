"""Between Chainlit's callbacks and the conversation service: who speaks, about which thread."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from smart_reach.engine.errors import Forbidden, NotFound, Unanswerable
from smart_reach.engine.governance.users import User
from smart_reach.ui.chat import render
from smart_reach.ui.chat.guard import request_user
from smart_reach.ui.chat.protocol import (
    APPROVALS_STARTER,
    ApprovalQueue,
    ConversationServiceProtocol,
    Json,
    ProposalReader,
    ReadSession,
    ThreadRenamer,
    is_uuid,
)

_REMEMBERED = 10_000
_TITLE = 80


@dataclass
class Bridge:
    """One mounted chat. Holds only what a restart may forget: open threads and running answers' ids."""

    get_service: Callable[[], ConversationServiceProtocol]
    read_session: ReadSession
    starters: tuple[tuple[str, str], ...]
    _opened: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _runs: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _delivered: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def service(self) -> ConversationServiceProtocol:
        """The conversation service; it is opened and closed with the application."""
        return self.get_service()

    async def user(self) -> User:
        """Who speaks now, read afresh: a role that changed or a session that ended counts at once.

        Raises Forbidden when nobody is signed in any more.
        """
        token = socket_token()
        user = await asyncio.to_thread(self.read_session, token) if token else request_user.get()
        if user is None:
            raise Forbidden("Your session has ended.", hint="Reload the page and sign in again.")
        return user

    async def headings(self, search: str | None = None) -> list[Json]:
        """The user's conversations, newest first; ids that are not UUIDs are not Chainlit's to show."""
        user = await self.user()
        items = [item for item in await self.service.threads(user) if is_uuid(item.get("id"))]
        if search:
            items = [item for item in items if search.lower() in str(item.get("title") or "").lower()]
        listed = [render.heading(user, item) for item in items]
        return sorted(listed, key=lambda item: str(item["createdAt"] or ""), reverse=True)

    async def rendered_thread(self, thread_id: str) -> Json:
        """A thread as Chainlit shows it. Raises NotFound, Forbidden."""
        user = await self.user()
        stored = await self.service.thread(user, thread_id)
        _remember(self._opened, thread_id, user.id)
        waiting = {str(item["id"]) for item in stored.get("pending", [])}
        named = {str(m["proposal_id"]) for m in stored.get("messages", []) if m.get("proposal_id")}
        decided = {name: await self.proposal(user, name) for name in sorted(named - waiting)}
        return render.thread(user, stored, {name: item for name, item in decided.items() if item})

    async def proposal(self, user: User, proposal_id: str) -> Json | None:
        """The proposal as it is, where the service can tell."""
        if not isinstance(self.service, ProposalReader):
            return None
        try:
            return await self.service.proposal(user, proposal_id)
        except (NotFound, Forbidden):
            return None

    @property
    def has_queue(self) -> bool:
        """Whether the service can say what waits for somebody's decision."""
        return isinstance(self.service, ApprovalQueue)

    async def waiting(self, user: User) -> list[Json]:
        """The proposals that wait for this user's decision, newest first."""
        service = self.service
        return await service.waiting_for(user) if isinstance(service, ApprovalQueue) else []

    async def starters_now(self) -> list[tuple[str, str]]:
        """The starters for who is signed in: who decides is offered the queue as well."""
        user = await self.user()
        asks = self.has_queue and user.role in ("manager", "admin")
        return [APPROVALS_STARTER, *self.starters] if asks else list(self.starters)

    def delivered(self, thread_id: str, proposal_id: str) -> None:
        """Note that a proposal of another thread is shown in this one."""
        _remember(self._delivered, f"{proposal_id} {thread_id}", thread_id)

    def threads_with(self, proposal_id: str) -> set[str]:
        """The threads to which a proposal was brought."""
        return {thread for key, thread in self._delivered.items() if key.partition(" ")[0] == proposal_id}

    async def ensure_thread(self, thread_id: str, title: str) -> None:
        """Open the thread once; Chainlit's two first writes arrive together."""
        user = await self.user()
        async with self._opening:
            if self._opened.get(thread_id) == user.id:
                return
            await self.service.open_thread(user, thread_id=thread_id, title=short(title))
            _remember(self._opened, thread_id, user.id)

    async def rename(self, thread_id: str, title: str) -> None:
        """Give the thread another title."""
        if not isinstance(self.service, ThreadRenamer):
            raise Unanswerable("Conversations cannot be renamed yet.")
        await self.service.rename_thread(await self.user(), thread_id, short(title))

    async def delete_thread(self, thread_id: str) -> None:
        """Remove the thread."""
        await self.service.delete_thread(await self.user(), thread_id)
        self._opened.pop(thread_id, None)

    def answered(self, run_id: str, message_id: str) -> None:
        """Note which message a running answer became, so that a thumb on it finds its way."""
        _remember(self._runs, run_id, message_id)

    async def feedback(self, run_id: str, score: int, comment: str | None) -> None:
        """Keep a thumb; after a reload the run carries the message's own id."""
        message_id = self._runs.get(run_id, run_id)
        await self.service.feedback(await self.user(), message_id, score, comment)


def short(title: str) -> str:
    """The first line of a text, short enough for a list. Chainlit names a chat that begins with a button
    by the button's action."""
    title = "Approvals" if title == render.DECIDE_ACTION else title
    line = title.strip().splitlines()[0] if title.strip() else "New conversation"
    return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


def socket_token() -> str | None:
    """The session token of the running websocket, if Chainlit runs one here."""
    from chainlit.context import context_var

    current: Any = context_var.get(None)
    return getattr(current.session, "token", None) if current is not None else None


def _remember(memory: OrderedDict[str, str], key: str, value: str) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
