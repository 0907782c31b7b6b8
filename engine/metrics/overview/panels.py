"""Funnel, cohorts and heatmap of the Overview, read from what `scan.prepare` has made."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any

from smart_reach.engine.metrics.execute import Connection, fetch
from smart_reach.engine.metrics.model import SemanticModel

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
COHORT_WEEKS = 8


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
        weeks = (last_week - week).days // 7  # the current week is not over: it has no share yet
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
