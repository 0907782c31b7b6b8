"""Features computed from the lake: everybody at some moments, some customers, or each at its own moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.features.compiler import compile_sql
from smart_reach.engine.features.definitions import FeatureSet
from smart_reach.engine.features.prepare import Surroundings, parts, prepare
from smart_reach.engine.lakehouse.schemas import CUSTOMERS, EVENTS
from smart_reach.engine.ports import Progress, silent

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

_LATELY = timedelta(days=2)
_READ = (EVENTS, CUSTOMERS)


def surroundings(workspace: Workspace) -> Surroundings:
    """The offers' categories and the currency whose amounts count."""
    with Session(workspace.db) as session:
        rows = session.execute(select(Offer.id, Offer.category)).all()
    categories = pa.table(
        {
            "offer_id": pa.array([row[0] for row in rows], pa.string()),
            "category": pa.array([row[1] for row in rows], pa.string()),
        }
    )
    return Surroundings(categories, workspace.info("currency"))


def present(workspace: Workspace, features: FeatureSet) -> datetime:
    """The moment that decisions are made at: the clock's, or the end of the data while only files came.

    A file of history ends in the past; features as of today would then say that nobody was ever active.
    """
    now = workspace.clock.now()
    if features.imported == "false":
        return now
    # the last days tell, unless nothing was received live in them
    for since in (now - _LATELY, None):
        imported, live = _newest(workspace, features, now, since)
        if live is not None:
            break
    if imported is None or (live is not None and live >= imported):
        return now
    end: datetime = imported.astimezone(UTC) + timedelta(microseconds=1)
    return min(now, end)


def _newest(
    workspace: Workspace, features: FeatureSet, now: datetime, since: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """When the newest imported and the newest live event happened, among the days from `since`."""
    if not workspace.lake.files(EVENTS, since):
        return None, None
    with workspace.lake.connect(tables=(EVENTS,), since=since) as connection:
        found: tuple[datetime | None, datetime | None] = connection.execute(
            f"SELECT max(occurred_at) FILTER ({features.imported}),"
            f" max(occurred_at) FILTER (NOT {features.imported}) FROM events WHERE occurred_at < ?",
            [now],
        ).fetchall()[0]
    return found


def snapshots(
    workspace: Workspace, features: FeatureSet, moments: Sequence[datetime], progress: Progress = silent
) -> pa.Table:
    """Everybody's features at each of the moments."""
    around, sql, made = surroundings(workspace), compile_sql(features), []
    with workspace.lake.connect(tables=_READ) as connection:
        number = parts(connection, features, len(moments))
        for part in range(number):
            prepare(connection, features, around, part=(part, number), keep=len(moments) > 1)
            for done, moment in enumerate(moments):
                made.append(_rows(connection, sql, moment))
                progress((part + (done + 1) / len(moments)) / number, "Computing features")
    return pa.concat_tables(made)


def some(workspace: Workspace, features: FeatureSet, customer_ids: Sequence[str], at: datetime) -> pa.Table:
    """The features of some customers at a moment: the same query as for everybody, over their events only."""
    around = surroundings(workspace)
    with workspace.lake.connect(tables=_READ) as connection:
        prepare(connection, features, around, only=sorted(set(customer_ids)), keep=False)
        return _rows(connection, compile_sql(features), at)


def at_moments(workspace: Workspace, features: FeatureSet, spine: pa.Table) -> pa.Table:
    """The features of each row of `spine` (customer_id, as_of), as they were known just before `as_of`.

    One row for each different pair; rows of customers the set does not know are left out.
    """
    around = surroundings(workspace)
    customers = spine.column("customer_id").unique().to_pylist()
    with workspace.lake.connect(tables=_READ) as connection:
        prepare(connection, features, around, only=customers)
        connection.register("wanted", spine.select(["customer_id", "as_of"]))
        connection.execute(
            "CREATE TEMP TABLE spine AS SELECT DISTINCT person, as_of"
            " FROM wanted JOIN people USING (customer_id)"
        )
        return connection.sql(compile_sql(features, "spine")).to_arrow_table()


def _rows(connection: Any, sql: str, moment: datetime) -> pa.Table:
    return connection.sql(sql, params={"as_of": moment.astimezone(UTC)}).to_arrow_table()
