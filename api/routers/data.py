"""The Data page: sources, tables, freshness."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from smart_reach.api.sessions import CockpitOf, SignedIn, signed_in
from smart_reach.engine.events.health import data_health
from smart_reach.engine.governance.roles import require

router = APIRouter(tags=["data"], dependencies=[Depends(signed_in)])


@router.get("/data")
def data(user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Sources with lag and throughput, tables with freshness, and what waits for a person."""
    require(user, "data.read")
    return data_health(cockpit.workspace)


@router.get("/data/tables/{table}/snapshots")
def snapshots(table: str, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """The kept snapshots of a table, newest first: any of them can be named in a query."""
    require(user, "data.read")
    kept = cockpit.workspace.lake.snapshots(table)
    return {"items": [snapshot.as_json() for snapshot in reversed(kept)]}
