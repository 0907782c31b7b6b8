"""Tables of the demo bank: its clock, what customers are about to do, how far it has read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime


class DemoClockRow(Base):
    """One row (id 1): how far the demo's time is ahead of real time."""

    __tablename__ = "demo_clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset_us: Mapped[int] = mapped_column(BigInteger, default=0)


class DemoPending(Base):
    """An event that will happen at `due_at`; kept after it happened so that nothing happens twice."""

    __tablename__ = "demo_pending"
    __table_args__ = (
        Index("ix_demo_pending_due", "done", "due_at"),
        Index("ix_demo_pending_customer", "customer_id", "kind"),
    )

    event_id: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    customer_id: Mapped[str]
    kind: Mapped[str]
    offer_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    done: Mapped[bool] = mapped_column(default=False)


class DemoCursor(Base):
    """How far the live bank has come: `inbox` (sequence number), `organic` (seconds since 1970)
    and so on; see `store.save_past`."""

    __tablename__ = "demo_cursor"

    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
