"""Tables of the sources: dead letters, the HTTP inbox, how each source is doing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime


class DeadLetter(Base):
    """A record that was refused: what it said, where it stood, why, and what to do.

    `position` is where it stands in its partition (Kafka offset, row of a file, inbox row.line); the same
    place is never noted twice. `raw` keeps at most 64 KB of the record; `size` is its full length in bytes.
    `status`: open → retried (its retry was accepted) | discarded.
    """

    __tablename__ = "dead_letters"
    __table_args__ = (
        UniqueConstraint("source", "partition", "position", name="uq_dead_letters_place"),
        Index("ix_dead_letters_status", "status", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    source: Mapped[str]
    partition: Mapped[str]
    position: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    contract: Mapped[str | None]
    record_id: Mapped[str | None]
    customer_id: Mapped[str | None] = mapped_column(index=True)
    field: Mapped[str | None]
    value: Mapped[str | None]
    reason: Mapped[str]
    remedy: Mapped[str]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    status: Mapped[str] = mapped_column(default="open")
    attempts: Mapped[int] = mapped_column(default=0)
    last_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mapping: Mapped[str | None]


class InboxRow(Base):
    """One accepted request to `POST /api/events`: the durable log that the inbox source reads in order.

    `body` (lines of JSON) is emptied once a snapshot holds it; the row stays for its idempotency key.
    """

    __tablename__ = "event_inbox"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    request_hash: Mapped[str]
    source: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    records: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)


class SourceStatus(Base):
    """How a source is doing, for the Data page. The truth about positions is in the lake's snapshots.

    `partitions`: [{partition, position, end, lag}]. `rate`: records a second over the last minute.
    """

    __tablename__ = "sources"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    partitions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    lag: Mapped[int | None] = mapped_column(BigInteger)
    rate: Mapped[float] = mapped_column(default=0.0)
    accepted: Mapped[int] = mapped_column(BigInteger, default=0)
    duplicates: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)
    last_event_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_commit_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
