"""Queries of the Overview. `prepare` scans once into a temporary table; the panels read that."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any

from smart_reach.engine.catalog.words import CHANNEL_LABELS, CHANNELS
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.execute import Connection, fetch
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview.tiles import Arm, Day, Totals

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
COHORT_WEEKS = 8

_MESSAGES = """
CREATE TEMP TABLE msg AS
SELECT m.message_id, m.customer_id, m.sent_at, CAST(TIMEZONE('{zone}', m.sent_at) AS DATE) AS day, m.held_out,
       m.sent, m.delivered, m.opened, m.clicked, m.converted, m.unsubscribed, m.revenue_minor,
       m.local_hour, m.local_weekday
FROM messages m {join}
WHERE (m.sent OR m.held_out) AND m.sent_at <= $end {conditions}
"""
_CONTACTS = """
CREATE TEMP TABLE msg AS
SELECT e.customer_id AS message_id, e.customer_id,
       MAX(occurred_at) FILTER (WHERE kind = 'contact') AS sent_at,
       CAST(TIMEZONE('{zone}', MAX(occurred_at) FILTER (WHERE kind = 'contact')) AS DATE) AS day,
       false AS held_out, true AS sent, true AS delivered, false AS opened, false AS clicked,
       BOOL_OR(kind = 'conversion') AS converted, false AS unsubscribed, 0 AS revenue_minor,
       ARG_MAX(local_hour, occurred_at) FILTER (WHERE kind = 'contact') AS local_hour,
       ARG_MAX(local_weekday, occurred_at) FILTER (WHERE kind = 'contact') AS local_weekday
FROM events e WHERE e.occurred_at <= $end GROUP BY e.customer_id HAVING sent_at IS NOT NULL
"""


def prepare(
    connection: Connection,
    model: SemanticModel,
    offer: str | None,
    channel: str | None,
    segment: str | None,
    end: datetime,
) -> None:
    """Make the temporary table `msg`: one row a message (or a contact), filtered."""
    if model.kind == "bank-marketing":
        fetch(connection, _CONTACTS.format(zone=model.zone), {"end": end})
        return
    params: dict[str, Any] = {"end": end}
    conditions = ""
    for column, value in (("m.offer_id", offer), ("m.channel", channel), ("c.segment", segment)):
        if value:
            name = column.split(".")[1]
            params[name] = value
            conditions += f" AND {column} = ${name}"
    join = "JOIN customers c ON m.customer_id = c.customer_id" if segment else ""
    fetch(connection, _MESSAGES.format(zone=model.zone, join=join, conditions=conditions), params)


def daily(connection: Connection, unit: str) -> list[Day]:
    """Counts by local day, oldest first."""
    del unit
    rows = fetch(
        connection,
        """
        SELECT day, COUNT(*) FILTER (sent AND NOT held_out), COUNT(*) FILTER (delivered AND NOT held_out),
               COUNT(*) FILTER (opened AND NOT held_out), COUNT(*) FILTER (clicked AND NOT held_out),
               COUNT(*) FILTER (converted AND NOT held_out), COUNT(*) FILTER (unsubscribed AND NOT held_out),
               COALESCE(SUM(revenue_minor) FILTER (NOT held_out), 0)::BIGINT,
               COUNT(DISTINCT customer_id) FILTER (NOT held_out), COUNT(*) FILTER (held_out),
               COUNT(*) FILTER (converted AND held_out),
               COALESCE(SUM(revenue_minor) FILTER (held_out), 0)::BIGINT
        FROM msg GROUP BY day ORDER BY day
        """,
    )
    return [Day(*row) for row in rows]


def totals(connection: Connection, start: datetime, end: datetime, length: timedelta) -> Totals:
    """Both arms, now and in the stretch of the same length before."""
    rows = fetch(
        connection,
        """
        SELECT sent_at >= $start AS now, held_out, COUNT(*), COUNT(DISTINCT customer_id),
               COUNT(*) FILTER (delivered),
               COUNT(*) FILTER (opened), COUNT(*) FILTER (clicked), COUNT(*) FILTER (converted),
               COUNT(*) FILTER (unsubscribed), SUM(revenue_minor)::DOUBLE,
               SUM(revenue_minor::DOUBLE * revenue_minor)
        FROM msg
        WHERE (sent_at >= $start AND sent_at <= $end) OR (sent_at >= $start_before AND sent_at <= $end_before)
        GROUP BY ALL
        """,
        {"start": start, "end": end, "start_before": start - length, "end_before": end - length},
    )
    found = {(now, held): Arm(*rest) for now, held, *rest in rows}
    return Totals(
        found.get((True, False), Arm()),
        found.get((True, True), Arm()),
        found.get((False, False), Arm()),
        found.get((False, True), Arm()),
    )


def snapshot(connection: Connection, segment: str | None, now: datetime, before: datetime) -> dict[str, Any]:
    """Churn risk and spend from the feature snapshots in force at both times, and a spark of snapshots."""
    params: dict[str, Any] = {"now": now}
    if segment:
        params["segment"] = segment
    join = "JOIN customers c ON c.customer_id = f.customer_id AND c.segment = $segment" if segment else ""
    rows = fetch(
        connection,
        f"""
        SELECT epoch_us(f.as_of), COUNT(f.days_since_active), COUNT(*) FILTER (f.days_since_active >= 45),
               COALESCE(SUM(f.spend_30d_minor) FILTER (f.days_since_active IS NOT NULL), 0)::DOUBLE
        FROM features f {join}
        WHERE f.as_of <= $now GROUP BY f.as_of ORDER BY f.as_of
        """,
        params,
    )
    known = [
        (datetime.fromtimestamp(at / 1e6, now.tzinfo), {"known": k, "at_risk": r, "spend": s})
        for at, k, r, s in rows
    ]
    if not known:
        return {}
    older = [values for at, values in known if at <= before]
    spark = [{"day": at.date().isoformat(), **values} for at, values in known[-14:]]
    return {"now": known[-1][1], "before": older[-1] if older else None, "spark": spark}


def choices(connection: Connection, bank: bool) -> dict[str, list[dict[str, str]]]:
    """What the page can be filtered by."""
    if bank:
        return {"offers": [], "channels": [], "segments": []}
    offers = [
        r[0]
        for r in fetch(
            connection, "SELECT DISTINCT offer_id FROM messages WHERE offer_id IS NOT NULL ORDER BY 1"
        )
    ]
    segments = [
        r[0]
        for r in fetch(
            connection, "SELECT DISTINCT segment FROM customers WHERE segment IS NOT NULL ORDER BY 1"
        )
    ]
    return {
        "offers": [{"id": o, "name": o.replace("-", " ").capitalize()} for o in offers],
        "channels": [{"id": c, "name": CHANNEL_LABELS[c]} for c in CHANNELS],
        "segments": [{"id": s, "name": s.capitalize()} for s in segments],
    }


def funnel(connection: Connection, start: datetime, end: datetime, bank: bool) -> dict[str, Any]:
    """Customers step by step; a customer counts in a step when one of their messages got so far."""
    rows = fetch(
        connection,
        """
        SELECT held_out, COUNT(DISTINCT customer_id), COUNT(DISTINCT customer_id) FILTER (delivered),
               COUNT(DISTINCT customer_id) FILTER (delivered AND (opened OR clicked)),
               COUNT(DISTINCT customer_id) FILTER (delivered AND clicked),
               COUNT(DISTINCT customer_id) FILTER (converted)
        FROM msg WHERE sent_at >= $start AND sent_at <= $end GROUP BY held_out
        """,
        {"start": start, "end": end},
    )
    arms = {row[0]: row[1:] for row in rows}
    treated, held = arms.get(False, (0,) * 5), arms.get(True, (0,) * 5)
    named = [
        ("reached", "Sent to", 0),
        ("delivered", "Delivered", 1),
        ("opened", "Opened", 2),
        ("clicked", "Clicked", 3),
        ("converted", "Converted", 4),
    ]
    if bank:
        named = [("reached", "Contacted", 0), ("converted", "Converted", 4)]
    counts = [treated[i] for _, _, i in named]
    kept = [b / a if a else 1.0 for a, b in itertools.pairwise(counts)]
    worst = kept.index(min(kept)) + 1 if counts[0] and kept else -1
    steps = [
        {
            "id": id,
            "label": label,
            "count": treated[i],
            "share": treated[i] / treated[0] if treated[0] else 0.0,
            "holdout_share": held[4] / held[0] if id == "converted" and held[0] >= 10 else None,
            "worst": position == worst,
        }
        for position, (id, label, i) in enumerate(named)
    ]
    note = (
        "Treated customers; the thin line marks the holdout, which gets no message."
        if not bank
        else "Customers contacted in these days."
    )
    return {"steps": steps, "note": note}


def cohorts(
    connection: Connection, model: SemanticModel, last_day: date, end: datetime, bank: bool
) -> dict[str, Any]:
    """Customers by the week of their first message: the share that spends in each week after."""
    title = "Weekly cohorts: share still spending"
    columns = [f"W{i}" for i in range(COHORT_WEEKS)]
    if bank:
        return {"title": title, "columns": columns, "rows": []}
    first_week = last_day - timedelta(days=last_day.weekday() + 7 * (COHORT_WEEKS - 1))
    rows = fetch(
        connection,
        f"""
        WITH first AS (
            SELECT customer_id, CAST(DATE_TRUNC('week', MIN(day)) AS DATE) AS week FROM msg WHERE NOT held_out
            GROUP BY customer_id HAVING week >= $first_week
        ), spending AS (
            SELECT DISTINCT customer_id,
                   CAST(DATE_TRUNC('week', TIMEZONE('{model.zone}', occurred_at)) AS DATE) AS week
            FROM events WHERE kind = 'transaction' AND occurred_at >= $since AND occurred_at <= $end
        )
        SELECT f.week, -1, COUNT(*) FROM first f GROUP BY f.week
        UNION ALL
        SELECT f.week, DATE_DIFF('day', f.week, s.week) // 7, COUNT(*)
        FROM first f JOIN spending s USING (customer_id)
        WHERE s.week >= f.week GROUP BY ALL
        """,
        {"first_week": first_week, "since": end - timedelta(days=7 * COHORT_WEEKS + 8), "end": end},
    )
    cells = {(week, offset): count for week, offset, count in rows}
    last_week = last_day - timedelta(days=last_day.weekday())
    out = []
    for week in sorted({week for week, offset in cells if offset == -1}):
        size = cells[(week, -1)]
        if size < model.minimum_group:
            continue
        weeks = (last_week - week).days // 7 + 1
        values = [cells.get((week, i), 0) / size if i < weeks else None for i in range(COHORT_WEEKS)]
        out.append({"cohort": f"{week:%d %b}", "size": size, "values": values})
    return {"title": title, "columns": columns, "rows": out}


def heatmap(connection: Connection, start: datetime, end: datetime, bank: bool) -> dict[str, Any]:
    """Rate by weekday and hour in the customers' zones; cells under ten cases stay empty."""
    hit, base = ("converted", "sent") if bank else ("clicked", "delivered")
    rows = fetch(
        connection,
        f"""
        SELECT local_weekday, local_hour, COUNT(*) FILTER ({base}),
               COUNT(*) FILTER ({hit} AND {base}), COUNT(DISTINCT customer_id)
        FROM msg WHERE NOT held_out AND sent_at >= $start AND sent_at <= $end AND local_weekday IS NOT NULL
        GROUP BY ALL
        """,
        {"start": start, "end": end},
    )
    values: list[list[float | None]] = [[None] * 24 for _ in WEEKDAYS]
    counts = [[0] * 24 for _ in WEEKDAYS]
    for weekday, hour, cases, hits, customers in rows:
        counts[weekday][hour] = cases
        values[weekday][hour] = hits / cases if cases and customers >= 10 else None
    metric = "conversion_rate" if bank else "ctr"
    title = "Conversion rate by weekday and hour" if bank else "Click-through rate by weekday and hour sent"
    return {
        "title": title,
        "metric": metric,
        "rows": WEEKDAYS,
        "columns": list(range(24)),
        "values": values,
        "counts": counts,
    }


_TILES = {
    "reach": ("sent", "Sent a message"),
    "contacts": ("sent", "Contacted"),
    "delivered": ("delivered", "Message delivered"),
    "open_rate": ("opened", "Opened"),
    "ctr": ("clicked", "Clicked"),
    "conversion_rate": ("converted", "Converted"),
    "conversions": ("converted", "Converted"),
    "incremental_revenue": ("converted", "Converted"),
    "opt_out_rate": ("unsubscribed", "Opted out"),
}


def people(
    connection: Connection,
    model: SemanticModel,
    tile: str,
    start: datetime,
    end: datetime,
    segment: str | None,
    limit: int,
) -> dict[str, Any]:
    """Pseudonymous customers behind a tile."""
    # the bank-marketing file knows no region; its jobs are its segments
    picked = "c.segment, c.region, c.age_band" if model.kind == "demo-bank" else "c.job, '', c.age_band"
    if tile in _TILES:
        flag, what = _TILES[tile]
        base = f"""SELECT customer_id, MAX(sent_at) AS at FROM msg
            WHERE {flag} AND NOT held_out AND sent_at >= $start AND sent_at <= $end
            GROUP BY customer_id"""
        params: dict[str, Any] = {"start": start, "end": end}
    elif tile in ("churn_risk", "yearly_spend") and model.kind == "demo-bank":
        what = "Quiet for 45 days or more" if tile == "churn_risk" else "Customer"
        narrowed = (
            " AND customer_id IN (SELECT customer_id FROM customers WHERE segment = $segment)"
            if segment
            else ""
        )
        quiet = "AND days_since_active >= 45" if tile == "churn_risk" else ""
        base = f"""SELECT customer_id, as_of AS at FROM features
            WHERE as_of = (SELECT MAX(as_of) FROM features WHERE as_of <= $end) {quiet}{narrowed}"""
        params = {"end": end, **({"segment": segment} if segment else {})}
    else:
        raise InvalidInput("tile", tile, f"Use one of {', '.join([*_TILES, 'churn_risk', 'yearly_spend'])}.")
    rows = fetch(
        connection,
        f"""
        WITH behind AS ({base})
        SELECT b.customer_id, {picked}, epoch_us(b.at), COUNT(*) OVER () FROM behind b
        JOIN customers c USING (customer_id) ORDER BY b.at DESC, b.customer_id LIMIT $limit
        """,
        {**params, "limit": min(max(limit, 1), 500)},
    )
    zone = start.tzinfo
    items = [
        {
            "id": r[0],
            "segment": r[1],
            "region": r[2],
            "age_band": r[3],
            "what": what,
            "at": datetime.fromtimestamp(r[4] / 1e6, zone).isoformat(),
        }
        for r in rows
    ]
    return {"total": rows[0][5] if rows else 0, "items": items}
