"""Load Chainlit once: environment, telemetry stub, our sign-in, our data layer, our callbacks.

The only module that changes Chainlit's globals; each change says what it cures. Takes a few seconds,
so it is called in a thread after the first visit (see `mount`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from smart_reach.engine.errors import Conflict, SmartReachError
from smart_reach.ui.chat.bridge import Bridge
from smart_reach.ui.chat.data_layer import make_data_layer, persisted
from smart_reach.ui.chat.guard import request_user, session_cookie
from smart_reach.ui.chat.prepare import Prepared, prepare
from smart_reach.ui.chat.protocol import COOKIE, ROOT, is_uuid


def load_chainlit(bridge: Bridge, home: Path, title: str) -> Any:
    """Chainlit's ASGI application bound to `bridge`. Raises Conflict when loaded for another home."""
    prepared = prepare(home, title=title)
    _environment(prepared)
    with _without_telemetry():
        import chainlit.config
        import chainlit.server
    if Path(chainlit.config.APP_ROOT) != prepared.root:
        raise Conflict(
            f"Chainlit already runs for {chainlit.config.APP_ROOT}.",
            hint="One process, one home folder.",
        )
    logging.getLogger("chainlit").setLevel(logging.ERROR)
    _sign_in(bridge)
    _fence_sockets(chainlit.server.sio, bridge)
    _data_layer(bridge)
    from smart_reach.ui.chat.callbacks import register

    register(bridge)
    chainlit.server.app.add_exception_handler(SmartReachError, _show_error)
    return chainlit.server.app


async def _show_error(request: Any, error: Any) -> Any:
    """Our errors with their own status and words, in the key that Chainlit's pages read."""
    from starlette.responses import JSONResponse

    return JSONResponse({"detail": error.message, "hint": error.hint}, status_code=error.status)


def _environment(prepared: Prepared) -> None:
    """What Chainlit reads from the environment when imported."""
    os.environ.update(
        CHAINLIT_APP_ROOT=str(prepared.root),
        CHAINLIT_ROOT_PATH=ROOT,
        CHAINLIT_CUSTOM_AUTH="true",
        CHAINLIT_AUTH_COOKIE_NAME=COOKIE,
        # It would read a .env of the working directory.
        CHAINLIT_ENV_FILE=str(prepared.root / "no.env"),
    )
    # Signs nothing, since sign-in is ours; Chainlit wants one.
    os.environ.setdefault("CHAINLIT_AUTH_SECRET", secrets.token_urlsafe(32))


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Chainlit imports literalai, which imports traceloop, which imports pandas and much more: half of
    the time and memory, for tracing that is never switched on. A stub stands in while it is imported."""
    names = ("traceloop", "traceloop.sdk")
    if any(name in sys.modules for name in names):
        yield
        return
    package, sdk = (ModuleType(name) for name in names)
    package.__path__ = []
    package.__dict__["sdk"] = sdk
    sdk.__dict__["Traceloop"] = _Traceloop
    sys.modules.update(zip(names, (package, sdk), strict=True))
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


class _Traceloop:
    """Stands in for traceloop's client; does nothing."""

    @staticmethod
    def init(*args: object, **kwargs: object) -> None:
        """Start nothing."""

    @staticmethod
    def set_association_properties(*args: object, **kwargs: object) -> None:
        """Note nothing."""


def _sign_in(bridge: Bridge) -> None:
    """Chainlit's own token is replaced by our cookie, read at every request: no second session that
    could outlive ours, and no role kept from the first login."""
    import chainlit.auth
    from chainlit.user import PersistedUser
    from fastapi import HTTPException

    async def authenticate_user(token: str | None) -> Any:
        user = await asyncio.to_thread(bridge.read_session, token)
        if user is None:
            raise HTTPException(status_code=401, detail="sign in first")
        return persisted(user, PersistedUser)

    chainlit.auth.authenticate_user = authenticate_user


def _fence_sockets(sio: Any, bridge: Bridge) -> None:
    """A client names its session and its thread; Chainlit builds a folder (and later deletes it) from
    the first. Only UUIDs may pass, and the user is known before a thread is read."""
    original = getattr(sio, "smart_reach_connect", None) or sio.handlers["/"]["connect"]
    sio.smart_reach_connect = original

    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> Any:
        token = session_cookie(environ.get("HTTP_COOKIE", ""))
        user = await asyncio.to_thread(bridge.read_session, token) if token else None
        if user is None or not handshake_ok(auth):
            raise ConnectionRefusedError("refused")
        request_user.set(user)
        clean = {"sessionId": auth["sessionId"], "threadId": auth.get("threadId") or None}
        return await original(sid, environ, {**clean, "clientType": "webapp", "userEnv": None})

    sio.on("connect", handler=connect)
    for unused in ("edit_message", "message_favorite", "audio_start", "audio_chunk", "audio_end"):
        sio.handlers["/"].pop(unused, None)


def handshake_ok(auth: Any) -> bool:
    """Whether a websocket's own words are ones we accept."""
    if not isinstance(auth, dict) or not is_uuid(auth.get("sessionId")):
        return False
    return not auth.get("threadId") or is_uuid(auth["threadId"])


def _data_layer(bridge: Bridge) -> None:
    import chainlit.data
    from chainlit.config import config

    layer = make_data_layer(bridge)
    config.code.data_layer = lambda: layer
    chainlit.data._data_layer = layer
    chainlit.data._data_layer_initialized = True
