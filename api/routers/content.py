"""The Content API: ready-to-review variants with their verdicts and sources."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.tools.content import cite

router = APIRouter(prefix="/content", tags=["content"])


class ContentRequest(BaseModel):
    offer: str = Field(max_length=64)
    channel: str = Field(max_length=16)
    tone: str | None = Field(default=None, max_length=32)
    n: int = Field(default=2, ge=1, le=4)


@router.post("")
def draft(request: ContentRequest, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Variants whose figures are term references, each with its verdict, and the passages behind them."""
    knowledge = cockpit.services.knowledge
    variants = knowledge.draft(request.offer, request.channel, tone=request.tone, count=request.n)
    passages = knowledge.search(f"{request.offer} {request.channel}", offer_id=request.offer, k=5)
    return {"variants": variants, "passages": [cite(passage) for passage in passages]}
