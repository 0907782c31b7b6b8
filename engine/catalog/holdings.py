"""Products that customers hold: the newest record of each holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, DateTime, String, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from smart_reach.engine.catalog.arrays import PAGE, rows_of
from smart_reach.engine.catalog.tables import Holding

HOLDING_COLUMNS = (
    "customer_id",
    "product",
    "status",
    "category",
    "offer_id",
    "balance_minor",
    "currency",
    "changed_at",
    "record_id",
)
_TYPES: dict[str, TypeEngine[Any]] = {"balance_minor": BigInteger(), "changed_at": DateTime(timezone=True)}


def upsert_holdings(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of `HOLDING_COLUMNS`; of one customer's product the newest `changed_at` holds.

    Ties go by record id, so that any order of records, and any repeating, ends the same.
    """
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in rows:
        key = (row["customer_id"], row["product"])
        held = newest.get(key)
        if held is None or _version(held) < _version(row):
            newest[key] = row
    ordered = [newest[key] for key in sorted(newest)]
    for start in range(0, len(ordered), PAGE):
        page = ordered[start : start + PAGE]
        columns = {
            name: (_TYPES.get(name, String()), [one[name] for one in page]) for name in HOLDING_COLUMNS
        }
        statement = insert(Holding).from_select(list(HOLDING_COLUMNS), rows_of(columns))
        given = statement.excluded
        newer = tuple_(given.changed_at, given.record_id) > tuple_(Holding.changed_at, Holding.record_id)
        changed = {name: given[name] for name in HOLDING_COLUMNS[2:]}
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["customer_id", "product"], set_=changed, where=newer
            )
        )


def _version(row: Mapping[str, Any]) -> tuple[Any, str]:
    return row["changed_at"], row["record_id"]
