"""Customer records: each field keeps what the newest record said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import msgspec
from sqlalchemy import String, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.arrays import among, pages
from smart_reach.engine.catalog.tables import Customer, CustomerProfile

_LOCK = 726_417_013
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
COLUMNS = ("zone", "language", "holdout")


@dataclass(frozen=True)
class CustomerRecord:
    """What one record says of a customer: fields by name, scalars; None takes a field away."""

    record_id: str
    customer_id: str
    at: datetime
    fields: Mapping[str, Any]


def apply_records(session: Session, records: Sequence[CustomerRecord]) -> int:
    """Bring customers up to date; returns how many changed. They must exist; order does not matter."""
    by_customer: dict[str, list[CustomerRecord]] = {}
    for record in records:
        by_customer.setdefault(record.customer_id, []).append(record)
    if not by_customer:
        return 0
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    return sum(_page(session, {one: by_customer[one] for one in page}) for page in pages(by_customer))


def _page(session: Session, records: Mapping[str, Sequence[CustomerRecord]]) -> int:
    ids = list(records)
    table = Customer.__table__
    # JSON is read as text and decoded here: the driver's own way takes several times as long
    columns = (table.c[name] for name in ("id", *COLUMNS))
    who = select(*columns, cast(table.c.attributes, String).label("attributes"))
    people = {row.id: row for row in session.execute(who.where(among(Customer.id, ids)))}
    known = select(CustomerProfile.customer_id, cast(CustomerProfile.versions, String))
    found = session.execute(known.where(among(CustomerProfile.customer_id, ids))).tuples()
    profiles: dict[str, dict[str, Any]] = {one: msgspec.json.decode(versions) for one, versions in found}
    customers, versions = [], []
    for customer_id, given in records.items():
        marks = profiles.get(customer_id, {})
        wins = _winners(given, marks)
        if not wins:
            continue
        customers.append(_changed(people[customer_id], wins))
        versions.append({"customer_id": customer_id, "versions": marks})
    if customers:
        _save(session, customers, versions)
    return len(customers)


def _winners(records: Sequence[CustomerRecord], marks: dict[str, Any]) -> dict[str, Any]:
    """Fields whose value is newer than what `marks` knows; `marks` is moved on."""
    wins: dict[str, Any] = {}
    for record in records:
        version = [(record.at - _EPOCH) // _MICROSECOND, record.record_id]
        for name, value in record.fields.items():
            if (name not in marks or marks[name] < version) and _fits(name, value):
                marks[name], wins[name] = version, value
    return wins


def _fits(name: str, value: Any) -> bool:
    """Whether the field can take the value: a zone that does not exist would stop every decision."""
    if name == "zone":
        return isinstance(value, str) and value in _zones()
    if name == "language":
        return isinstance(value, str) and bool(value)
    return name != "holdout" or isinstance(value, bool)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _changed(person: Any, wins: Mapping[str, Any]) -> dict[str, Any]:
    known = msgspec.json.decode(person.attributes)
    attributes = {**known, **{k: v for k, v in wins.items() if k not in COLUMNS}}
    return {
        "id": person.id,
        "attributes": {name: value for name, value in attributes.items() if value is not None},
        **{name: wins.get(name, getattr(person, name)) for name in COLUMNS},
    }


def _save(session: Session, customers: Sequence[dict[str, Any]], versions: Sequence[dict[str, Any]]) -> None:
    _upsert(session, Customer, ["id", *COLUMNS, "attributes"], customers)
    names = ["customer_id", "versions"]
    _upsert(session, CustomerProfile, names, versions, updated_at=func.clock_timestamp())


def _upsert(
    session: Session, model: Any, names: list[str], rows: Sequence[dict[str, Any]], **more: Any
) -> None:
    """Insert or replace rows; the first name is the key, `more` are expressions.

    They travel as one JSON document: in arrays of text every quotation mark of theirs would be escaped
    again, which takes longer than all the rest.
    """
    kinds = [column(name, model.__table__.c[name].type) for name in names]
    document = cast(literal(msgspec.json.encode(rows).decode(), String()), JSONB)
    given = func.jsonb_to_recordset(document).table_valued(*kinds).render_derived(with_types=True)
    chosen = select(*(given.c[name] for name in names), *more.values())
    statement = insert(model.__table__).from_select([*names, *more], chosen)
    changed = {name: statement.excluded[name] for name in (*names[1:], *more)}
    session.execute(statement.on_conflict_do_update(index_elements=names[:1], set_=changed))
