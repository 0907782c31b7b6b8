"""Engagement telemetry: the Overview page and its export."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from smart_reach.api.sessions import CockpitOf, SignedIn, signed_in
from smart_reach.engine.lakehouse.schemas import EVENTS
from smart_reach.engine.metrics.overview import OverviewFilters

router = APIRouter(tags=["overview"], dependencies=[Depends(signed_in)])


def filters(
    days: Annotated[int, Query(ge=1, le=366)] = 14,
    offer: str | None = None,
    channel: str | None = None,
    segment: str | None = None,
    raw: bool = False,
    snapshot: Annotated[str | None, Query(pattern=r"^\d{0,19}$")] = None,
) -> OverviewFilters:
    return OverviewFilters(
        days=days,
        offer=offer or None,
        channel=channel or None,
        segment=segment or None,
        raw=raw,
        snapshot=int(snapshot) if snapshot else None,
    )


Filters = Annotated[OverviewFilters, Depends(filters)]


@router.get("/overview")
def overview(chosen: Filters, cockpit: CockpitOf) -> dict[str, Any]:
    """Tiles, volumes, funnel, cohorts, spreads, heatmap, daily series and anomalies of a period.

    `raw` counts the opens and clicks of machines too; `snapshot` shows the lake as it was in that snapshot.
    """
    page = cockpit.services.metrics.overview(chosen)
    newest = cockpit.workspace.lake.snapshot_id(EVENTS)
    return {**page, "demo": cockpit.demo, "newest_snapshot": None if newest is None else str(newest)}


@router.get("/overview.csv")
def overview_csv(chosen: Filters, cockpit: CockpitOf) -> Response:
    """Tiles, funnel and daily series as CSV; money in currency units."""
    name = f"smart-reach-overview-{cockpit.workspace.clock.now():%Y-%m-%d}.csv"
    return Response(
        cockpit.services.metrics.overview_csv(chosen),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/overview/people")
def people(tile: str, chosen: Filters, cockpit: CockpitOf) -> dict[str, Any]:
    """The customers behind a tile, by pseudonymous id."""
    return cockpit.services.metrics.people(tile, chosen)


@router.get("/stream")
async def stream(request: Request, user: SignedIn) -> StreamingResponse:
    """Server-sent events: overview, proposal, delivery, clock."""
    return StreamingResponse(
        request.app.state.hub.listen(),
        media_type="text/event-stream",
        headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
    )
