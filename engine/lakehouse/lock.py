"""One writer at a time, over threads and processes: an advisory lock in the catalog's database."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smart_reach.engine.errors import Unavailable

if TYPE_CHECKING:
    import psycopg

_KEY = 0x534D_5254_4C41_4B45  # any number that nothing else in this database locks
WAIT_SECONDS = 120.0


class WriterLock:
    """Re-entrant for a thread; exclusive for all others on the same database.

    It is a lock of one kept database session, taken and given back in one round trip each. When the
    process or its connection dies the server lets the lock go, so it never stays behind. A holder whose
    connection was lost does not notice here: the caller compares what it commits to (see `Lakehouse`).
    A pooler between us and the server must keep sessions (PgBouncer: session mode).
    """

    def __init__(self, url: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self._url = url
        self._wait = wait_seconds
        self._threads = threading.RLock()
        self._depth = 0
        self._owner: int | None = None
        self._session: psycopg.Connection[Any] | None = None
        self._process = os.getpid()

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the lock in the block; yields whether this is the outermost hold of the thread.

        Raises `Unavailable` when another writer keeps it for longer than the wait.
        """
        if not self._threads.acquire(timeout=self._wait):
            raise Unavailable(f"Another thread has been writing to the lake for {self._wait:.0f} s.")
        try:
            outermost = self._depth == 0
            if outermost:
                self._take()
            self._depth += 1
            self._owner = threading.get_ident()
            try:
                yield outermost
            finally:
                self._depth -= 1
                if outermost:
                    self._owner = None
                    self._give_back()
        finally:
            self._threads.release()

    @property
    def mine(self) -> bool:
        """Whether this thread holds it."""
        return self._owner == threading.get_ident()

    def close(self) -> None:
        """Close the kept session."""
        with self._threads:
            self._discard()

    def _take(self) -> None:
        import psycopg
        from psycopg.errors import LockNotAvailable

        for last in (False, True):
            try:
                self._open().execute("SELECT pg_advisory_lock(%s)", [_KEY])
            except LockNotAvailable as error:
                raise Unavailable(
                    f"Another process has been writing to the lake for {self._wait:.0f} s.",
                    hint="Wait for it to end, or stop it; the lock goes with it.",
                ) from error
            except psycopg.Error as error:  # the kept session was cut off meanwhile: once more, on a new one
                self._discard()
                if last:
                    raise Unavailable("The lake's catalog database does not answer.") from error
            except BaseException:  # interrupted while waiting: whether we hold it is unknown, so let it go
                self._discard()
                raise
            else:
                return

    def _give_back(self) -> None:
        import psycopg

        try:
            if self._session is not None:
                self._session.execute("SELECT pg_advisory_unlock(%s)", [_KEY])
        except psycopg.Error:
            self._discard()  # the server let the lock go with the session
        except BaseException:
            self._discard()
            raise

    def _open(self) -> psycopg.Connection[Any]:
        import psycopg
        from sqlalchemy import make_url

        if self._process != os.getpid():  # a forked child must not talk on its parent's connection
            self._session, self._process = None, os.getpid()
        if self._session is None or self._session.closed:
            url = make_url(self._url).set(drivername="postgresql").render_as_string(hide_password=False)
            self._session = psycopg.connect(
                url,
                autocommit=True,
                prepare_threshold=None,
                application_name="smart-reach lake writer",
                options=f"-c lock_timeout={int(self._wait * 1000)}",
                keepalives_idle=30,
            )
        return self._session

    def _discard(self) -> None:
        session, self._session = self._session, None
        if session is not None and self._process == os.getpid():
            session.close()
