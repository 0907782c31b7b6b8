"""The inbox of `POST /api/events`: a durable log in PostgreSQL; `sources.inbox` reads it.

Positions are given in an advisory lock that is held to the end of the transaction, so a position becomes
visible only after every lower one: a reader never skips a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import erased
from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import Conflict
from smart_reach.engine.events.contracts.validate import Refused, validate
from smart_reach.engine.events.dead_letters import add_letters
from smart_reach.engine.events.ingest.letters import Letter
from smart_reach.engine.events.tables import InboxRow, SourceStatus
from smart_reach.engine.state.base import transaction

NAME = "inbox"
PARTITION = "http"
_LOCK = 726_417_031
_ROW_LINES, _ROW_BYTES = 5_000, 8 << 20
_SHOWN = 100
_ANSWER = ("accepted", "refused", "batch", "errors")


@dataclass(frozen=True)
class Request:
    """What came: its lines, who sent it, its idempotency key and the hash of its body."""

    lines: Sequence[bytes]
    sender: str
    body_hash: str
    key: str | None = None
    default_type: str | None = None


class Inbox:
    """Takes requests in. Nothing is accepted unless it is on disk."""

    def __init__(self, db: Engine, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def accept(self, request: Request) -> dict[str, Any]:
        """Check the lines, keep the good ones, note the others; returns the answer to send.

        {"accepted", "refused", "batch": position or None, "errors": the first 100}. The same key with the
        same body gives the first answer again and changes nothing; with another body `Conflict`.
        """
        if request.key and (known := self._known(request)) is not None:
            return known
        at = self._clock.now()
        checked = validate(request.lines, source=NAME, received_at=at, default_type=request.default_type)
        bad = {one.row for one in checked.refused}
        with transaction(self._db) as session:
            left_out = bad | _about_erased(session, checked.events)
            good = [line for row, line in enumerate(request.lines) if row not in left_out]
            # A request has no position when nothing of it is good; its body's hash tells requests apart.
            letters = [Letter.of((request.body_hash[:16], f"{one.row + 1}"), one) for one in checked.refused]
            add_letters(session, NAME, letters, at)  # before the lock: others need not wait for many of them
            position = _next(session)
            if request.key and (known := self._known(request, session)) is not None:
                return known
            if letters:
                _count_refused(session, len(letters), at)
            return self._keep(session, position, request, good, checked.refused, at)

    def _known(self, request: Request, session: Session | None = None) -> dict[str, Any] | None:
        """The first answer to this key."""
        if session is None:
            with Session(self._db) as opened:
                return self._known(request, opened)
        row = session.execute(
            select(InboxRow.request_hash, InboxRow.answer).where(InboxRow.idempotency_key == request.key)
        ).first()
        if row is None:
            return None
        if row.request_hash != request.body_hash:
            raise Conflict(
                f"The Idempotency-Key {request.key!r} was used with another body.",
                hint="Use a new key for new records; repeat a key only with the same bytes.",
            )
        return {name: row.answer[name] for name in _ANSWER}

    def _keep(
        self,
        session: Session,
        position: int,
        request: Request,
        good: Sequence[bytes],
        refused: Sequence[Refused],
        at: datetime,
    ) -> dict[str, Any]:
        answer = {
            "accepted": len(request.lines) - len(refused),  # erased people's too: that is told to nobody
            "refused": len(refused),
            "batch": position if good else None,
            "errors": [shown_error(one) for one in refused[:_SHOWN]],
        }
        for number, part in enumerate(_parts(good, request)):
            row = _row(position + number, request, part, at)
            if number == 0:
                row.idempotency_key, row.answer = request.key, answer
            session.add(row)
        session.flush()
        return answer


def _about_erased(session: Session, events: pa.Table) -> set[int]:
    """Lines that name an erased person: they are dropped at the door; keys are seen to on reading."""
    gone = erased(session, pc.unique(events["customer_id"]).drop_null().to_pylist())
    named = pc.is_in(events["customer_id"], pa.array(sorted(gone), pa.string()))
    return set(events["row"].filter(named).to_pylist()) if gone else set()


def _count_refused(session: Session, refused: int, at: datetime) -> None:
    """What is refused at the door counts on the Data page like what is refused on reading."""
    blank = {"kind": NAME, "state": "waiting", "refused": refused, "updated_at": at}
    more = {"refused": SourceStatus.refused + refused, "updated_at": at}
    statement = insert(SourceStatus).values(name=NAME, **blank)
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=more))


def put(session: Session, lines: Sequence[bytes], sender: str, at: datetime) -> int:
    """Append good lines in the caller's transaction, which holds the inbox from here to its end."""
    position = _next(session)
    request = Request(lines, sender, "")
    for number, part in enumerate(_parts(lines, request)):
        session.add(_row(position + number, request, part, at))
    session.flush()
    return position


def _next(session: Session) -> int:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    return (session.scalar(select(func.max(InboxRow.position))) or 0) + 1


def _row(position: int, request: Request, part: Sequence[bytes], at: datetime) -> InboxRow:
    return InboxRow(
        position=position,
        request_hash=request.body_hash,
        source=request.sender,
        received_at=at,
        records=len(part),
        body=b"\n".join(part),
        answer={},
    )


def _parts(lines: Sequence[bytes], request: Request) -> Iterator[list[bytes]]:
    """Rows of the log: few enough lines that a batch of them stays small. A key keeps an empty one too."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and (len(part) >= _ROW_LINES or size + len(line) > _ROW_BYTES):
            yield part
            part, size = [], 0
        part.append(typed(line, request.default_type))
        size += len(line)
    if part or (not lines and request.key):
        yield part


def typed(line: bytes, contract: str | None) -> bytes:
    """A line on one line of text, saying its type."""
    line = line.replace(b"\n", b" ").replace(b"\r", b" ").strip()
    if contract is None:
        return line
    import msgspec

    record = msgspec.json.decode(line)
    return line if "type" in record else msgspec.json.encode({"type": contract, **record})


def shown_error(one: Refused) -> dict[str, Any]:
    """A refusal as the answer shows it; lines count from 1."""
    return {
        "line": one.row + 1,
        "field": one.field,
        "value": one.value,
        "reason": one.reason,
        "remedy": one.remedy,
    }
