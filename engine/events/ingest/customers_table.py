"""The lake's `customers` table from what PostgreSQL knows; written anew when something changed, not at once.

In a workspace of the user's own data the table is ours alone. In the demo bank and with the bank-marketing
file it has columns and rows of its own: there, records add customers and change what they speak of.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Customer, CustomerAlias, CustomerProfile, Holding
from smart_reach.engine.events.ingest.customer_columns import BASE, columns_of, merged
from smart_reach.engine.lakehouse.schemas import CUSTOMERS
from smart_reach.engine.state.base import transaction
from smart_reach.engine.state.info import WorkspaceInfo

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

OWN_DATA = "own-data"
_LOCK = 726_417_014
_SEEN = "customers_table"


class CustomersTable:
    """Refreshes the table at most every `every_s`, and never for more than a twentieth of the time."""

    def __init__(
        self, ws: Workspace, *, every_s: float = 20.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ws = ws
        self._every_s = every_s
        self._clock = clock
        self._next = clock()

    def __call__(self, news: object = None) -> int:
        """A hook after commits, or called now and then; returns the rows written, 0 if it was not due."""
        began = self._clock()
        if began < self._next:
            return 0
        rows = refresh_customers(self._ws)
        self._next = self._clock() + max(self._every_s, 20 * (self._clock() - began))
        return rows


def refresh_customers(ws: Workspace) -> int:
    """Write the table if PostgreSQL has changed since the last time; returns its rows, 0 if it had not.

    Another process that is writing it already is left to it.
    """
    with transaction(ws.db) as session:
        if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
            return 0
        state = _state(session)
        if session.scalar(select(WorkspaceInfo.value).where(WorkspaceInfo.key == _SEEN)) == state:
            return 0
        own = session.scalar(select(WorkspaceInfo.value).where(WorkspaceInfo.key == "kind")) == OWN_DATA
        existing = None if own else _existing(ws)
        table = _table(session, existing, ws.clock.now().date())
        if table is None:
            return 0
        ws.lake.overwrite(CUSTOMERS, table)
        session.merge(WorkspaceInfo(key=_SEEN, value=state))
    return int(table.num_rows)


def _state(session: Session) -> str:
    """A text that differs whenever the table might."""
    profile, holding, alias = CustomerProfile, Holding, CustomerAlias
    opened = func.count().filter(holding.status == "opened")
    queries = (
        select(func.count()).select_from(Customer),
        select(func.count(), func.sum(_seconds(profile.updated_at))).select_from(profile),
        select(func.count(), func.sum(_seconds(holding.changed_at)), opened).select_from(holding),
        select(func.count(), func.count(alias.ended_at)).select_from(alias),
    )
    parts = [part for query in queries for part in session.execute(query).one()]
    return " ".join(str(part) for part in parts)


def _seconds(at: Any) -> Any:
    return func.extract("epoch", at)


def _existing(ws: Workspace) -> pa.Table | None:
    if ws.lake.snapshot_id(CUSTOMERS) is None:
        return None
    with ws.lake.connect(tables=(CUSTOMERS,)) as connection:
        found: pa.Table = connection.sql("SELECT * FROM customers").to_arrow_table()
    return found


def _table(session: Session, existing: pa.Table | None, today: date) -> pa.Table | None:
    gone = session.scalars(select(CustomerAlias.customer_id).where(CustomerAlias.ended_at.is_(None))).all()
    if existing is None:
        records = _everybody(session)
    else:
        records = _described(session, set(existing["customer_id"].to_pylist()))
    if not records and existing is None:
        return None
    ours = columns_of(records, today, names=BASE.names if existing is None else ())
    table = ours if existing is None else merged(existing, ours)
    return table.filter(pc.invert(pc.is_in(table["customer_id"], pa.array(gone, pa.string()))))


def _everybody(session: Session) -> list[dict[str, Any]]:
    query = select(Customer.id, Customer.zone, Customer.language, Customer.holdout, Customer.attributes)
    held = _holdings(session)
    return [
        {**attributes, "customer_id": one, "zone": zone, "language": language, "holdout": holdout}
        | ({"holdings": held[one]} if one in held else {"holdings": attributes.get("holdings", 0)})
        for one, zone, language, holdout, attributes in session.execute(query)
    ]


def _described(session: Session, known: set[str]) -> list[dict[str, Any]]:
    """What records say of known customers, and all of those that are not known."""
    query = select(CustomerProfile.customer_id, CustomerProfile.versions)
    versions: dict[str, dict[str, Any]] = dict(session.execute(query).tuples().all())
    held = _holdings(session)
    found = []
    for record in _everybody(session):
        one = record["customer_id"]
        if one not in known:
            found.append(record)
        elif one in versions or one in held:
            said = {"customer_id", *versions.get(one, {}), *(("holdings",) if one in held else ())}
            found.append({name: value for name, value in record.items() if name in said})
    return found


def _holdings(session: Session) -> dict[str, int]:
    """Open products of every customer of whom a record of holdings came."""
    query = select(Holding.customer_id, func.count().filter(Holding.status == "opened"))
    return dict(session.execute(query.group_by(Holding.customer_id)).tuples().all())
