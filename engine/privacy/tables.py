"""Table of erasures: what is being erased, and the receipt of what was.

Importing `erasures` here puts its table into the schema: the catalog's helper has no room of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.catalog.erasures import ErasedCustomer
from smart_reach.engine.state.base import Base, UtcDateTime

__all__ = ["ErasedCustomer", "Erasure"]


class Erasure(Base):
    """One person's erasure. `ids`: what is still to be erased, in clear; empty once it is finished.

    `person_hash` is the keyed hash under which the id stays suppressed; `report` is the receipt so far.
    """

    __tablename__ = "erasures"

    person_hash: Mapped[str] = mapped_column(primary_key=True)
    receipt_id: Mapped[str] = mapped_column(unique=True)
    actor: Mapped[str]
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ids: Mapped[list[str]] = mapped_column(JSONB, default=list)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
