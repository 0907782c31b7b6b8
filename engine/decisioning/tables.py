"""Tables of decisions and of the contact ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Sequence
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime

DECISION_NUMBERS = Sequence("decision_numbers", metadata=Base.metadata)


class DecisionRow(Base):
    """One customer's decision. `record` is canonical JSON kept as text: JSONB would rewrite numbers."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_customer", "customer_id", "at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    offer_id: Mapped[str | None]
    channel: Mapped[str | None]
    window: Mapped[str | None]
    actor: Mapped[str]
    record: Mapped[str]
    content_hash: Mapped[str]
    ledger_seq: Mapped[int]


class SegmentDecisionRow(Base):
    """One segment's decision; `record` is canonical JSON as text, `audience` the chosen customers."""

    __tablename__ = "segment_decisions"

    id: Mapped[str] = mapped_column(primary_key=True)
    segment_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    offer_id: Mapped[str | None]
    channel: Mapped[str | None]
    window: Mapped[str | None]
    actor: Mapped[str]
    audience: Mapped[list[Any]] = mapped_column(JSONB)
    record: Mapped[str]
    content_hash: Mapped[str]
    ledger_seq: Mapped[int]


class ContactReservation(Base):
    """A contact that was made (committed), may be made (reserved) or will not be made (released).

    `subject` is what the contact is for: a message id. One subject has one row.
    """

    __tablename__ = "contact_reservations"
    __table_args__ = (
        CheckConstraint("state IN ('reserved', 'committed', 'released')", name="state"),
        Index("ix_contact_reservations_customer", "customer_id", "at"),
        Index("ix_contact_reservations_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    customer_id: Mapped[str]
    channel: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    subject: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
