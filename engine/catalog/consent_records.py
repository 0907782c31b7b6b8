"""Consent records from outside: each taken in once, in whatever order they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Boolean, DateTime, Integer, String, any_, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.arrays import pages, rows_of
from smart_reach.engine.catalog.consent import newest_consents
from smart_reach.engine.catalog.tables import Consent, ConsentRecord

_LOCK = 726_417_012
Key = tuple[str, str, str]  # customer, channel, purpose


@dataclass(frozen=True)
class ConsentChange:
    """What one record says about one channel; `record_id` is its own and never used twice."""

    record_id: str
    customer_id: str
    channel: str
    granted: bool
    at: datetime
    source: str
    purpose: str = "marketing"

    @property
    def key(self) -> Key:
        return self.customer_id, self.channel, self.purpose


@dataclass(frozen=True)
class _Row:
    """A row to append and the record it stands for; None for an answer that no record gave."""

    change: ConsentChange
    record_id: str | None


def apply_changes(session: Session, changes: Sequence[ConsentChange]) -> int:
    """Take the records in and return how many were new. Their customers must exist.

    Of one customer, channel and purpose the record with the newest time holds, ties by record id. A
    withdrawal that comes after a newer record is still written down, for `recent_withdrawals`; the newer
    answer is then repeated behind it, so that it goes on to hold.
    """
    if not changes:
        return 0
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    fresh = _unseen(session, changes)
    holding = _holding(session, fresh)
    by_key: dict[Key, list[ConsentChange]] = {}
    for change in sorted(fresh, key=lambda one: (one.key, one.at, one.record_id)):
        by_key.setdefault(change.key, []).append(change)
    rows = [row for key, given in by_key.items() for row in _rows(holding.get(key), given)]
    _append(session, rows)
    return len(fresh)


def _rows(now: ConsentChange | None, given: Sequence[ConsentChange]) -> list[_Row]:
    """What to append for one customer, channel and purpose; `given` in the order of time."""
    if now is None:
        return [_Row(change, change.record_id) for change in given]
    here = (now.at, now.record_id)
    late = [change for change in given if (change.at, change.record_id) < here and not change.granted]
    rows = [_Row(change, change.record_id) for change in late if now.granted]
    if rows:
        rows.append(_Row(now, now.record_id or None))
    newer = [change for change in given if (change.at, change.record_id) > here]
    return rows + [_Row(change, change.record_id) for change in newer]


def _unseen(session: Session, changes: Sequence[ConsentChange]) -> list[ConsentChange]:
    first: dict[str, ConsentChange] = {}
    for change in changes:
        first.setdefault(change.record_id, change)
    new: set[str] = set()
    names = ["record_id", "customer_id"]
    for page in pages(first):
        customers = [first[one].customer_id for one in page]
        rows = rows_of({"record_id": (String(), page), "customer_id": (String(), customers)})
        statement = insert(ConsentRecord).from_select(names, rows).on_conflict_do_nothing()
        new.update(session.scalars(statement.returning(ConsentRecord.record_id)))
    return [change for record_id, change in first.items() if record_id in new]


def _holding(session: Session, changes: Sequence[ConsentChange]) -> Mapping[Key, ConsentChange]:
    """What holds now for the keys of these changes; `record_id` is empty when no record said so."""
    rows = {
        row.id: row
        for answers in newest_consents(session, {change.customer_id for change in changes}).values()
        for row in answers.values()
    }
    records: dict[int, str] = {}
    numbers = literal(list(rows), ARRAY(Integer))
    query = select(ConsentRecord.consent_id, ConsentRecord.record_id)
    for number, record in session.execute(query.where(ConsentRecord.consent_id == any_(numbers))):
        if number is not None:
            records[number] = record
    found = [
        ConsentChange(
            records.get(row.id, ""),
            row.customer_id,
            row.channel,
            row.granted,
            row.changed_at,
            row.source,
            row.purpose,
        )
        for row in rows.values()
    ]
    return {change.key: change for change in found}


def _append(session: Session, rows: Sequence[_Row]) -> None:
    if not rows:
        return
    given = [row.change for row in rows]
    text, flag = String(), Boolean()
    columns: dict[str, tuple[Any, list[Any]]] = {
        "customer_id": (text, [one.customer_id for one in given]),
        "channel": (text, [one.channel for one in given]),
        "purpose": (text, [one.purpose for one in given]),
        "granted": (flag, [one.granted for one in given]),
        "changed_at": (DateTime(timezone=True), [one.at for one in given]),
        "source": (text, [one.source for one in given]),
    }
    statement = insert(Consent).from_select(list(columns), rows_of(columns)).returning(Consent.id)
    # rows are numbered in the order in which they are given
    numbers = sorted(session.scalars(statement))
    marks = {row.record_id: number for row, number in zip(rows, numbers, strict=True) if row.record_id}
    _mark(session, marks)


def _mark(session: Session, numbers: Mapping[str, int]) -> None:
    """Note which row each record became; of several the last."""
    for page in pages(numbers):
        columns: dict[str, tuple[Any, list[Any]]] = {
            "record_id": (String(), page),
            "number": (Integer(), [numbers[one] for one in page]),
        }
        given = rows_of(columns).subquery()
        session.execute(
            update(ConsentRecord)
            .where(ConsentRecord.record_id == given.c.record_id)
            .values(consent_id=given.c.number)
            .execution_options(synchronize_session=False)
        )
