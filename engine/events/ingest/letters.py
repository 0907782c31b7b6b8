"""Dead letters of the ingester: each refused record once, at its place.

They are noted in the lake's writer lock right before the seal. What stands beyond the sealed positions
was therefore left by a crash; it is taken back before those records are read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Text, bindparam, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from smart_reach.engine.catalog.arrays import rows_of
from smart_reach.engine.catalog.erasures import erased
from smart_reach.engine.events.sources.source import Place
from smart_reach.engine.events.tables import DeadLetter
from smart_reach.engine.state.base import transaction

_MOST_RAW = 64 << 10
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Letter:
    """A refused record: where it stood, what is wrong, and what it said (`size`: its full length)."""

    partition: str
    position: str
    reason: str
    remedy: str
    raw: bytes
    size: int
    contract: str | None = None
    record_id: str | None = None
    customer_id: str | None = None
    field: str | None = None
    value: str | None = None

    @classmethod
    def of(cls, place: Place, refused: Any) -> Letter:
        """From what validation says about a record (`contracts.validate.Refused`)."""
        told = {name: getattr(refused, name) for name in _TOLD}
        return cls(place[0], place[1], raw=bytes(refused.raw[:_MOST_RAW]), **told)


_TOLD = ("reason", "remedy", "size", "contract", "record_id", "customer_id", "field", "value")


def note_letters(
    db: Engine, source: str, letters: Iterable[Letter], received_at: datetime, *, mapping: str | None = None
) -> None:
    """Keep these, each place once. Other content at a known place (a topic made anew) gets its own.

    `mapping`: what letters of a file are retried with.
    """
    with transaction(db) as session:
        for some in chunks(letters):
            known = _insert(session, source, some, received_at, mapping)
            if known:
                _insert(session, source, [_apart(letter) for letter in known], received_at, mapping)


_TAKE_BACK = text(
    "DELETE FROM dead_letters"
    " USING unnest(CAST(:partitions AS text[]), CAST(:bounds AS bigint[])) AS open_from(p, b)"
    " WHERE source = :source AND partition = open_from.p AND status = 'open' AND attempts = 0"
    " AND CAST(substring(position FROM '^[0-9]+') AS bigint) >= open_from.b"
)


def take_back(db: Engine, source: str, sealed: Mapping[str, int], reading: Iterable[str]) -> int:
    """Forget letters of the partitions being read that no snapshot covers; nobody has seen to them yet.

    Call it in the lake's writer lock, right before noting the letters of the batch that follows `sealed`.
    """
    partitions = list(reading)
    bounds = [sealed.get(partition, 0) for partition in partitions]
    with transaction(db) as session:
        values = {"source": source, "partitions": partitions, "bounds": bounds}
        return int(session.execute(_TAKE_BACK, values).rowcount)  # type: ignore[attr-defined]


def _insert(
    session: Session, source: str, letters: Sequence[Letter], received_at: datetime, mapping: str | None
) -> list[Letter]:
    """Insert; returns those whose place holds other content already. Of erased people nothing is kept."""
    letters = about_the_living(session, letters)
    if not letters:
        return []
    made = session.execute(inserting(source, letters, received_at, mapping))
    missing = {(letter.partition, letter.position) for letter in letters} - {tuple(row) for row in made}
    if not missing:
        return []
    there = select(DeadLetter.partition, DeadLetter.position, DeadLetter.raw).where(
        DeadLetter.source == bindparam("source", type_=Text),
        tuple_(DeadLetter.partition, DeadLetter.position).in_(sorted(missing)),
    )
    kept = {(row[0], row[1]): row[2] for row in session.execute(there, {"source": source})}
    # what was discarded or erased holds no content any more: it is taken for the same
    return [one for one in letters if kept.get((one.partition, one.position)) not in (None, b"", one.raw)]


def about_the_living(session: Session, letters: Sequence[Letter]) -> list[Letter]:
    """Without those about erased people; none is erased until the transaction ends."""
    gone = erased(session, {letter.customer_id for letter in letters if letter.customer_id})
    return [letter for letter in letters if letter.customer_id not in gone]


def inserting(
    source: str, letters: Sequence[Letter], received_at: datetime, mapping: str | None = None
) -> ReturningInsert[str, str]:
    """A statement that keeps these, each place once, and returns the places (partition, position) it kept."""
    table, clean = DeadLetter.__table__.c, [_clean(letter) for letter in letters]
    given = rows_of({name: (table[name].type, [one[name] for one in clean]) for name in clean[0]}).subquery()
    same = {"source": source, "received_at": received_at, "mapping": mapping, "status": "open", "attempts": 0}
    values = [literal(value, table[name].type) for name, value in same.items()]
    statement = insert(DeadLetter).from_select([*clean[0], *same], select(*given.c, *values))
    statement = statement.on_conflict_do_nothing(constraint="uq_dead_letters_place")
    return statement.returning(DeadLetter.partition, DeadLetter.position)


def _apart(letter: Letter) -> Letter:
    mark = hashlib.sha256(letter.raw).hexdigest()[:12]
    return replace(letter, position=f"{letter.position}#{mark}")


def _clean(letter: Letter) -> dict[str, Any]:
    """PostgreSQL's text has no NUL."""
    fields = vars(letter)
    return {
        name: value.replace("\0", "\\0") if isinstance(value, str) else value
        for name, value in fields.items()
    }


def chunks(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    """At most so many, and so many bytes, at once."""
    some: list[Letter] = []
    size = 0
    for letter in letters:
        some.append(letter)
        size += len(letter.raw)
        if len(some) >= _AT_ONCE or size > (8 << 20):
            yield some
            some, size = [], 0
    if some:
        yield some
