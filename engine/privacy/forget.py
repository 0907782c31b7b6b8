"""`forget`: everything about one person is erased, in steps that can be repeated.

mark (nothing about the person comes in any more) → database, one transaction → lake → files → search
everything once more → receipt. The ids wait in `erasures` until the last step, so an erasure that was
cut short is finished by asking again, or by `finish_open`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import erased, is_token, mark, person_hash
from smart_reach.engine.catalog.identity.people import existing, names_of
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.privacy.database import erase_from_database, protected_ids
from smart_reach.engine.privacy.doors import Doors, doors_of
from smart_reach.engine.privacy.files import scrub_files
from smart_reach.engine.privacy.receipt import Receipt
from smart_reach.engine.privacy.scrub import Scrubber
from smart_reach.engine.privacy.sweep import named_in
from smart_reach.engine.privacy.tables import Erasure
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

_LOCK = 726_417_042
_ROUNDS = 3
_LONGEST = 128


def forget(ws: Workspace, customer_id: str, *, actor: str, doors: Doors | None = None) -> Receipt:
    """Erase one person. Repeating it is harmless and searches everything again.

    Raises NotFound when nothing is known about the id, InvalidInput when it cannot be an id.
    """
    if not customer_id.strip() or len(customer_id) > _LONGEST or is_token(customer_id):
        raise InvalidInput("customer", customer_id[:_LONGEST], "Use a customer's id, such as cus_000123.")
    with _alone(ws):
        begun = _begin(ws, customer_id, actor, doors or doors_of(ws))
        return _erase(ws, begun, actor, doors or doors_of(ws))


def finish_open(ws: Workspace, *, actor: str = "system:privacy", doors: Doors | None = None) -> list[Receipt]:
    """Finish the erasures that were cut short; to be called when a server starts."""
    with Session(ws.db) as session:
        waiting = session.scalars(select(Erasure.person_hash).where(Erasure.finished_at.is_(None))).all()
    found = []
    for person in waiting:
        with _alone(ws):
            work = _work(ws, person)
            if work.repeated:  # another process has finished it while we waited
                continue
            with transaction(ws.db) as session:  # it may have been cut short before this
                mark(session, work.ids, ws.clock.now())
            found.append(_erase(ws, work, actor, doors or doors_of(ws)))
    return found


class _Work:
    """One erasure under way: its row as it was read, and whether it had been finished before."""

    def __init__(self, row: Erasure, ids: Sequence[str], protected: Sequence[str]) -> None:
        self.person, self.ids = row.person_hash, list(ids)
        self.repeated = row.finished_at is not None
        self.scrubber = Scrubber(self.ids, protected=protected)


def _begin(ws: Workspace, customer_id: str, actor: str, doors: Doors) -> _Work:
    with transaction(ws.db) as session:
        person = person_hash(session, customer_id)
        row = session.get(Erasure, person)
        ids = list(row.ids) if row is not None and row.ids else names_of(session, customer_id)
        if row is None:
            _require_traces(session, ids, doors)
            # an alias that is given later leads here by its own mark
            row = Erasure(
                person_hash=person,
                receipt_id=f"ERA-{secrets.token_hex(5)}",
                actor=actor,
                begun_at=ws.clock.now(),
                ids=ids,
                report={},
            )
            session.add(row)
        protected = protected_ids(session, ids)
    with transaction(ws.db) as session:
        mark(session, ids, ws.clock.now())
    return _Work(row, ids, protected)


def _work(ws: Workspace, person: str) -> _Work:
    with Session(ws.db) as session:
        row = session.get_one(Erasure, person)
        return _Work(row, row.ids, protected_ids(session, row.ids))


def _require_traces(session: Session, ids: Sequence[str], doors: Doors) -> None:
    """Raise NotFound unless the person is known, was erased before, or is named somewhere."""
    if existing(session, ids) or erased(session, ids) or doors.lake_rows(ids):
        return
    if not named_in(session, Scrubber(ids, protected=protected_ids(session, ids))):
        raise NotFound(f"Nothing is known about {ids[0]!r}.", hint="Customer ids look like cus_000001.")


def _erase(ws: Workspace, work: _Work, actor: str, doors: Doors) -> Receipt:
    left: list[str] = []
    for _ in range(_ROUNDS):
        _database(ws, work, actor)
        _outside(ws, work, doors)
        left = _left(ws, work, doors)
        if not left:
            break
    doors.refresh()
    return _finish(ws, work, actor, left)


def _database(ws: Workspace, work: _Work, actor: str) -> None:
    """One transaction; tried again when another one stood in its way."""
    key, ledger = ws.settings.secret_key().encode(), Ledger(ws.clock)
    for attempt in range(_ROUNDS):
        try:
            with transaction(ws.db) as session:
                done = erase_from_database(session, work.scrubber, ledger, key=key, actor=actor)
                _add(session, work, done)
            return
        except OperationalError as error:
            # 40P01 is a deadlock: the other side has gone on
            if getattr(error.orig, "sqlstate", None) != "40P01" or attempt == _ROUNDS - 1:
                raise


def _outside(ws: Workspace, work: _Work, doors: Doors) -> None:
    lake: dict[str, int] = {}
    for customer_id in work.ids:
        for table, rows in doors.erase_lake(customer_id).items():
            lake[table] = lake.get(table, 0) + int(rows)
    lake["online features"] = doors.erase_online(work.ids)
    done, _ = scrub_files(ws.root, work.scrubber)
    with transaction(ws.db) as session:
        _add(session, work, {"lake": {table: rows for table, rows in lake.items() if rows}, "files": done})


def _left(ws: Workspace, work: _Work, doors: Doors) -> list[str]:
    """Places that still name the person."""
    with transaction(ws.db) as session:
        tables = [f"table {table}" for table in named_in(session, work.scrubber)]
    lake = [f"lake {table}" for table in doors.lake_rows(work.ids)]
    return [*tables, *lake, *(f"file {name}" for name in scrub_files(ws.root, work.scrubber)[1])]


def _add(session: Session, work: _Work, done: Mapping[str, Mapping[str, Any]]) -> None:
    """Add to the report what a step did; in the step's own transaction, so that nothing is counted twice."""
    row = session.get_one(Erasure, work.person, with_for_update=True)
    report: dict[str, dict[str, Any]] = {name: dict(values) for name, values in row.report.items()}
    for name, values in done.items():
        into = report.setdefault(name, {})
        for key, value in values.items():
            into[key] = into.get(key, 0) + value if isinstance(value, int) else value
    row.report = report


def _finish(ws: Workspace, work: _Work, actor: str, left: Sequence[str]) -> Receipt:
    with transaction(ws.db) as session:
        row = session.get_one(Erasure, work.person, with_for_update=True)
        if not left and row.finished_at is None:
            row.report = _recorded(session, row, Ledger(ws.clock), actor)
            row.ids, row.finished_at = [], ws.clock.now()
        receipt = _receipt(row)
    _vacuum(ws, receipt)
    return replace(receipt, left=tuple(left), repeated=work.repeated)


def _recorded(session: Session, row: Erasure, ledger: Ledger, actor: str) -> dict[str, Any]:
    """The report with the number of the entry that records the erasure, which names nobody."""
    entry = ledger.append(
        session,
        kind="customer.erased",
        subject=row.receipt_id,
        actor=actor,
        payload={"person_hash": row.person_hash, "report": row.report},
    )
    return {**row.report, "ledger": {**row.report.get("ledger", {}), "entry": entry}}


def _receipt(row: Erasure) -> Receipt:
    def shown(at: datetime | None) -> str | None:
        return None if at is None else at.isoformat()

    return Receipt(
        row.receipt_id, row.person_hash, row.begun_at.isoformat(), shown(row.finished_at), **row.report
    )


def _vacuum(ws: Workspace, receipt: Receipt) -> None:
    """Rows that were deleted lie in the table's files until they are vacuumed; the keys first."""
    tables = sorted({"person_keys", "erasures", *receipt.deleted, *receipt.rewritten} - {"ledger"})
    with ws.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            connection.execute(text(f'VACUUM "{table}"'))


@contextmanager
def _alone(ws: Workspace) -> Iterator[None]:
    """One erasure at a time; the lock goes with the process."""
    with ws.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(select(func.pg_advisory_lock(_LOCK)))
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(_LOCK)))
