"""What went wrong outside, in words for the Data page: every one of these is waited out."""

from __future__ import annotations

import errno

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from smart_reach.engine.errors import Conflict, SmartReachError, Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Errors of the world outside. Anything else is a fault of ours and ends the ingester.
OUTSIDE = (OSError, DBAPIError, Conflict, Unavailable)


def state_of(error: BaseException) -> tuple[str, str]:
    """The source's state and what to tell."""
    if (isinstance(error, OSError) and error.errno in _FULL) or _database_full(error):
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


def _database_full(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in ("53100", "53200")
