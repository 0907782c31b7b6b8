"""What went wrong outside, in words for the Data page: every one of these is waited out."""

from __future__ import annotations

import errno

import duckdb
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from smart_reach.engine.errors import Conflict, SmartReachError, Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Errors of the world outside, which go away by themselves or by somebody's doing.
OUTSIDE = (
    OSError,
    DBAPIError,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    Conflict,
    Unavailable,
)


def state_of(error: BaseException) -> tuple[str, str]:
    """The source's state and what to tell."""
    if _full(error) or _database_full(error):
        return "disk full", "There is no room left on the disk. Nothing is lost: it goes on when there is."
    if isinstance(error, (OperationalError, InterfaceError)):
        return "waiting", "The database does not answer; it is asked again."
    if isinstance(error, Conflict):
        return "running", error.message
    if isinstance(error, Unavailable):
        return "waiting", error.message
    if isinstance(error, SmartReachError):
        return "error", error.message
    return "error", f"{type(error).__name__}: {error}"[:500]


def _full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, duckdb.Error) and "No space left" in str(error)


def _database_full(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in ("53100", "53200")
