"""Live updates: one hub that fans events out to every open page (server-sent events)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

HEARTBEAT_S = 15


def sse(event: str, data: Any) -> str:
    """One server-sent event."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, default=str)}\n\n"


class Hub:
    """Publish from any thread; a page that reads too slowly loses the oldest events, not the server."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[str | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End every open stream, so that the server can stop."""
        for queue in self._pages:
            self._offer(queue, None)

    def publish(self, event: str, data: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop may close between the check and the call
                self._loop.call_soon_threadsafe(self._fan_out, sse(event, data))

    def _fan_out(self, text: str) -> None:
        for queue in self._pages:
            self._offer(queue, text)

    @staticmethod
    def _offer(queue: asyncio.Queue[str | None], item: str | None) -> None:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(item)

    @contextlib.contextmanager
    def _page(self) -> Iterator[asyncio.Queue[str | None]]:
        queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=100)
        self._pages.add(queue)
        try:
            yield queue
        finally:
            self._pages.discard(queue)

    async def listen(self) -> AsyncIterator[str]:
        """Events for one page, with a heartbeat that keeps proxies from closing the connection."""
        with self._page() as queue:
            yield ": connected\n\n"
            while True:
                try:
                    item = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    item = ": heartbeat\n\n"
                if item is None:
                    return
                yield item
