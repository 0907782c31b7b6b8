"""Dead letters as people see them: list, look at one, correct and retry, discard.

A retry goes through the inbox under a key made of the letter's number and its attempt, in one transaction
with the letter's new status: whatever is asked twice, the record comes in once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.events.ingest.letters import Letter, about_the_living, chunks, inserting
from smart_reach.engine.events.tables import DeadLetter
from smart_reach.engine.state.base import transaction

STATUSES = ("open", "retried", "discarded")
_RAW_SHOWN = 2_000
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Page:
    """Some letters, newest first, and how many there are."""

    items: list[dict[str, Any]]
    total: int

    def as_json(self) -> dict[str, Any]:
        return {"items": self.items, "total": self.total}


def add_letters(session: Session, source: str, letters: Sequence[Letter], at: datetime) -> None:
    """Note letters in the caller's transaction; the same place is noted once, of erased people nothing."""
    kept = about_the_living(session, letters)
    for some in chunks(kept):
        session.execute(inserting(source, some, at))


def list_letters(
    db: Engine, *, status: str | None = "open", source: str | None = None, page: int = 1, size: int = 50
) -> Page:
    """A page of letters. Raises `InvalidInput` for an unknown status."""
    chosen = select(DeadLetter)
    if status not in (None, "all"):
        if status not in STATUSES:
            raise InvalidInput("status", status, f"Use one of {', '.join(STATUSES)}, all.")
        chosen = chosen.where(DeadLetter.status == status)
    if source:
        chosen = chosen.where(DeadLetter.source == source)
    with Session(db) as session:
        total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
        rows = session.scalars(chosen.order_by(DeadLetter.id.desc()).limit(size).offset((page - 1) * size))
        return Page([letter_json(row) for row in rows], total)


def get_letter(db: Engine, letter_id: int) -> dict[str, Any]:
    """One letter with its whole record, as far as it was kept."""
    with Session(db) as session:
        row = session.get(DeadLetter, letter_id)
        if row is None:
            raise NotFound(f"There is no dead letter {letter_id}.", hint="`dead-letters list` shows them.")
        return letter_json(row, most=len(row.raw))


def letter_json(row: DeadLetter, most: int = _RAW_SHOWN) -> dict[str, Any]:
    """A letter for a page or a script; `raw` as text, `whole` when nothing of it is missing."""
    names = ["id", "source", "partition", "position", "received_at", "contract", "record_id", "customer_id"]
    names += ["field", "value", "reason", "remedy", "size", "status", "attempts", "last_tried_at", "mapping"]
    shown = {name: getattr(row, name) for name in names}
    return {**shown, "raw": row.raw[:most].decode("utf-8", "replace"), "whole": row.size <= len(row.raw)}


def discard(db: Engine, ids: Sequence[int] | None) -> int:
    """Put open letters aside for good (None: all); returns how many. Their records are forgotten."""
    chosen = update(DeadLetter).where(DeadLetter.status == "open")
    if ids is not None:
        chosen = chosen.where(DeadLetter.id.in_(list(ids)))
    with transaction(db) as session:
        found = session.execute(chosen.values(status="discarded", raw=b"").returning(DeadLetter.id))
        return len(found.all())


def open_letters(session: Session, ids: Sequence[int] | None, after: int) -> list[DeadLetter]:
    """The next open letters beyond number `after`, locked; at most a thousand."""
    chosen = select(DeadLetter).where(DeadLetter.status == "open", DeadLetter.id > after)
    if ids is not None:
        chosen = chosen.where(DeadLetter.id.in_(list(ids)))
    chosen = chosen.order_by(DeadLetter.id).limit(_AT_ONCE)
    return list(session.scalars(chosen.with_for_update(skip_locked=True)))
