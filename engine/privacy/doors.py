"""The rooms outside the database that hold people: the lake and what is kept of features on disk."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smart_reach.engine.errors import NotFound
from smart_reach.engine.lakehouse.schemas import TABLES

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


@dataclass(frozen=True)
class Doors:
    """`erase_lake` erases one id and answers rows by table, `erase_online` the features on disk and in Feast;
    `lake_rows` reads what the lake holds, by table; `refresh` makes again what an erasure took away."""

    erase_lake: Callable[[str], Mapping[str, int]]
    erase_online: Callable[[Sequence[str]], int]
    lake_rows: Callable[[Sequence[str]], Mapping[str, list[dict[str, Any]]]]
    refresh: Callable[[], object] = lambda: None


def doors_of(ws: Workspace) -> Doors:
    """The workspace's own lake and online features."""

    def erase(customer_id: str) -> Mapping[str, int]:
        from smart_reach.engine.lakehouse.erase import erase_customer

        return erase_customer(ws.lake, customer_id).rows

    def erase_online(ids: Sequence[str]) -> int:
        from smart_reach.engine.features.store import FeatureStore

        try:
            return FeatureStore(ws).erase(ids)
        except NotFound:  # a workspace without data has no features
            return 0

    def refresh() -> object:
        from smart_reach.engine.lakehouse import rollups

        return rollups.refresh(ws.lake)

    return Doors(erase, erase_online, lambda ids: lake_rows(ws, ids), refresh)


def lake_rows(ws: Workspace, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Table → everything that the newest snapshots hold about these people."""
    found = {}
    with contextlib.closing(ws.lake.connect()) as connection:
        there = {row[0] for row in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()}
        for table in TABLES:
            if table not in there:
                continue
            # the name is one of our three tables, never input
            query = f"SELECT * FROM {table} WHERE customer_id IN (SELECT unnest(?))"
            rows = connection.sql(query, params=[list(ids)]).to_arrow_table().to_pylist()
            if rows:
                found[table] = rows
    return found
