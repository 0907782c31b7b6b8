"""Tables of delivery: the outbox, events on their way to the lake, the loopback connector's own memory."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime


class OutboxRow(Base):
    """One message of one campaign to one customer.

    `status`: queued → sending → sent; or held (with the reason) or held_out (kept back for comparison).
    `sending` means: every check passed and exactly `message` may be given to the connector, perhaps twice
    after a crash; the connector knows it by `message_id`. `claim_until` is machine time, the other times
    are the workspace clock's.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("campaign_id", "customer_id", name="uq_outbox_campaign_id"),
        Index("ix_outbox_due", "status", "not_before"),
    )

    message_id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str]
    customer_id: Mapped[str]
    channel: Mapped[str]
    payload_hash: Mapped[str]
    holdout: Mapped[bool]
    status: Mapped[str]
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claim: Mapped[str | None]
    claim_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    variant_id: Mapped[str | None]
    message: Mapped[str | None]
    reservation_id: Mapped[int | None]
    consent_id: Mapped[int | None]
    receipt_id: Mapped[str | None]
    reason: Mapped[str | None]
    deferrals: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PendingEvent(Base):
    """An event on its way to the lake. `batch` is set before the write, `written` after it."""

    __tablename__ = "pending_events"
    __table_args__ = (Index("ix_pending_events_open", "written", "seq"),)

    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    batch: Mapped[str | None]
    written: Mapped[bool] = mapped_column(default=False)


class LoopbackMessage(Base):
    """What the loopback connector accepted; `attempts` counts how often it was offered."""

    __tablename__ = "loopback_messages"
    __table_args__ = (Index("ix_loopback_messages_campaign", "campaign_id", "seq"),)

    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    receipt_id: Mapped[str]
    customer_id: Mapped[str]
    campaign_id: Mapped[str]
    offer_id: Mapped[str]
    channel: Mapped[str]
    variant_id: Mapped[str]
    tone: Mapped[str | None]
    subject: Mapped[str]
    body: Mapped[str]
    cta: Mapped[str]
    url: Mapped[str]
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=1)
