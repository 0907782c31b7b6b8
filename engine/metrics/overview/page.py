"""The Overview page: one scan of the messages feeds tiles, funnel, heatmap, series and anomalies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.anomalies import Anomaly, daily_arrays
from smart_reach.engine.metrics.answering import odd_days
from smart_reach.engine.metrics.execute import Connect, Connection, fetch
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview import behind, panels, scan
from smart_reach.engine.metrics.overview.tiles import Day, bank_tiles, demo_tiles
from smart_reach.engine.metrics.questions.parser import anchor_for
from smart_reach.engine.metrics.questions.periods import Anchor
from smart_reach.engine.metrics.spec import Period

ANOMALY_DAYS = 90


@dataclass(frozen=True)
class OverviewFilters:
    """What the page is narrowed to; the values are bound as parameters."""

    days: int = 14
    offer: str | None = None
    channel: str | None = None
    segment: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 366:
            raise InvalidInput("days", self.days, "Use 1 to 366 days.")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> OverviewFilters:
        """From query parameters; empty text means no filter."""
        days = given.get("days") or 14
        if not str(days).isdigit():
            raise InvalidInput("days", days, "Use a whole number of days.")
        return cls(
            int(days), given.get("offer") or None, given.get("channel") or None, given.get("segment") or None
        )


@dataclass(frozen=True)
class Span:
    """The shown days and the same stretch before them. Both end at the same time of day."""

    period: Period
    previous: Period
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.period.days)


def span_of(anchor: Anchor, as_of: datetime, days: int, zone: str) -> Span:
    """The last `days` local days up to `as_of`."""
    start = anchor.day - timedelta(days=days - 1)
    period = Period(start, anchor.day)
    midnight = datetime(start.year, start.month, start.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Span(period, period.before(), midnight, as_of)


def overview(
    connect: Connect, model: SemanticModel, now: datetime, filters: OverviewFilters
) -> dict[str, Any]:
    """The JSON of GET /api/overview."""
    connection = connect()
    try:
        newest = _newest(connection, now)
        anchor, moved = anchor_for(
            newest.astimezone(ZoneInfo(model.zone)).date(),
            now.astimezone(ZoneInfo(model.zone)).date(),
            model.monthly,
        )
        span = span_of(anchor, newest if moved else now, filters.days, model.zone)
        bank = model.kind == "bank-marketing"
        scan.prepare(connection, model, filters.offer, filters.channel, filters.segment, span.end)
        daily = scan.daily(connection)
        return _page(connection, model, filters, span, daily, newest, now, bank)
    finally:
        connection.close()


def _newest(connection: Connection, now: datetime) -> datetime:
    """When the newest event up to `now` happened; `now` where there is none."""
    rows = fetch(
        connection,
        "SELECT epoch_us(MAX(occurred_at)) FROM events WHERE occurred_at <= $now",
        {"now": now},
    )
    return datetime.fromtimestamp(rows[0][0] / 1e6, UTC) if rows[0][0] is not None else now


def _check(filters: OverviewFilters, choices: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` for a filter that nothing in the data answers to."""
    for name in ("offer", "channel", "segment"):
        given, values = getattr(filters, name), [str(choice["id"]) for choice in choices[f"{name}s"]]
        if given is not None and given not in values:
            raise InvalidInput(name, given, f"Use one of {', '.join(values)}.")


def _page(
    connection: Connection,
    model: SemanticModel,
    filters: OverviewFilters,
    span: Span,
    daily: list[Day],
    newest: datetime,
    now: datetime,
    bank: bool,
) -> dict[str, Any]:
    choices = scan.choices(connection, bank)
    _check(filters, choices)
    totals = scan.totals(connection, span.start, span.end, span.length)
    shown = [d for d in daily if span.period.start <= d.day <= span.period.end]
    extra = {} if bank else scan.snapshot(connection, filters.segment, span.end, span.end - span.length)
    tiles = (
        bank_tiles(model, totals, shown, span.period)
        if bank
        else demo_tiles(model, totals, shown, span.period, extra)
    )
    return {
        "period": {
            "from": span.period.start.isoformat(),
            "to": span.period.end.isoformat(),
            "label": span.period.dates,
            "previous_label": f"the {filters.days} days before",
        },
        "as_of": newest.isoformat(),
        "freshness_s": max(0, int((now - newest).total_seconds())),
        "demo": not bank,
        "filters": choices,
        "tiles": tiles,
        "funnel": panels.funnel(connection, span.start, span.end, bank),
        "cohorts": panels.cohorts(connection, model, span.period.end, span.end, bank),
        "heatmap": panels.heatmap(
            connection, span.end - max(span.length, timedelta(days=28)), span.end, bank
        ),
        "daily": series(shown, span.period, bank),
        "anomalies": [a.as_json() for a in page_anomalies(daily, span.period, bank, model)],
    }


def series(days: list[Day], period: Period, bank: bool) -> dict[str, Any]:
    """Day by day, without gaps; a rate without cases is null."""
    found = {d.day: d for d in days}
    dates = [period.start + timedelta(days=i) for i in range(period.days)]
    rows = [found.get(d, Day(d)) for d in dates]

    def line(name: str, unit: str, values: list[float | None]) -> dict[str, Any]:
        return {"name": name, "values": values, "unit": unit}

    base = [r.sent if bank else r.delivered for r in rows]
    converted = line(
        "Conversion rate",
        "percent",
        [r.converted / n if n else None for r, n in zip(rows, base, strict=True)],
    )
    if bank:
        lines = [line("Customers contacted", "count", [r.sent for r in rows]), converted]
    else:
        clicked = line(
            "Click-through rate", "percent", [r.clicked / r.delivered if r.delivered else None for r in rows]
        )
        lines = [clicked, converted, line("Delivered", "count", [r.delivered for r in rows])]
    return {"dates": [d.isoformat() for d in dates], "series": lines}


def page_anomalies(days: list[Day], period: Period, bank: bool, model: SemanticModel) -> list[Anomaly]:
    """Anomalies of the period against the last 90 days, newest first; today, not over yet, is left out."""
    known = [d for d in days if d.sent]
    if not known:
        return []
    end = period.end if bank else period.end - timedelta(days=1)
    start = max(min(d.day for d in known), end - timedelta(days=ANOMALY_DAYS - 1))
    if end <= start:
        return []
    found: list[Anomaly] = []
    kinds = (
        [("conversion_rate", "converted", "sent")]
        if bank
        else [
            ("ctr", "clicked", "delivered"),
            ("conversion_rate", "converted", "delivered"),
            ("opt_out_rate", "unsubscribed", "delivered"),
        ]
    )
    for metric, num_name, den_name in kinds:
        rows: list[tuple[date, float, float]] = [
            (d.day, getattr(d, num_name), getattr(d, den_name)) for d in known
        ]
        dates, num, den = daily_arrays(rows, start, end)
        if np.count_nonzero(den) * 2 < len(den):
            continue  # calls on a few days only have no weekly course to deviate from
        found += odd_days.anomalies(model.metric(metric), dates, num, den, model.currency)
    found = [a for a in found if period.start <= a.at <= period.end]
    return sorted(found, key=lambda a: (a.at, abs(a.z)), reverse=True)


def csv_rows(page: dict[str, Any], currency: str) -> list[list[Any]]:
    """Tiles, funnel and daily series as rows of one CSV file."""
    rows: list[list[Any]] = [["metric", "value", "unit", "change", "low", "high", "definition"]]
    for tile in page["tiles"]:
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
    rows += [[day, *(line["values"][i] for line in lines)] for i, day in enumerate(page["daily"]["dates"])]
    return rows


def people(
    connect: Connect, model: SemanticModel, now: datetime, tile: str, filters: OverviewFilters, limit: int
) -> dict[str, Any]:
    """Who is behind a tile: pseudonymous ids with group attributes, the newest first."""
    connection = connect()
    try:
        newest = _newest(connection, now)
        anchor, moved = anchor_for(newest.date(), now.date(), model.monthly)
        span = span_of(anchor, newest if moved else now, filters.days, model.zone)
        scan.prepare(connection, model, filters.offer, filters.channel, filters.segment, span.end)
        return behind.people(connection, model, tile, span.start, span.end, filters.segment, limit)
    finally:
        connection.close()
