"""Tables of the catalog: offers, versioned terms, customers and who they are, consent, campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
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


class ConsentRecord(Base):
    """A consent record that was taken in: no record is taken in twice.

    `consent_id` is the row it became; None when a newer record was there before it.
    """

    __tablename__ = "consent_records"
    __table_args__ = (Index("ix_consent_records_consent", "consent_id"),)

    record_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(index=True)
    consent_id: Mapped[int | None]


class CustomerProfile(Base):
    """Which record each field of a customer came from: {field: [microseconds since 1970, record id]}.

    With it records may arrive in any order, and twice: a field keeps what the newest record said.
    `updated_at` is the database's own time, which no two changes of a customer share.
    """

    __tablename__ = "customer_profiles"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    versions: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Holding(Base):
    """A product that a customer has or had, as the newest record says. Amounts in minor units."""

    __tablename__ = "holdings"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    category: Mapped[str | None]
    offer_id: Mapped[str | None]
    balance_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    record_id: Mapped[str]


class IdentityKey(Base):
    """A key by which a source names a customer. The value itself is never stored: `hash` is keyed.

    `customer_id`: whose key it is now; `home_id`: whose it was at first, to which taking a merge back
    returns it. Both are None once the person was erased: what comes under such a key is dropped.
    """

    __tablename__ = "identity_keys"
    __table_args__ = (
        Index("ix_identity_keys_customer", "customer_id"),
        Index("ix_identity_keys_home", "home_id"),
    )

    hash: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    customer_id: Mapped[str | None]
    home_id: Mapped[str | None]


class UndescribedCustomer(Base):
    """A customer known by keys of events alone; no customer record has described the person yet."""

    __tablename__ = "undescribed_customers"

    customer_id: Mapped[str] = mapped_column(primary_key=True)


class CustomerAlias(Base):
    """`customer_id` is the same person as `into_id`, until `ended_at`.

    `conflict_id` names the decision; without one a customer record declared that keys belong together,
    of which at most one had been described.
    """

    __tablename__ = "customer_aliases"
    __table_args__ = (
        Index(
            "uq_customer_aliases_active",
            "customer_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_customer_aliases_into", "into_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[str]
    into_id: Mapped[str]
    conflict_id: Mapped[int | None]
    reason: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IdentityConflict(Base):
    """Two customers that a record says are one: a person decides. `first_id` < `second_id`.

    `status`: open → merged | kept_apart. `settled_by` names the other conflict whose merge settled this one.
    `evidence`: {record_id, source, occurred_at, reason, kinds of keys}.
    """

    __tablename__ = "identity_conflicts"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id", name="uq_identity_conflicts_pair"),
        CheckConstraint("first_id < second_id", name="order"),
        Index("ix_identity_conflicts_status", "status", "id"),
        Index("ix_identity_conflicts_second", "second_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    first_id: Mapped[str]
    second_id: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kept_id: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None]
    settled_by: Mapped[int | None]


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
