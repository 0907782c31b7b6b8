"""Events in by HTTP, and the records that were refused: `POST /api/events`, `/api/dead-letters`."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from smart_reach.api.bodies import Body, Unreadable, records_of
from smart_reach.api.sessions import COOKIE, CockpitOf, NotSignedIn, SignedIn, signed_in
from smart_reach.engine.errors import InvalidInput, Unavailable
from smart_reach.engine.events.dead_letters import discard, get_letter, list_letters
from smart_reach.engine.events.inbox import Inbox
from smart_reach.engine.events.inbox import Request as Sent
from smart_reach.engine.events.retrying import Retrier
from smart_reach.engine.governance.roles import require

router = APIRouter(tags=["events"])
# Each may hold some hundred megabytes while it is checked.
AT_ONCE = threading.BoundedSemaphore(3)
PATIENCE_S = 20.0
TOKEN = "SMART_REACH_INGEST_TOKEN"
BODY = {
    "requestBody": {
        "required": True,
        "description": "One record, an array of records, or a record a line; gzip with Content-Encoding.",
        "content": {
            "application/json": {"schema": {"type": ["object", "array"]}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


def sender(request: Request) -> str:
    """Who sends: a system that has the ingest token, or a signed-in user whose role may write events."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = os.environ.get(TOKEN) or ""
        if token and hmac.compare_digest(given.strip().encode(), token.encode()):
            return "token"
        raise NotSignedIn("The ingest token is not right.", hint=f"It is what {TOKEN} says on the server.")
    if not request.cookies.get(COOKIE):
        hint = f"Send `Authorization: Bearer …` with the token in {TOKEN}, or sign in."
        raise NotSignedIn("This needs the ingest token or a session.", hint=hint)
    user = signed_in(request)
    require(user, "events.write")
    return user.id


@router.post("/events", status_code=202, openapi_extra=BODY)
async def take_events(
    request: Request,
    cockpit: CockpitOf,
    who: Annotated[str, Depends(sender)],
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    type_: Annotated[str | None, Query(alias="type", max_length=64)] = None,
) -> JSONResponse:
    """Take records in: 202 when any is good, 422 when none is; each refused one is told by line.

    `?type=`: the contract of records that do not say their `type`.
    """
    body = Body(request.headers.get("content-encoding", "").strip().lower())
    try:
        async for piece in request.stream():
            body.add(piece)
    except ClientDisconnect as error:  # nobody is there to be answered
        raise Unreadable("The sender went away before the end of the body; nothing was kept.") from error
    content_type = request.headers.get("content-type", "")
    answer = await run_in_threadpool(_accept, cockpit, body, content_type, who, _key(idempotency_key), type_)
    return JSONResponse(answer, status_code=202 if answer["accepted"] else 422)


def _key(given: str | None) -> str | None:
    if given is not None and not (given.strip() and given.isprintable()):
        raise InvalidInput("Idempotency-Key", given, "Use up to 200 printable characters.")
    return given


def _accept(
    cockpit: CockpitOf, body: Body, content_type: str, who: str, key: str | None, contract: str | None
) -> dict[str, Any]:
    if not AT_ONCE.acquire(timeout=PATIENCE_S):
        raise Unavailable("Other batches are being taken in.", hint="Send this one again in some seconds.")
    try:
        content = body.end()
        kind = f"{contract or ''}\n{content_type}\n".encode()
        lines = records_of(content, content_type)
        digest = hashlib.sha256(kind + content).hexdigest()
        ws = cockpit.workspace
        return Inbox(ws.db, ws.clock).accept(Sent(lines, who, digest, key, contract))
    finally:
        AT_ONCE.release()


class Chosen(BaseModel):
    """Letters by number, or all open ones."""

    model_config = ConfigDict(extra="forbid")

    ids: list[int] = Field(default_factory=list, max_length=10_000)
    all: bool = False

    def numbers(self) -> list[int] | None:
        if self.all == bool(self.ids):
            raise InvalidInput("ids", None, "Name the letters in `ids`, or say `all`: true.")
        return None if self.all else self.ids


class Retry(Chosen):
    """`edits`: corrected fields by letter; what is not named stays as it was."""

    edits: dict[int, dict[str, Any]] = Field(default_factory=dict, max_length=1000)

    def numbers(self) -> list[int] | None:
        return list(self.edits) if self.edits and not self.ids and not self.all else super().numbers()


@router.get("/dead-letters")
def letters(
    user: SignedIn,
    cockpit: CockpitOf,
    status: Annotated[str, Query(max_length=16)] = "open",
    source: Annotated[str | None, Query(max_length=200)] = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> dict[str, Any]:
    """Refused records, newest first, 50 a page."""
    require(user, "data.mend")
    return list_letters(cockpit.workspace.db, status=status, source=source, page=page).as_json()


@router.get("/dead-letters/{letter_id}")
def letter(letter_id: int, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """One refused record, whole."""
    require(user, "data.mend")
    return get_letter(cockpit.workspace.db, letter_id)


@router.post("/dead-letters/retry")
def retry_letters(chosen: Retry, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Try again, corrected or as they were; what is accepted comes in through the inbox."""
    require(user, "data.mend")
    ws = cockpit.workspace
    return Retrier(ws.db, ws.clock).retry(chosen.numbers(), chosen.edits).as_json()


@router.post("/dead-letters/discard")
def discard_letters(chosen: Chosen, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Put letters aside for good; their records are forgotten."""
    require(user, "data.mend")
    return {"discarded": discard(cockpit.workspace.db, chosen.numbers())}
