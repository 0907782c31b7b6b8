"""The review list of identity: customers that a record says are one; a person decides."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.engine.catalog.identity.review import IdentityReview
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.roles import require

router = APIRouter(prefix="/identity", tags=["identity"])
Number = Annotated[int, Field(ge=1, le=2**62)]


class Answer(BaseModel):
    """`keep`: with a merge, the customer that stays."""

    decision: Literal["merge", "keep_apart"]
    keep: str | None = Field(default=None, max_length=128)
    reason: str = Field(default="", max_length=1000)


class Undo(BaseModel):
    reason: str = Field(min_length=1, max_length=1000)


@router.get("/conflicts")
def conflicts(
    user: SignedIn,
    cockpit: CockpitOf,
    status: Literal["open", "merged", "kept_apart", "all"] = "open",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> dict[str, Any]:
    """Fifty a page, newest first, with both customers side by side; how many there are and wait."""
    require(user, "insight.read")
    return _review(cockpit).list(status, page=page)


@router.get("/conflicts/{conflict_id}")
def conflict(conflict_id: Number, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    require(user, "insight.read")
    return _review(cockpit).get(conflict_id)


@router.post("/conflicts/{conflict_id}/decide")
def decide(conflict_id: Number, answer: Answer, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Merge or keep apart; 403 for who may not, 409 when somebody else decided first."""
    return _review(cockpit).decide(conflict_id, answer.decision, user, keep=answer.keep, reason=answer.reason)


@router.post("/conflicts/{conflict_id}/unmerge")
def unmerge(conflict_id: Number, undo: Undo, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Take a merge back."""
    return _review(cockpit).unmerge(conflict_id, user, reason=undo.reason)


def _review(cockpit: CockpitOf) -> IdentityReview:
    ws = cockpit.workspace
    return IdentityReview(ws.db, ws.clock, Ledger(ws.clock).append, require)
