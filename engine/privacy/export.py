"""`export`: everything that is held about one person, by room, in JSON, with sealed parts opened.

Where other people stand in the same record (an audience, a conversation), only what concerns this person
is given: which record it is, and the words around the id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, or_, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import erased
from smart_reach.engine.catalog.identity.people import existing, names_of
from smart_reach.engine.errors import NotFound
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.sealed import person_parts
from smart_reach.engine.privacy.database import protected_ids
from smart_reach.engine.privacy.declared import APART, DELETED
from smart_reach.engine.privacy.doors import Doors, doors_of
from smart_reach.engine.privacy.scrub import Scrubber
from smart_reach.engine.privacy.sweep import hits, searched_columns
from smart_reach.engine.state.base import Base, transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

FORMAT = "smart-reach-export/1"
ANOTHER = "(another customer)"
_WORD = re.compile(r"[\w-]+")
_WHOLE = {**DELETED, "decisions": ("customer_id",), "identity_keys": ("customer_id", "home_id")}
_AROUND = 160
# what tells a record from others, when it has such a column
_NAMES = ("id", "thread_id", "proposal_id", "version", "position", "title", "kind", "at", "segment_id")


def export(ws: Workspace, customer_id: str, *, actor: str, doors: Doors | None = None) -> dict[str, Any]:
    """Everything held. Raises NotFound when nothing is, or when the person was erased.

    That it was asked for is entered in the ledger, sealed like everything about a person.
    """
    doors = doors or doors_of(ws)
    with transaction(ws.db) as session:
        if erased(session, [customer_id]):
            raise NotFound("This person was erased; nothing is held.", hint="`forget` gave a receipt.")
        ids = names_of(session, customer_id)
        scrubber = Scrubber(ids, protected=protected_ids(session, ids))
        rooms = _rooms(session, ids)
        mentions = _mentions(session, scrubber)
        ledger = list(person_parts(session, ids))
        lake = {table: [_plain(row) for row in rows] for table, rows in doors.lake_rows(ids).items()}
        if not (existing(session, ids) or rooms or mentions or ledger or lake):
            raise NotFound(f"Nothing is known about {customer_id!r}.", hint="Ids look like cus_000001.")
        Ledger(ws.clock).append(
            session,
            kind="customer.exported",
            subject="export",
            actor=actor,
            payload={"customer_id": ids[0], "asked_for": customer_id},
        )
    return {
        "format": FORMAT,
        "customer_id": ids[0],
        "known_as": ids,
        "workspace": ws.name,
        "exported_at": ws.clock.now().isoformat(),
        "rooms": rooms,
        "lake": lake,
        "ledger": [_plain(entry) for entry in ledger],
        "mentions": mentions,
    }


def _rooms(session: Session, ids: Sequence[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Room → table → the rows that are about the person."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    rooms = _room_of_tables()
    for name, columns in _WHOLE.items():
        table = Base.metadata.tables.get(name)
        if table is not None and (rows := _rows(session, table, columns, ids)):
            found.setdefault(rooms.get(name, "other"), {})[name] = rows
    return found


def _rows(session: Session, table: Table, columns: Sequence[str], ids: Sequence[str]) -> list[dict[str, Any]]:
    test = or_(*(table.c[column].in_(ids) for column in columns if column in table.c))
    order = list(table.primary_key)
    return [_plain(row) for row in session.execute(select(table).where(test).order_by(*order)).mappings()]


def _room_of_tables() -> dict[str, str]:
    return {
        mapper.local_table.name: mapper.class_.__module__.split(".engine.")[-1].split(".")[0]
        for mapper in Base.registry.mappers
        if isinstance(mapper.local_table, Table)
    }


def _mentions(session: Session, scrubber: Scrubber) -> dict[str, list[dict[str, Any]]]:
    """Table → records about more than this person that name the person."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table, columns in searched_columns(session).items():
        if table in APART or table in _WHOLE:
            continue
        for hit in hits(session, table, columns, scrubber):
            record = {name: hit.row[name] for name in _NAMES if name in hit.row}
            record["in"] = {name: list(_passages(_plain(hit.row[name]), scrubber)) for name in hit.clean}
            found.setdefault(table, []).append(_plain(record))
    masked: dict[str, list[dict[str, Any]]] = _without_others(session, found, scrubber.ids)
    return masked


def _without_others(session: Session, value: Any, ids: Sequence[str]) -> Any:
    """The same without the ids of other people, who may stand in the words around this one's."""
    words: set[str] = set()

    def walk(value: Any, change: Callable[[str], str]) -> Any:
        if isinstance(value, dict):
            return {name: walk(one, change) for name, one in value.items()}
        if isinstance(value, list):
            return [walk(one, change) for one in value]
        return change(value) if isinstance(value, str) else value

    def collect(text: str) -> str:
        words.update(_WORD.findall(text))
        return text

    walk(value, collect)
    others = existing(session, words - set(ids))
    return walk(value, lambda text: _WORD.sub(lambda one: ANOTHER if one[0] in others else one[0], text))


def _passages(value: Any, scrubber: Scrubber) -> Iterator[str]:
    """The words around the id in every text of a value; lists of ids give the id alone."""
    if isinstance(value, str):
        for start, end in scrubber.places(value):
            yield value[max(0, start - _AROUND) : end + _AROUND]
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _passages(name, scrubber)
            yield from _passages(one, scrubber)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _passages(one, scrubber)


def _plain(value: Any) -> Any:
    """A value as JSON has it; records that are JSON text are given as JSON."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return _decoded(bytes(value))
    return _parsed(value) if isinstance(value, str) and value[:1] == "{" else value


def _decoded(value: bytes) -> Any:
    """Bytes as text; lines of JSON and packed checkpoints come as the readable part of their bytes."""
    return _plain(value.decode("utf-8", "replace"))


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
