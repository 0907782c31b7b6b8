"""Values that travel between the outbox, the renderer and the connectors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class BatchConnector(Connector, Protocol):
    """A way out that takes many at once."""

    def send_many(self, messages: Sequence[OutgoingMessage]) -> Mapping[str, Receipt]:
        """Receipts by message id, each as `send` would give it; what has none was not accepted."""
        ...


class Refused(Protocol):
    """Why a contact may not be made now."""

    @property
    def reason(self) -> str: ...


class ContactGuard(Protocol):
    """Caps over all channels; decisioning's contact ledger is one.

    `lock_many` holds these customers' contacts until the transaction ends; it comes before the rest.
    `reserve_many` takes (customer, channel, subject) and answers by subject: the reservation's id or a
    refusal, and the same again for a repeated subject. `commit_many` answers which places were lost.
    """

    def lock_many(self, session: Session, customer_ids: Collection[str]) -> None: ...

    def reserve_many(
        self, session: Session, wanted: Sequence[tuple[str, str, str]], at: datetime
    ) -> Mapping[str, int | Refused]: ...

    def commit_many(self, session: Session, reservation_ids: Collection[int]) -> Mapping[int, str]: ...

    def release_many(self, session: Session, reservation_ids: Collection[int]) -> None: ...


class ApprovedContent(Protocol):
    """A payload as stored now; `intact` when it is approved and its text has the approved hash."""

    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def payload_hash(self) -> str: ...
    @property
    def intact(self) -> bool: ...


ApprovalReader = Callable[[Session, str], ApprovedContent | None]
