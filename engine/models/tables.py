"""Table of trained model versions; the files they point to are bound by hash."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime


class ModelVersionRow(Base):
    """One trained version. `kind`: offer | pooled | base-rate; `status`: serving | retired."""

    __tablename__ = "model_versions"
    __table_args__ = (
        UniqueConstraint("model", "version", name="uq_model_versions_model"),
        Index("ix_model_versions_serving", "offer_id", "status"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    version: Mapped[int]
    offer_id: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trained_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    data_hash: Mapped[str]
    file_hash: Mapped[str]
    code_version: Mapped[str]
    path: Mapped[str]
    features: Mapped[list[str]] = mapped_column(JSONB)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB)
    notes: Mapped[list[str]] = mapped_column(JSONB)
    mlflow_ref: Mapped[str | None]
