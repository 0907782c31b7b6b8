"""The Overview page: the same messages feed tiles, funnel, heatmap, series and anomalies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smart_reach.engine.errors import InvalidInput, Unanswerable
from smart_reach.engine.metrics.execute import Connect, Connection
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview import behind, panels, scan, spreads, tiles
from smart_reach.engine.metrics.overview.counts import Purchases
from smart_reach.engine.metrics.overview.filters import OverviewFilters, Span, span_of
from smart_reach.engine.metrics.overview.series import ANOMALY_DAYS, page_anomalies, series, shown_days
from smart_reach.engine.metrics.questions.parser import anchor_for


@dataclass(frozen=True)
class Scene:
    """What every part of one page is read from."""

    connection: Connection
    model: SemanticModel
    filters: OverviewFilters
    span: Span
    messages: scan.Messages
    now: datetime
    newest: datetime | None
    received: datetime | None

    @property
    def bank(self) -> bool:
        return self.model.kind == "bank-marketing"


def _scene(connection: Connection, model: SemanticModel, now: datetime, filters: OverviewFilters) -> Scene:
    """In an older snapshot time stands at its newest event, whatever the clock says."""
    events = scan.newest(connection, None if filters.snapshot else now)
    newest = events.newest
    now = newest if filters.snapshot and newest else now
    zone = ZoneInfo(model.zone)
    anchor, moved = anchor_for(
        newest.astimezone(zone).date() if newest else None, now.astimezone(zone).date(), model.monthly
    )
    end = newest if moved and newest else now
    span = span_of(anchor, end, filters.days, model.zone)
    messages = scan.prepare(connection, model, filters, span.end)
    return Scene(connection, model, filters, span, messages, now, newest, events.received)


def overview(
    connect: Connect, model: SemanticModel, now: datetime, filters: OverviewFilters
) -> dict[str, Any]:
    """The JSON of GET /api/overview."""
    connection = connect()
    try:
        try:
            scene = _scene(connection, model, now, filters)
        except Unanswerable:  # no event has come yet
            return _empty(model, now, filters)
        return _page(scene)
    finally:
        connection.close()


def _check(filters: OverviewFilters, choices: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` for a filter that nothing in the data answers to."""
    for name in ("offer", "channel", "segment"):
        given, values = getattr(filters, name), [str(choice["id"]) for choice in choices[f"{name}s"]]
        if given is not None and given not in values:
            raise InvalidInput(name, given, f"Use one of {', '.join(values)}.")


def _page(scene: Scene) -> dict[str, Any]:
    model, span, messages, bank = scene.model, scene.span, scene.messages, scene.bank
    choices = scan.choices(scene.connection, model)
    _check(scene.filters, choices)
    since = min(span.start - span.length, span.end - timedelta(days=ANOMALY_DAYS + 2))
    daily = scan.daily(messages, model.zone, since)
    totals = scan.totals(messages, span)
    shown = shown_days(daily, scan.reach_by_day(messages, model.zone, span), span.period)
    own = model.kind == "own-data"
    bought = scan.purchases(scene.connection, model, scene.filters, span) if own else None
    sends = bool(daily) or not own
    return {
        **_head(model, scene.filters, scene.now, span, scene.newest, scene.received),
        "filters": choices,
        "tiles": _tiles(scene, totals, shown, bought, sends),
        "volumes": tiles.volumes(model, totals, shown, span.period, raw=scene.filters.raw)
        if sends and not bank
        else [],
        "funnel": panels.funnel(messages, span, bank),
        "cohorts": panels.cohorts(messages, model, span.period.end, span.end, bought=not sends),
        "heatmap": panels.heatmap(messages, span, bank),
        "daily": series(shown, bank, bought),
        "anomalies": [a.as_json() for a in page_anomalies(daily, span.period, bank, model)],
        **_spreads(scene),
    }


def _tiles(
    scene: Scene, totals: Any, shown: list[Any], bought: Purchases | None, sends: bool
) -> list[dict[str, Any]]:
    model, period = scene.model, scene.span.period
    if scene.bank:
        return tiles.bank_tiles(model, totals, shown, period)
    found: list[dict[str, Any]] = []
    if sends:
        found += tiles.message_tiles(model, totals, shown, period, raw=scene.filters.raw)
    if bought is not None and (bought.now.transactions or bought.before.transactions or not sends):
        found += tiles.purchase_tiles(model, bought, shown, period)
    return found + tiles.snapshot_tiles(model, _features(scene), period)


def _features(scene: Scene) -> dict[str, Any]:
    if scene.bank:
        return {}
    # features as of the end of the data are a microsecond past its last event, so that they know it
    end = scene.span.end + timedelta(microseconds=1)
    return spreads.snapshot(scene.connection, scene.filters.segment, end, end - scene.span.length)


def _spreads(scene: Scene) -> dict[str, Any]:
    extra, segment = _features(scene), scene.filters.segment
    return {
        "churn": spreads.churn(scene.connection, segment, extra),
        "value": spreads.value(scene.connection, scene.model, segment, extra),
    }


def _head(
    model: SemanticModel,
    filters: OverviewFilters,
    now: datetime,
    span: Span,
    newest: datetime | None,
    received: datetime | None,
) -> dict[str, Any]:
    return {
        "period": {
            "from": span.period.start.isoformat(),
            "to": span.period.end.isoformat(),
            "label": span.period.dates,
            "previous_label": f"the {filters.days} days before",
        },
        "as_of": (newest or now).isoformat(),
        "received_at": received.isoformat() if received else None,
        "freshness_s": max(0, int((now - newest).total_seconds())) if newest else None,
        "demo": model.kind == "demo-bank",
        "currency": model.currency,
        "raw": filters.raw,
        "snapshot": None if filters.snapshot is None else str(filters.snapshot),
    }


def _empty(model: SemanticModel, now: datetime, filters: OverviewFilters) -> dict[str, Any]:
    """The page of a workspace without events: nothing is claimed."""
    today = anchor_for(None, now.astimezone(ZoneInfo(model.zone)).date(), model.monthly)[0]
    return {
        **_head(model, filters, now, span_of(today, now, filters.days, model.zone), None, None),
        "filters": {"offers": [], "channels": [], "segments": []},
        "tiles": [],
        "volumes": [],
        "funnel": {"steps": [], "note": None},
        "cohorts": {"title": "Weekly cohorts", "columns": [], "rows": [], "trend": None},
        "heatmap": None,
        "daily": {"dates": [], "series": []},
        "anomalies": [],
        "churn": None,
        "value": None,
    }


def csv_rows(page: dict[str, Any], currency: str) -> list[list[Any]]:
    """Tiles, volumes, funnel and daily series as rows of one CSV file."""
    rows: list[list[Any]] = [["metric", "value", "unit", "change", "low", "high", "definition"]]
    known = {tile["id"] for tile in page["tiles"]}
    for tile in [*page["tiles"], *(v for v in page["volumes"] if v["id"] not in known)]:
        low, high = tile["interval"] or (None, None)
        figures, unit = [tile["value"], tile["delta"], low, high], tile["unit"]
        if unit == "money":  # currency units, not minor ones; a relative change stays a share
            relative = tile["delta_display"].endswith("%")
            figures = [
                n if n is None or (relative and i == 1) else round(n / 100, 2) for i, n in enumerate(figures)
            ]
            unit = currency
        rows.append([tile["label"], figures[0], unit, *figures[1:], tile["definition"]])
    rows += [[], ["funnel step", "customers", "share", "holdout share"]]
    rows += [[s["label"], s["count"], s["share"], s["holdout_share"]] for s in page["funnel"]["steps"]]
    lines = page["daily"]["series"]
    rows += [[], ["day", *(line["name"] for line in lines)]]
    rows += [[day, *(_amount(line, i) for line in lines)] for i, day in enumerate(page["daily"]["dates"])]
    return rows


def _amount(line: dict[str, Any], i: int) -> Any:
    value = line["values"][i]
    return round(value / 100, 2) if line["unit"] == "money" and value is not None else value


def people(
    connect: Connect, model: SemanticModel, now: datetime, tile: str, filters: OverviewFilters, limit: int
) -> dict[str, Any]:
    """Who is behind a tile: pseudonymous ids with group attributes, the newest first."""
    connection = connect()
    try:
        scene = _scene(connection, model, now, filters)
        return behind.people(scene.messages, model, tile, scene.span, filters.segment, limit)
    finally:
        connection.close()
