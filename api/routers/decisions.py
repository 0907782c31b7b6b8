"""The NBA API: the next best action of a customer or a segment, its record and its replay."""

from __future__ import annotations

import threading
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.engine.errors import Unavailable

router = APIRouter(prefix="/decisions", tags=["decisions"])
# A segment takes seconds of both cores; more at once would only make everybody wait.
AT_ONCE = threading.BoundedSemaphore(2)
PATIENCE_S = 20.0


class DecisionRequest(BaseModel):
    """Either a customer or a segment; offer and channel narrow the choice."""

    model_config = ConfigDict(extra="forbid")

    customer_id: str | None = Field(default=None, max_length=64)
    segment: str | None = Field(default=None, min_length=1, max_length=64)
    offer: str | None = Field(default=None, max_length=64)
    channel: str | None = Field(default=None, max_length=16)
    limit: int | None = Field(default=None, ge=1, le=1_000_000)
    reserve: bool = False

    @model_validator(mode="after")
    def one_of(self) -> DecisionRequest:
        if (self.customer_id is None) == (self.segment is None):
            raise ValueError("give either customer_id or segment")
        return self


@router.post("")
def decide(request: DecisionRequest, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Eligibility → contact policy → expected value → arbitration, recorded for replay."""
    decisions = cockpit.services.decisions
    if request.customer_id is not None:
        return decisions.decide(
            request.customer_id,
            offer_id=request.offer,
            channel=request.channel,
            reserve=request.reserve,
            actor=user.id,
        ).as_json()
    if not AT_ONCE.acquire(timeout=PATIENCE_S):
        raise Unavailable("Other segments are being decided.", hint="Try again in some seconds.")
    try:
        return decisions.decide_segment(
            str(request.segment),
            offer_id=request.offer,
            channel=request.channel,
            limit=request.limit,
            actor=user.id,
        ).as_json()
    finally:
        AT_ONCE.release()


@router.get("/{decision_id}")
def decision(decision_id: str, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    return cockpit.services.decisions.get(decision_id).as_json()


@router.get("/{decision_id}/replay")
def replay(decision_id: str, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Recompute the decision from its record and compare bit for bit."""
    return cockpit.services.decisions.replay(decision_id).as_json()
