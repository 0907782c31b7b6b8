"""One small tree of errors.

SmartReachError
├── Retryable           the caller (a model, a user) may correct the input and try again
│   ├── InvalidInput    names the field, the value and the remedy
│   ├── NotFound        the named thing does not exist
│   └── Unanswerable    the question is outside what the data can answer
└── Stop                trying again cannot help
    ├── Forbidden       the role may not do this
    ├── Conflict        somebody else was first, or the thing has changed since it was read
    ├── Integrity       stored data contradicts itself (hash, chain, version)
    └── Unavailable     an outside service is down after its own retries
"""

from __future__ import annotations


class SmartReachError(Exception):
    """Base of every error raised on purpose. `code` is stable and safe to show."""

    code = "error"
    status = 500

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Retryable(SmartReachError):
    """The caller may correct the input and try again."""

    code = "retryable"
    status = 422


class InvalidInput(Retryable):
    """A value that cannot be used; the message names field, value and remedy."""

    code = "invalid_input"

    def __init__(self, field: str, value: object, remedy: str) -> None:
        wrong = f"{field} is missing." if value is None else f"{field}: {value!r} cannot be used."
        super().__init__(f"{wrong} {remedy}", hint=remedy)
        self.field = field
        self.value = value
        self.remedy = remedy


class NotFound(Retryable):
    """The named thing does not exist."""

    code = "not_found"
    status = 404


class Unanswerable(Retryable):
    """The question is outside what the data can answer."""

    code = "unanswerable"


class Stop(SmartReachError):
    """Trying again cannot help."""

    code = "stop"


class Forbidden(Stop):
    """The role may not do this."""

    code = "forbidden"
    status = 403


class Conflict(Stop):
    """Somebody else was first, or the thing has changed since it was read."""

    code = "conflict"
    status = 409


class Integrity(Stop):
    """Stored data contradicts itself: a hash, a chain, a version."""

    code = "integrity"


class Unavailable(Stop):
    """An outside service is down after its own retries."""

    code = "unavailable"
    status = 503
