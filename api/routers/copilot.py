"""The copilot: threads, turns as server-sent events, feedback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, field_validator

from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.api.stream import sse

log = logging.getLogger(__name__)
router = APIRouter(tags=["copilot"])
TURNS: set[asyncio.Task[None]] = set()

STARTERS = (
    ("How are we doing?", "How has the click-through rate developed over the last 30 days?"),
    ("Compare channels", "Compare conversion rate by channel, last 30 days"),
    ("Find who is slipping", "Find who is slipping, propose an action, write the push"),
    ("Next best action", "What is the next best action for customer cus_000123?"),
    ("Write copy", "Write two push variants for the rewards card"),
    ("Check copy", "Check this SMS: “Guaranteed 20% cashback on everything, act now!”"),
)


class Opening(BaseModel):
    title: str | None = Field(default=None, max_length=200)


class Turn(BaseModel):
    text: str = Field(min_length=1, max_length=4000)

    @field_validator("text")
    @classmethod
    def says_something(cls, text: str) -> str:
        if not text.strip() or "\x00" in text:
            raise ValueError("write something that can be read")
        return text


class Feedback(BaseModel):
    score: Literal[-1, 1]
    comment: str | None = Field(default=None, max_length=2000)


@router.get("/starters")
def starters(user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Questions that work here: the demo's tell its story, others have those of their semantic model."""
    if cockpit.demo:
        return {"items": [{"label": label, "text": text} for label, text in STARTERS]}
    return {"items": cockpit.services.metrics.starters()}


@router.get("/threads")
async def threads(user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    return {"items": await cockpit.conversations.threads(user)}


@router.post("/threads", status_code=201)
async def open_thread(user: SignedIn, cockpit: CockpitOf, opening: Opening | None = None) -> dict[str, str]:
    return {"id": await cockpit.conversations.open_thread(user, title=opening.title if opening else None)}


@router.get("/threads/{thread_id}")
async def thread(thread_id: str, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    return await cockpit.conversations.thread(user, thread_id)


@router.delete("/threads/{thread_id}", status_code=204)
async def delete_thread(thread_id: str, user: SignedIn, cockpit: CockpitOf) -> None:
    await cockpit.conversations.delete_thread(user, thread_id)


@router.post("/threads/{thread_id}/messages")
async def send(thread_id: str, turn: Turn, user: SignedIn, cockpit: CockpitOf) -> StreamingResponse:
    """One turn as server-sent events: step, proposal, message, error, done."""
    await cockpit.conversations.thread(user, thread_id)  # a thread of somebody else is a 404, not a stream

    queue: asyncio.Queue[str | None] = asyncio.Queue()

    async def work() -> None:
        """The turn goes on, and its answer is kept, although the page may have gone."""
        try:
            async for event in cockpit.conversations.send(user, thread_id, turn.text):
                queue.put_nowait(sse(event.kind, event.data))
        except Exception:
            log.exception("a turn failed")
            message = "Something went wrong here. It has been logged."
            queue.put_nowait(sse("error", {"code": "error", "message": message}) + sse("done", {}))
        finally:
            queue.put_nowait(None)

    async def events() -> AsyncIterator[str]:
        while (line := await queue.get()) is not None:
            yield line

    task = asyncio.create_task(work())
    TURNS.add(task)
    task.add_done_callback(TURNS.discard)
    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-cache"})


@router.post("/messages/{message_id}/feedback", status_code=204)
async def feedback(message_id: str, given: Feedback, user: SignedIn, cockpit: CockpitOf) -> None:
    await cockpit.conversations.feedback(user, message_id, given.score, given.comment)
