"""The application: routes in the order API, chat, assets, pages; one lifespan; one error shape."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from duckdb import IOException
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, DisconnectionError, InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from smart_reach.api.compose import open_cockpit
from smart_reach.api.pages import mount_pages
from smart_reach.api.routers import (
    content,
    copilot,
    data,
    decisions,
    demo,
    events,
    health,
    identity,
    overview,
    privacy,
    proposals,
    schemas,
    session,
)
from smart_reach.api.routers.copilot import STARTERS
from smart_reach.api.sessions import Sessions
from smart_reach.api.stream import Hub
from smart_reach.api.warming import warm_in_background
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.events.ingest.trouble import state_of
from smart_reach.engine.settings import Settings
from smart_reach.ui.chat.mount import ChatDoor, mount_chat

log = logging.getLogger(__name__)

ROUTERS = (
    session,
    overview,
    proposals,
    copilot,
    decisions,
    content,
    data,
    events,
    schemas,
    identity,
    privacy,
    demo,
    health,
)
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}
LARGEST = 1_000_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)


def create_app(settings: Settings) -> FastAPI:
    """Compose the application; everything that holds a resource opens in the lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        hub: Hub = app.state.hub
        hub.start()
        async with open_cockpit(settings, hub) as cockpit:
            app.state.cockpit = cockpit
            app.state.sessions = Sessions(cockpit, settings.secret_key())
            door: ChatDoor | None = app.state.chat
            if door is not None:
                cockpit.conversations.approvals.shown.append(door.proposal_changed)
            warm_in_background(cockpit.services, chat=door.warm if door else None)
            yield
            hub.close()

    app = FastAPI(
        title="Smart Reach",
        description="Decisions, content, approvals and telemetry of the campaign cockpit.",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.hub = Hub()
    for router in ROUTERS:
        app.include_router(router.router, prefix="/api")
    app.middleware("http")(guard)
    app.add_exception_handler(SmartReachError, show_error)
    app.add_exception_handler(RequestValidationError, show_invalid)
    app.add_exception_handler(HTTPException, show_http)
    app.add_exception_handler(DataError, show_data)
    for away in (OperationalError, InterfaceError, DisconnectionError):
        app.add_exception_handler(away, show_away)
    app.add_exception_handler(IOException, show_changed)
    app.add_exception_handler(Exception, show_unexpected)
    app.state.hosts = known_hosts(settings)
    app.state.chat = None
    if settings.chainlit:
        app.state.chat = mount_the_chat(app, settings)
    else:
        app.add_api_route("/chat{path:path}", no_chat, methods=["GET", "HEAD"], include_in_schema=False)
    mount_pages(app)
    return app


def mount_the_chat(app: FastAPI, settings: Settings) -> ChatDoor:
    """The Chainlit chat at /chat, fenced; the service is looked up when a request comes."""
    return mount_chat(
        app,
        lambda: app.state.cockpit.conversations,
        read_session=lambda value: app.state.sessions.read(value),
        home=settings.home,
        starters=STARTERS,
    )


async def no_chat(path: str) -> JSONResponse:
    return problem(404, "not_found", "The chat is switched off here.", "Use the Copilot page.")


async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse writes from other origins; add the headers that every answer carries."""
    if request.method not in ("GET", "HEAD", "OPTIONS") and foreign(request):
        return problem(403, "forbidden", "This request came from another site.", None)
    hosts: frozenset[str] | None = request.app.state.hosts
    if hosts is not None and (request.url.hostname or "") not in hosts:
        return problem(421, "wrong_host", "This server does not answer under that name.", None)
    if "\x00" in request.url.path or "%00" in request.url.path:
        return problem(404, "not_found", "There is nothing under this address.", None)
    takes_in = request.url.path == "/api/events"  # which has limits of its own, and reads as it comes
    if not takes_in and int(request.headers.get("content-length") or 0) > LARGEST:
        return problem(413, "too_large", "The request is larger than 1 MB.", "Send less at once.")
    response = await call_next(request)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.url.path.startswith("/chat"):
        response.headers.setdefault("content-security-policy", PAGE_POLICY)
    return response


def known_hosts(settings: Settings) -> frozenset[str] | None:
    """Names that a server on the loopback answers to; a page elsewhere may make its own name point here.

    None, for any name, on a server that listens to the network: the proxy before it decides.
    """
    if settings.host not in LOOPBACK:
        return None
    public = urlsplit(settings.public_url or "").hostname
    return frozenset({*LOOPBACK, *([public] if public else [])})


def foreign(request: Request) -> bool:
    """Browsers send Origin with every write; a script or a service sends none."""
    origin = request.headers.get("origin")
    return origin is not None and origin.split("://")[-1] != request.headers.get("host")


async def show_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SmartReachError)
    return problem(error.status, error.code, error.message, error.hint)


async def show_invalid(request: Request, error: Exception) -> JSONResponse:
    """Validation errors in the same shape: the first field, what is wrong, where it stands."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "request"
    return problem(422, "invalid_input", f"{field}: {first['msg']}", "Correct the field and send again.")


async def show_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "http", str(error.detail), None)


async def show_data(request: Request, error: Exception) -> JSONResponse:
    """A value that the database cannot hold, such as text with a NUL in it."""
    return problem(422, "invalid_input", "The request holds a character that cannot be stored.", None)


async def show_away(request: Request, error: Exception) -> JSONResponse:
    """The database is away, full, or gave up: the request may be sent again."""
    log.warning("%s %s: the database does not answer: %s", request.method, request.url.path, error)
    full = state_of(error)[0] == "disk full"
    said = "There is no room left on the disk." if full else "The database does not answer just now."
    return problem(503, "unavailable", said, "Try again later." if full else "Try again in some seconds.")


async def show_changed(request: Request, error: Exception) -> JSONResponse:
    """An erasure leaves no grace to readers: its files are gone at once."""
    log.warning("%s %s: the lake's files: %s", request.method, request.url.path, error)
    return problem(503, "unavailable", "The data could not be read just now.", "Try again in some seconds.")


async def show_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Whatever nobody foresaw: logged by the server, and no detail of it leaves the house."""
    return problem(500, "error", "Something went wrong here. It has been logged.", "Try again.")


def problem(status: int, code: str, message: str, hint: str | None) -> JSONResponse:
    body: dict[str, Any] = {"error": {"code": code, "message": message, "hint": hint}}
    return JSONResponse(body, status_code=status)
