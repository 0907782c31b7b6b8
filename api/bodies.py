"""The body of `POST /api/events`: taken in as it comes, inflated within bounds, split into records."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from smart_reach.engine.errors import InvalidInput, Retryable

MOST_SENT = 16 << 20
MOST_INFLATED = 64 << 20
MOST_RECORDS = 100_000
JSON_TYPES = ("application/json", "")
LINE_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_STEP = 1 << 20
_COMMAS = 40  # a record of more fields is none of ours


class TooLarge(Retryable):
    """More than one request may carry."""

    code = "too_large"
    status = 413


class Unreadable(Retryable):
    """The body is not what its headers say."""

    code = "unreadable"
    status = 400


class WrongKind(Retryable):
    """The body is in a form that is not read here."""

    code = "wrong_kind"
    status = 415


class Body:
    """Collects a body piece by piece; what would inflate beyond the limit is refused before it has."""

    def __init__(self, encoding: str) -> None:
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise WrongKind(f"Content-Encoding {encoding!r} is not read here.", hint="Use gzip or none.")
        self._packed = "gzip" in encoding
        self._member: zlib._Decompress | None = None  # the gzip member that is being read
        self._bytes = bytearray()
        self._sent = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece. Raises `TooLarge`, or `Unreadable` saying how much was good."""
        self._sent += len(piece)
        if self._sent > MOST_SENT:
            raise TooLarge("The body has more than 16 MB.", hint="Send fewer records at once.")
        if not self._packed:
            self._bytes += piece
        while self._packed and piece:
            piece = self._inflate(piece)

    def _inflate(self, piece: bytes) -> bytes:
        """Inflate a step; returns what is left of the piece."""
        member = self._member or zlib.decompressobj(31)
        try:
            self._bytes += member.decompress(piece, _STEP)
        except zlib.error as error:
            raise self._broken("is broken") from error
        if len(self._bytes) > MOST_INFLATED:
            raise TooLarge("The body inflates to more than 64 MB.", hint="Send fewer records at once.")
        self._member = None if member.eof else member
        return member.unused_data if member.eof else member.unconsumed_tail

    def _broken(self, what: str) -> Unreadable:
        said = f"The gzip body {what}; {len(self._bytes)} bytes of it could be read. Nothing was kept."
        return Unreadable(said, hint="Compress the records again and send them again.")

    def end(self) -> bytes:
        """The whole body. Raises `Unreadable` when a gzip stream is not finished."""
        if self._member is not None or (self._packed and not self._sent):
            raise self._broken("is cut off")
        return bytes(self._bytes)


def records_of(body: bytes, content_type: str) -> Sequence[bytes]:
    """The records of a body, each as JSON text: an object, the elements of an array, or lines.

    Raises `Unreadable` for JSON that cannot be split, `InvalidInput` when there is no record.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (*JSON_TYPES, *LINE_TYPES):
        known = "application/json or application/x-ndjson"
        raise WrongKind(f"Content-Type {kind!r} is not read here.", hint=f"Send {known}.")
    body = body.removeprefix(b"\xef\xbb\xbf")
    found = _lines(body) if kind in LINE_TYPES else _elements(body)
    if not found:
        raise InvalidInput("body", None, "Send at least one record.")
    _most(len(found))
    return found


def _most(records: int) -> None:
    if records > MOST_RECORDS:
        raise TooLarge(f"The body has {records:,} records.", hint=f"Send {MOST_RECORDS:,} at most.")


def _lines(body: bytes) -> list[bytes]:
    """Lines with something in them. Blank lines in between keep their numbers, so they count as records."""
    _most(body.rstrip().count(b"\n") + 1)
    lines = [line.rstrip(b"\r") for line in body.split(b"\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _elements(body: bytes) -> list[bytes]:
    import msgspec

    if not body.lstrip().startswith(b"["):
        return [body.replace(b"\n", b" ")] if body.strip() else []
    _most(body.count(b",") // _COMMAS)  # counted before each element takes memory
    try:
        return [bytes(one).replace(b"\n", b" ") for one in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        hint = "Send lines (application/x-ndjson): then one bad record does not spoil the others."
        raise Unreadable(f"The array is not valid JSON: {error}.", hint=hint) from error
