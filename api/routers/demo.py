"""The demo bank's clock: read it, or let time pass."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, model_validator

from smart_reach.api.life import ZONE
from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.engine.errors import NotFound
from smart_reach.engine.governance.roles import allowed

router = APIRouter(prefix="/demo", tags=["demo"])


class Advance(BaseModel):
    days: Literal[1, 7, 30] | None = None
    until: Literal["next_window"] | None = None

    @model_validator(mode="after")
    def one_of(self) -> Advance:
        if (self.days is None) == (self.until is None):
            raise ValueError("give either days or until")
        return self


@router.get("/clock")
def clock(user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    if not cockpit.demo:
        raise NotFound("There is no demo clock outside demo mode.")
    return {**cockpit.life.state(), "demo": True, "zone": ZONE, "can_advance": allowed(user, "demo.advance")}


@router.post("/advance", status_code=202)
def advance(step: Advance, user: SignedIn, cockpit: CockpitOf) -> dict[str, bool]:
    """Let simulated time pass; progress comes over the event stream. One run at a time."""
    cockpit.life.start_advance(user, days=step.days)
    return {"started": True}
