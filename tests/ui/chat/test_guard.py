"""The fence: who may come in, by which doors. No Chainlit here; a stand-in answers behind the guard."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from smart_reach.engine.governance.users import User
from smart_reach.ui.chat.guard import Guard, allowed, request_user, session_cookie

ANA = User("usr_ana", "Ana Ruiz", "ana@demo-bank.example", "manager")
THREAD = "0f0a4f6e-6a3b-4f58-9c0e-3a1f0c8f5d11"
HTML = {"accept": "text/html,application/xhtml+xml"}
SIGNED = {"cookie": "other=1; smart_reach_session=good"}


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """Says who came through, and tries to set a cookie of its own."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    user = request_user.get()
    headers = [(b"content-type", b"text/plain"), (b"set-cookie", b"access_token=theirs")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": (user.name if user else "nobody").encode()})


def read_session(cookie: str | None) -> User | None:
    return ANA if cookie == "good" else None


GUARD = Guard(inner, read_session, frozenset({"https://trusted.example"}))


async def ask(method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app=GUARD)
    async with httpx.AsyncClient(transport=transport, base_url="http://cockpit.example") as client:
        return await client.request(method, path, headers=headers)


async def socket(path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": f"/chat{path}", "root_path": "/chat", "headers": headers}
    await GUARD(scope, receive, send)
    return sent[0]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", HTML, 303),
        ("GET", f"/thread/{THREAD}", {"sec-fetch-mode": "navigate"}, 303),
        ("GET", "/project/settings", {"accept": "*/*"}, 401),
        ("GET", "/project/settings", {**HTML, "sec-fetch-mode": "cors"}, 401),
        ("POST", "/project/threads", HTML, 401),
        ("POST", "/mcp", {}, 401),
        ("GET", "/", {**HTML, "cookie": "smart_reach_session=forged"}, 303),
        ("GET", "/", {**HTML, **SIGNED}, 200),
        ("GET", f"/thread/{THREAD}", {**HTML, **SIGNED}, 200),
        ("GET", "/thread/1' OR '1'='1", {**HTML, **SIGNED}, 404),
        ("GET", f"/project/thread/{THREAD}", SIGNED, 200),
        ("GET", "/project/thread/42", SIGNED, 404),
        ("POST", "/mcp", SIGNED, 404),
        ("DELETE", "/mcp", SIGNED, 404),
        ("POST", "/project/file", SIGNED, 404),
        ("GET", "/project/file/abc", SIGNED, 404),
        ("PUT", "/project/element", SIGNED, 404),
        ("DELETE", "/project/element", SIGNED, 404),
        ("PUT", "/project/thread/share", SIGNED, 404),
        ("GET", f"/project/share/{THREAD}", SIGNED, 404),
        ("POST", "/login", SIGNED, 404),
        ("POST", "/auth/jwt", SIGNED, 404),
        ("POST", "/auth/header", SIGNED, 404),
        ("GET", "/auth/oauth/github", SIGNED, 404),
        ("GET", "/copilot/index.js", SIGNED, 404),
        ("GET", "/public/%2e%2e/%2e%2e/etc/passwd", SIGNED, 404),
        ("GET", "/assets/..%5c..%5csecret", SIGNED, 404),
        ("GET", "/login", {**HTML, **SIGNED}, 303),
        ("POST", "/project/threads", {**SIGNED, "origin": "https://evil.example"}, 403),
        ("POST", "/project/threads", {**SIGNED, "origin": "http://cockpit.example"}, 200),
        ("POST", "/project/threads", {**SIGNED, "origin": "https://trusted.example"}, 200),
        ("POST", "/project/action", {**SIGNED, "origin": "null"}, 403),
    ],
)
async def test_http_table(method: str, path: str, headers: dict[str, str], status: int) -> None:
    assert (await ask(method, path, headers)).status_code == status


async def test_a_stranger_is_led_to_the_login_and_back_again() -> None:
    answer = await ask("GET", f"/thread/{THREAD}", HTML)
    assert answer.headers["location"] == f"/login?next=%2Fchat%2Fthread%2F{THREAD}"
    answer = await ask("GET", "/thread/https://evil.example", HTML)
    assert answer.headers["location"] == "/login?next=%2Fchat%2F"


async def test_an_answer_carries_our_headers_and_none_of_their_cookies() -> None:
    answer = await ask("GET", "/user", SIGNED)
    assert answer.text == "Ana Ruiz"
    assert "set-cookie" not in answer.headers
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_signing_out_removes_our_cookie_and_theirs_is_never_set() -> None:
    answer = await ask("POST", "/logout", SIGNED)
    assert answer.status_code == 200
    assert "smart_reach_session=;" in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    answer = await ask("POST", "/set-session-cookie", SIGNED)
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)


@pytest.mark.parametrize(
    ("path", "headers", "opened"),
    [
        ("/ws/socket.io/", [], False),
        ("/ws/socket.io/", [(b"cookie", b"smart_reach_session=forged")], False),
        ("/ws/socket.io/", [(b"cookie", b"smart_reach_session=good")], True),
        ("/elsewhere", [(b"cookie", b"smart_reach_session=good")], False),
        (
            "/ws/socket.io/",
            [
                (b"cookie", b"smart_reach_session=good"),
                (b"host", b"a.example"),
                (b"origin", b"http://b.example"),
            ],
            False,
        ),
        (
            "/ws/socket.io/",
            [
                (b"cookie", b"smart_reach_session=good"),
                (b"host", b"a.example"),
                (b"origin", b"http://a.example"),
            ],
            True,
        ),
    ],
)
async def test_websocket_table(path: str, headers: list[tuple[bytes, bytes]], opened: bool) -> None:
    assert (await socket(path, headers))["type"] == ("websocket.accept" if opened else "websocket.close")


def test_a_broken_cookie_is_no_cookie() -> None:
    assert session_cookie("smart_reach_session") is None
    assert session_cookie("") is None
    assert session_cookie("a=1; smart_reach_session=x.y-z_1") == "x.y-z_1"


def test_the_list_is_of_what_is_allowed() -> None:
    assert allowed("GET", "/assets/index-B2u6IBgX.js")
    assert allowed("GET", "/avatars/Smart Reach")
    assert not allowed("TRACE", "/")
    assert not allowed("GET", "/assets/../config.toml")
    assert not allowed("GET", f"/thread/{THREAD}\n")
