"""Tables of learning: experiments, who was assigned what, and every look that was taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base, UtcDateTime


class Experiment(Base):
    """A fixed-split test of a campaign's variants.

    `arms`: variant ids, the first is the control at the start; `planned`: exposures at full information.
    `status`: running → proposed → promoted → rolled_back, or running → concluded (no winner).
    `control`: what the campaign falls back to; `winner`: what remaining messages carry once promoted.
    """

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(unique=True)
    proposal_id: Mapped[str]
    name: Mapped[str]
    metric: Mapped[str]
    arms: Mapped[list[str]] = mapped_column(JSONB)
    control: Mapped[str]
    previous_control: Mapped[str | None]
    winner: Mapped[str | None]
    looks: Mapped[int]
    alpha: Mapped[float]
    min_days: Mapped[int]
    planned: Mapped[int]
    status: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    promotion_id: Mapped[str | None]


class Assignment(Base):
    """Which arm a customer was given, written in the transaction that prepares the message."""

    __tablename__ = "assignments"
    __table_args__ = (Index("ix_assignments_arm", "experiment_id", "arm"),)

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id"), primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    arm: Mapped[str]
    message_id: Mapped[str]
    randomised: Mapped[bool] = mapped_column(default=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ExperimentLook(Base):
    """One look: what was seen, against which bound, and what was concluded."""

    __tablename__ = "experiment_looks"

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    information: Mapped[float]
    arms: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    best: Mapped[str | None]
    z: Mapped[float | None]
    bound: Mapped[float | None]
    srm_p: Mapped[float | None]
    verdict: Mapped[str]
    reason: Mapped[str]
