"""Tables of governance: users, the ledger with its sealed parts, proposals and their versions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime


class UserRow(Base):
    """A member of staff who may sign in. `email` is stored in lower case."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    sessions_end: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LedgerEntry(Base):
    """One link of the chain. `body` is canonical JSON text: JSONB would rewrite numbers and break hashes."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_subject", "subject", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str]
    subject: Mapped[str]
    actor: Mapped[str]
    body: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str]


class LedgerHead(Base):
    """The one row that says where the chain ends; locking it puts appends in a line."""

    __tablename__ = "ledger_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str]


class LedgerAnchor(Base):
    """The head of a day, signed with a key the database does not hold; exported copies prove the past."""

    __tablename__ = "ledger_anchors"

    day: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str]
    signature: Mapped[str]


class PersonKey(Base):
    """The key of one person's sealed parts. `person` is a random name that leads nowhere without this row."""

    __tablename__ = "person_keys"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(unique=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SealedPart(Base):
    """What a ledger entry says about one person, under that person's key: nonce and AES-GCM ciphertext.

    It stays when the key is destroyed: the entry's body holds its SHA-256, so the chain can be checked for
    ever, while nobody can read it.
    """

    __tablename__ = "sealed_parts"

    entry: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class ProposalCounter(Base):
    """Gives proposals numbers without gaps: the counter rolls back with the proposal."""

    __tablename__ = "proposal_counter"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int]


class ProposalRow(Base):
    """What somebody wants approved. `payload` is canonical JSON text and `payload_hash` its SHA-256."""

    __tablename__ = "proposals"
    __table_args__ = (Index("ix_proposals_status", "status", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    status: Mapped[str]
    payload: Mapped[str]
    payload_hash: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[str]
    created_by_name: Mapped[str]
    agent: Mapped[str | None]
    deadline: Mapped[datetime] = mapped_column(UtcDateTime)
    thread_id: Mapped[str | None] = mapped_column(index=True)
    interrupt_id: Mapped[str | None]
    dedup_key: Mapped[str | None] = mapped_column(unique=True)
    decided_by_id: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str | None]


class ProposalVersion(Base):
    """Every payload a proposal ever had, with its author: the four-eyes rule reads the authors here."""

    __tablename__ = "proposal_versions"

    proposal_id: Mapped[str] = mapped_column(ForeignKey("proposals.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    payload: Mapped[str]
    payload_hash: Mapped[str]
    author_id: Mapped[str]
    author_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(default="")
