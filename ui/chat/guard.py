"""The fence around Chainlit: who may come in, by which doors, and with which headers.

Pure ASGI and free of Chainlit, so it stands before the first import. It lets through only the routes
the chat uses (a list of the allowed, not of the forbidden), answers strangers by kind of request, and
refuses writes and websockets from another origin.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, urlsplit

from smart_reach.engine.governance.users import User
from smart_reach.ui.chat.protocol import COOKIE, ROOT, ReadSession

Scope = MutableMapping[str, Any]
ASGIApp = Any

#: The user of the running HTTP request; None inside a websocket, whose session carries its own token.
request_user: ContextVar[User | None] = ContextVar("smart_reach_chat_user", default=None)

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_PAGES = re.compile(rf"^(/|/thread/{_UUID})$")
_ALLOWED: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = (
    (frozenset({"GET", "HEAD"}), _PAGES),
    (frozenset({"GET"}), re.compile(r"^/(assets|public|avatars)/[\w .@/-]+$")),
    (frozenset({"GET"}), re.compile(r"^/(favicon|logo|user|auth/config)$")),
    (frozenset({"GET"}), re.compile(r"^/project/(settings|translations)$")),
    (frozenset({"GET"}), re.compile(rf"^/project/thread/{_UUID}$")),
    (frozenset({"GET", "POST"}), re.compile(r"^/ws/socket\.io/?$")),
    (frozenset({"POST"}), re.compile(r"^/project/(threads|action)$")),
    (frozenset({"PUT", "DELETE"}), re.compile(r"^/project/thread$")),
    (frozenset({"PUT"}), re.compile(r"^/feedback$")),
)
_SAFE = frozenset({"GET", "HEAD"})
_CSP = "; ".join(
    (
        "default-src 'self'",
        # Chainlit compiles custom elements in the browser, which needs eval; inline is its own page.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "frame-ancestors 'self'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


@dataclass(frozen=True)
class Guard:
    """ASGI application in front of `inner`; `origins` may write besides the page's own host."""

    inner: ASGIApp
    read_session: ReadSession
    origins: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Any, send: Any) -> None:
        known = allowed("GET", route(scope)) and self._same_origin(scope)
        if not known or await self._user(scope) is None:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "sign in first"})
            return
        request_user.set(None)
        await self.inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Any, send: Any) -> None:
        user = await self._user(scope)
        if user is None:
            await _stranger(scope, send)
            return
        method, path = scope["method"], route(scope)
        if method not in _SAFE and not self._same_origin(scope):
            await _json(send, 403, "forbidden", "this origin may not write here")
        elif answer := _own_answers(method, path):
            await _answer(send, *answer)
        elif allowed(method, path):
            request_user.set(user)
            await self.inner(scope, receive, _fenced(send))
        else:
            await _json(send, 404, "not_found", "this part of the chat is switched off")

    async def _user(self, scope: Scope) -> User | None:
        cookie = session_cookie(_header(scope, b"cookie"))
        return await asyncio.to_thread(self.read_session, cookie) if cookie else None

    def _same_origin(self, scope: Scope) -> bool:
        """Browsers always name the origin of a write and of a websocket; its absence is no browser."""
        origin = _header(scope, b"origin")
        if not origin or origin in self.origins:
            return True
        return urlsplit(origin).netloc == _header(scope, b"host")


def route(scope: Scope) -> str:
    """The path below the mount point, always beginning with a slash."""
    path, root = str(scope["path"]), str(scope.get("root_path") or "")
    if root and path.startswith(root):
        path = path[len(root) :]
    return path or "/"


def allowed(method: str, path: str) -> bool:
    """Whether the chat uses this method on this path; a path that climbs is never allowed."""
    if ".." in path.split("/") or "\\" in path:
        return False
    return any(method in methods and pattern.fullmatch(path) for methods, pattern in _ALLOWED)


def session_cookie(header: str) -> str | None:
    """The value of our session cookie in a Cookie header."""
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def wants_html(scope: Scope) -> bool:
    """Whether a person's browser is navigating, as opposed to a page's script fetching."""
    if scope["method"] not in _SAFE:
        return False
    mode = _header(scope, b"sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in _header(scope, b"accept")


async def _stranger(scope: Scope, send: Any) -> None:
    if not wants_html(scope):
        await _json(send, 401, "unauthorized", "sign in first")
        return
    path = route(scope)
    wanted = ROOT + (path if _PAGES.fullmatch(path) else "/")
    await _answer(send, 303, b"", [(b"location", f"/login?next={quote(wanted, safe='')}".encode())])


def _own_answers(method: str, path: str) -> tuple[int, bytes, list[tuple[bytes, bytes]]] | None:
    """Routes of Chainlit that we answer ourselves: its cookies and its login page are not used."""
    kind = (b"content-type", b"application/json")
    if (method, path) == ("POST", "/set-session-cookie"):
        return 200, b'{"message": "not needed: one process"}', [kind]
    if (method, path) == ("POST", "/logout"):
        gone = f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax".encode()
        return 200, b'{"success": true}', [kind, (b"set-cookie", gone)]
    if method in _SAFE and path in ("", "/login", "/login/callback", "/env"):
        return 303, b"", [(b"location", f"{ROOT}/".encode())]
    return None


def _fenced(send: Any) -> Any:
    """Add our headers to every answer of Chainlit and let none of its cookies out."""

    async def fenced(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [(k, v) for k, v in message.get("headers", []) if k.lower() != b"set-cookie"]
            message = {**message, "headers": [*kept, *_HEADERS]}
        await send(message)

    return fenced


async def _json(send: Any, status: int, code: str, text: str) -> None:
    body = json.dumps({"error": {"code": code, "message": text, "hint": None}, "detail": text}).encode()
    await _answer(send, status, body, [(b"content-type", b"application/json")])


async def _answer(send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    sized = [*headers, (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*sized, *_HEADERS]})
    await send({"type": "http.response.body", "body": body})
