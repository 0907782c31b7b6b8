"""Values that travel between the outbox, the renderer and the connectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session


class Rendered(Protocol):
    """Copy with every figure in place; `knowledge` renders it, the engine only carries it."""

    @property
    def subject(self) -> str | None: ...
    @property
    def body(self) -> str: ...
    @property
    def cta(self) -> str | None: ...


@dataclass(frozen=True)
class RenderedMessage:
    """The plain `Rendered`."""

    subject: str | None
    body: str
    cta: str | None


Renderer = Callable[[Session, Mapping[str, Any]], Rendered]


@dataclass(frozen=True)
class OutgoingMessage:
    """What a connector is given. `message_id` is its idempotency key."""

    message_id: str
    customer_id: str
    campaign_id: str
    offer_id: str
    channel: str
    variant_id: str
    tone: str | None
    subject: str
    body: str
    cta: str
    url: str


@dataclass(frozen=True)
class Receipt:
    """A connector's word that it has the message. `repeated`: it had it before."""

    receipt_id: str
    accepted_at: datetime
    repeated: bool = False


class Connector(Protocol):
    """A way out. `send` must be idempotent by `message_id`; it raises `Unavailable` when it is down."""

    def send(self, message: OutgoingMessage) -> Receipt: ...

    def find(self, message_id: str) -> Receipt | None:
        """The receipt of a message accepted before, else None."""
        ...


class Refused(Protocol):
    """Why a contact may not be made now."""

    @property
    def reason(self) -> str: ...


class ContactGuard(Protocol):
    """Caps over all channels; decisioning's contact ledger is one. Customers come in sorted order.

    `reserve` answers the reservation's id or a refusal, and the same again for a repeated subject.
    """

    def reserve(
        self, session: Session, customer_id: str, channel: str, at: datetime, subject: str
    ) -> int | Refused: ...

    def commit(self, session: Session, reservation_id: int) -> None: ...

    def release(self, session: Session, reservation_id: int) -> None: ...


class ApprovedContent(Protocol):
    """A payload as stored now; `intact` when it is approved and its text has the approved hash."""

    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def payload_hash(self) -> str: ...
    @property
    def intact(self) -> bool: ...


ApprovalReader = Callable[[Session, str], ApprovedContent | None]
