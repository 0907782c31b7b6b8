"""What the chat needs from the conversation service, and the words both sides use."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.governance.users import User

Json = dict[str, Any]
ReadSession = Callable[[str | None], User | None]

COOKIE = "smart_reach_session"
ROOT = "/chat"
APPROVALS_STARTER = ("What needs my approval?", "What needs my approval?")
STARTERS: tuple[tuple[str, str], ...] = (
    ("How did we do this week?", "How did click-through rate develop over the last 14 days?"),
    ("Who is slipping?", "Find customers whose activity is falling and propose a next best action"),
    ("Write a compliant push", "Write a push message for the low-fee card for young professionals"),
    ("Is any test decided?", "Which experiments are running and is any variant ahead?"),
)


class ConversationEvent(Protocol):
    """One thing that happened while an answer was made; data as in the API's `Message` and `Proposal`."""

    @property
    def kind(self) -> Literal["step", "message", "proposal", "error", "done"]:
        """What happened."""

    @property
    def data(self) -> Mapping[str, Any]:
        """The thing itself, as JSON."""


class ConversationServiceProtocol(Protocol):
    """The one conversation behind the API and this chat; every method checks whose thread it is."""

    async def threads(self, user: User) -> list[Json]:
        """The user's own threads: id, title, updated_at."""

    async def open_thread(self, user: User, *, thread_id: str | None = None, title: str | None = None) -> str:
        """Make a thread, or return the user's own one with this id. Raises NotFound for another's."""

    async def thread(self, user: User, thread_id: str) -> Json:
        """id, title, messages, pending. Raises NotFound or Forbidden when it is not the user's."""

    async def delete_thread(self, user: User, thread_id: str) -> None:
        """Remove the thread from the user's list."""

    def send(self, user: User, thread_id: str, text: str) -> AsyncIterator[Any]:
        """Answer one message; yields `ConversationEvent`s."""

    async def decide(
        self, user: User, proposal_id: str, *, decision: str, reason: str | None, payload_hash: str
    ) -> Json:
        """Decide a proposal; returns it as it then is. Raises Conflict, Forbidden, InvalidInput."""

    async def feedback(self, user: User, message_id: str, score: int, comment: str | None) -> None:
        """Keep a thumb, 1 or -1, and its comment."""


@runtime_checkable
class ProposalReader(Protocol):
    """Optional part of the service: lets the chat show a decided proposal's final card."""

    async def proposal(self, user: User, proposal_id: str) -> Json:
        """The proposal as it is now."""


@runtime_checkable
class ApprovalQueue(Protocol):
    """Optional part of the service: lets the chat bring a proposal to those who may decide about it."""

    async def waiting_for(self, user: User) -> list[Json]:
        """Pending proposals that this user may decide, newest first."""


@runtime_checkable
class ThreadRenamer(Protocol):
    """Optional part of the service: lets a person rename a conversation."""

    async def rename_thread(self, user: User, thread_id: str, title: str) -> None:
        """Give the user's own thread another title."""


def is_uuid(value: object) -> bool:
    """Whether the value is a UUID in its usual spelling; nothing else may name a thread or a session."""
    if not isinstance(value, str):
        return False
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def thread_uuid(value: object) -> str:
    """The value as a thread id. Raises InvalidInput for anything but a UUID."""
    if not is_uuid(value):
        raise InvalidInput("thread_id", value, "Threads are named by UUIDs; start a new chat.")
    return str(value).lower()
