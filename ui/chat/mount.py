"""The public door: mount the chat without paying for it until somebody comes.

Importing Chainlit takes seconds, so `mount_chat` mounts a guard with a lazy application behind it. The
first signed-in visit starts the import in a thread; until it is done a page says so and reloads itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response

from smart_reach.ui.chat.bridge import Bridge
from smart_reach.ui.chat.guard import Guard, wants_html
from smart_reach.ui.chat.protocol import (
    ROOT,
    STARTERS,
    ConversationServiceProtocol,
    ReadSession,
)
from smart_reach.ui.chat.waiting import waiting_page

logger = logging.getLogger(__name__)
State = Literal["asleep", "starting", "ready", "failed"]


class LazyApp:
    """ASGI application that makes its inner one in a thread when first asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._inner: Any = None
        self.state: State = "asleep"

    def start(self) -> None:
        """Begin making the inner application; returns at once, and does nothing the second time."""
        with self._lock:
            if self.state != "asleep":
                return
            self.state = "starting"
        threading.Thread(target=self._run, name="chainlit-import", daemon=True).start()

    def _run(self) -> None:
        try:
            self._inner = self._make()
            self.state = "ready"
        except Exception:  # a thread has nobody above it; the page below tells the visitor
            logger.exception("the chat could not start")
            self.state = "failed"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.start()
        if self.state == "ready":
            await self._inner(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "starting"})
        else:
            page = waiting_page(failed=self.state == "failed") if wants_html(scope) else ""
            headers = {"retry-after": "1", "cache-control": "no-store"}
            await Response(page, 503, headers, "text/html")(scope, receive, send)


class ChatDoor:
    """A mounted chat. `warm()` starts it before the first visit; `proposal_changed` keeps cards true."""

    def __init__(self, lazy: LazyApp, bridge: Bridge) -> None:
        self._lazy = lazy
        self._bridge = bridge

    @property
    def state(self) -> State:
        """asleep until the first visit, then starting, then ready or failed."""
        return self._lazy.state

    def warm(self) -> None:
        """Start the chat in the background; call it when the server has nothing better to do."""
        self._lazy.start()

    async def proposal_changed(self, proposal: Mapping[str, Any]) -> None:
        """Show a decision made elsewhere (queue, API) on every open chat that has the proposal's card.

        Pending proposals are left alone: who may decide differs from user to user.
        """
        if self._lazy.state != "ready" or proposal.get("status") == "pending":
            return
        threads = self._bridge.threads_with(str(proposal["id"])) | {str(proposal.get("thread_id") or "")}
        from smart_reach.ui.chat.callbacks import show_card

        for thread_id in sorted(threads - {""}):
            await show_card(thread_id, {**proposal, "can_decide": False})


def mount_chat(
    app: FastAPI,
    service: Callable[[], ConversationServiceProtocol],
    *,
    read_session: ReadSession,
    home: Path,
    starters: Sequence[tuple[str, str]] = STARTERS,
    origins: Sequence[str] = (),
    title: str = "Smart Reach",
) -> ChatDoor:
    """Mount the chat at /chat; must come before the application's catch-all route.

    `service` is asked for the conversation service at each use, since it opens in the lifespan.
    `read_session` turns the session cookie's value into a user (blocking calls are fine). `home` is
    where Chainlit's files go (`home/chainlit`). `starters` are (label, text). `origins` (scheme and
    host) may write besides the page's own. Imports nothing of Chainlit.
    """
    from smart_reach.ui.chat.load import load_chainlit

    bridge = Bridge(service, read_session, tuple(starters))
    lazy = LazyApp(lambda: load_chainlit(bridge, home, title))

    async def without_slash() -> RedirectResponse:
        return RedirectResponse(f"{ROOT}/", 307)

    app.add_api_route(ROOT, without_slash, include_in_schema=False)
    app.mount(ROOT, Guard(lazy, read_session, frozenset(origins)), name="chat")
    return ChatDoor(lazy, bridge)
