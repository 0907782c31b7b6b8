"""Tables of the catalog: offers, versioned terms, customers, consent, campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime


class Offer(Base):
    """A product that can be proposed. `margin_minor`: expected margin of one conversion, minor units.

    `eligibility` is a list of {field, op, value, label}; every rule must hold.
    """

    __tablename__ = "offers"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    category: Mapped[str]
    margin_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(default="EUR")
    active: Mapped[bool] = mapped_column(default=True)
    eligibility: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    description: Mapped[str] = mapped_column(default="")


class Term(Base):
    """One version of a product fact. `display` is the only text that may stand in a message."""

    __tablename__ = "terms"
    __table_args__ = (Index("ix_terms_offer", "offer_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[str] = mapped_column(ForeignKey("offers.id"))
    label: Mapped[str]
    display: Mapped[str]
    number: Mapped[float | None]
    unit: Mapped[str]
    qualifier: Mapped[str | None]
    source: Mapped[str]
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Customer(Base):
    """A person the bank may contact. `attributes` holds no name, address or account number."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(primary_key=True)
    zone: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    holdout: Mapped[bool] = mapped_column(default=False)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Consent(Base):
    """Append-only: the newest row of (customer, channel, purpose) is what holds; its id is the receipt."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_key", "customer_id", "channel", "purpose", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    channel: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="marketing")
    granted: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str]


class Campaign(Base):
    """An approved plan being carried out; `payload_hash` is what the approval was bound to."""

    __tablename__ = "campaigns"
    __table_args__ = (UniqueConstraint("proposal_id", name="uq_campaigns_proposal_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    offer_id: Mapped[str] = mapped_column(ForeignKey("offers.id"))
    channel: Mapped[str]
    window: Mapped[str]
    status: Mapped[str]
    proposal_id: Mapped[str]
    payload_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
