"""The approval queue."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.engine.errors import InvalidInput
from smart_reach.tools.campaign import show_proposal

router = APIRouter(prefix="/proposals", tags=["approvals"])


class VariantEdit(BaseModel):
    id: str
    subject: str | None = Field(default=None, max_length=500)
    body: str | None = Field(default=None, max_length=5000)


class Edits(BaseModel):
    variants: list[VariantEdit] = Field(min_length=1, max_length=10)


class Answer(BaseModel):
    """`payload_hash` is the hash that the reader saw: an answer to anything else is refused."""

    decision: Literal["approve", "reject", "edit"]
    payload_hash: str = Field(min_length=64, max_length=64)
    reason: str | None = Field(default=None, max_length=1000)
    edits: Edits | None = None


class Undo(BaseModel):
    reason: str = Field(min_length=1, max_length=1000)


@router.get("")
def queue(
    user: SignedIn, cockpit: CockpitOf, status: Literal["pending", "decided", "all"] = "pending"
) -> dict[str, Any]:
    """Proposals, newest first, and how many wait."""
    proposals = cockpit.services.proposals
    pending = proposals.list("pending")
    chosen = pending if status == "pending" else proposals.list(status)
    items = [show_proposal(cockpit.services, user, proposal.id) for proposal in chosen[:100]]
    return {"items": items, "counts": {"pending": len(pending)}}


@router.get("/{proposal_id}")
def proposal(proposal_id: str, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    return show_proposal(cockpit.services, user, proposal_id)


@router.post("/{proposal_id}/decide")
async def decide(proposal_id: str, answer: Answer, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Approve, reject or edit; 409 names who was first."""
    return await cockpit.conversations.approvals.decide(
        user,
        proposal_id,
        decision=answer.decision,
        reason=answer.reason,
        payload_hash=answer.payload_hash,
        edits=answer.edits.model_dump(exclude_none=True) if answer.edits else None,
    )


@router.get("/{proposal_id}/messages")
def messages(proposal_id: str, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """What the loopback connector keeps of this proposal's campaign, newest first."""
    return {"items": cockpit.received(proposal_id, limit=30)}


@router.post("/{proposal_id}/rollback")
def rollback(proposal_id: str, undo: Undo, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Undo an approved promotion in one click."""
    promotion = cockpit.services.proposals.get(proposal_id)
    if promotion.kind != "promotion":
        raise InvalidInput("proposal", proposal_id, "Only a promotion can be rolled back.")
    cockpit.services.experiments.rollback(promotion.payload["experiment_id"], user, undo.reason)
    return show_proposal(cockpit.services, user, proposal_id)
