"""Slows password guessing: a few failures per address, then a pause."""

from __future__ import annotations

import threading
import time

from smart_reach.engine.errors import SmartReachError

LIMIT = 8
PAUSE_S = 60.0


class TooManyAttempts(SmartReachError):
    """Too many wrong passwords for one address."""

    code = "too_many_attempts"
    status = 429


class Attempts:
    """Counts failures per address in a sliding minute; forgets addresses that are quiet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, list[float]] = {}

    def check(self, address: str) -> None:
        if len(self._recent(address)) >= LIMIT:
            raise TooManyAttempts("Too many attempts. Wait a minute and try again.")

    def failed(self, address: str) -> None:
        with self._lock:
            if len(self._failures) > 10_000:
                self._failures.clear()
            self._failures.setdefault(address.lower(), []).append(time.monotonic())

    def _recent(self, address: str) -> list[float]:
        with self._lock:
            kept = [at for at in self._failures.get(address.lower(), []) if time.monotonic() - at < PAUSE_S]
            if kept:
                self._failures[address.lower()] = kept
            else:
                self._failures.pop(address.lower(), None)
            return kept
