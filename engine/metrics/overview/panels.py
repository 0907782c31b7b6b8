"""Funnel, cohorts and heatmap of the Overview, read from the page's messages."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any

from smart_reach.engine.metrics.compile import bounds
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview.filters import Span
from smart_reach.engine.metrics.overview.scan import Messages
from smart_reach.engine.metrics.spec import Period

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
COHORT_WEEKS = 8
HEAT_DAYS = 28
_STEPS = (
    ("reached", "Sent to"),
    ("delivered", "Delivered"),
    ("opened", "Opened"),
    ("clicked", "Clicked"),
    ("converted", "Converted"),
)


def funnel(messages: Messages, span: Span, bank: bool) -> dict[str, Any]:
    """Customers step by step; a customer counts in a step when one of their messages got so far."""
    # one row a customer first: counting distinct customers five times is five times the work
    rows = messages.fetch(
        """
        SELECT held_out, COUNT(*), COUNT(*) FILTER (delivered), COUNT(*) FILTER (opened),
               COUNT(*) FILTER (clicked), COUNT(*) FILTER (converted)
        FROM (
            SELECT held_out, customer_id, BOOL_OR(delivered) AS delivered,
                   BOOL_OR(delivered AND (opened OR clicked)) AS opened,
                   BOOL_OR(delivered AND clicked) AS clicked, BOOL_OR(converted) AS converted
            FROM {msg} WHERE sent_at >= $start AND sent_at <= $end GROUP BY held_out, customer_id
        ) GROUP BY held_out
        """,
        span.bounds,
    )
    arms = {row[0]: row[1:] for row in rows}
    treated, held = arms.get(False, (0,) * 5), arms.get(True, (0,) * 5)
    if not treated[0] and not held[0]:
        return {"steps": [], "note": "Nobody was sent a message in these days."}
    shown = [0, 4] if bank else [0, 1, 2, 3, 4]
    kept = [treated[b] / treated[a] if treated[a] else 1.0 for a, b in itertools.pairwise(shown)]
    worst = shown[kept.index(min(kept)) + 1] if treated[0] else -1
    control = held[4] / held[0] if held[0] >= 10 else None
    return {"steps": [_step(i, treated, control, i == worst, bank) for i in shown], "note": _note(held, bank)}


def _step(i: int, treated: tuple[int, ...], control: float | None, worst: bool, bank: bool) -> dict[str, Any]:
    id, label = _STEPS[i]
    return {
        "id": id,
        "label": "Contacted" if bank and i == 0 else label,
        "count": treated[i],
        "share": treated[i] / treated[0] if treated[0] else 0.0,
        "holdout_share": control if id == "converted" else None,
        "worst": worst,
    }


def _note(held: tuple[int, ...], bank: bool) -> str:
    if bank:
        return "Customers contacted in these days."
    if not held[0]:
        return "Customers who were sent a message; no holdout was kept back."
    return "Treated customers; the thin line marks the holdout, which gets no message."


def cohorts(
    messages: Messages, model: SemanticModel, last_day: date, end: datetime, *, bought: bool
) -> dict[str, Any]:
    """Customers by the week of their first message: the share that spends in each week after.

    `bought`: by the week of their first purchase instead, for a workspace without messages.
    """
    columns = [f"W{i}" for i in range(COHORT_WEEKS)]
    title = f"Weekly cohorts: share {'buying' if bought else 'still spending'}"
    empty = {"title": title, "columns": columns, "rows": [], "trend": None}
    if model.kind == "bank-marketing":
        return empty
    first_week = last_day - timedelta(days=last_day.weekday() + 7 * (COHORT_WEEKS - 1))
    cells = _cells(messages, model, first_week, end, bought)
    last_week = last_day - timedelta(days=last_day.weekday())
    out = []
    for week in sorted({week for week, offset in cells if offset == -1}):
        size = cells[(week, -1)]
        if size < model.minimum_group:
            continue
        weeks = (last_week - week).days // 7  # the current week is not over: it has no share yet
        values = [cells.get((week, i), 0) / size if i < weeks else None for i in range(COHORT_WEEKS)]
        out.append({"cohort": f"{week:%d %b}", "size": size, "values": values})
    return {**empty, "rows": out, "trend": _trend(out)}


def _cells(
    messages: Messages, model: SemanticModel, first_week: date, end: datetime, bought: bool
) -> dict[tuple[date, int], int]:
    """Customers by cohort week and weeks since (−1: all of the cohort)."""
    weeks = [first_week + timedelta(weeks=i) for i in range(COHORT_WEEKS)]
    params = {f"week{i}": bounds(Period(week, week), model.zone)[0] for i, week in enumerate(weeks)}
    since, first = (
        [f"COUNT(*) FILTER ((weeks >> (week + {i})) & 1 = 1)" for i in range(COHORT_WEEKS)],
        (
            "SELECT customer_id, MIN(occurred_at) AS first_at FROM events WHERE kind = 'transaction'"
            " AND occurred_at <= $end GROUP BY customer_id"
            if bought
            else messages.firsts
        ),
    )
    rows = messages.fetch(
        f"""
        WITH cohort AS (
            SELECT customer_id, {_week("first_at")} AS week FROM ({first}) WHERE first_at >= $week0
        ), spending AS (
            SELECT customer_id, BIT_OR(1 << {_week("occurred_at")}) AS weeks FROM events
            WHERE kind = 'transaction' AND occurred_at >= $week0 AND occurred_at <= $end GROUP BY customer_id
        )
        SELECT week, COUNT(*), {", ".join(since)}
        FROM cohort LEFT JOIN spending USING (customer_id) GROUP BY week
        """,
        {**params, "end": end},
    )
    return {(weeks[week], offset - 1): count for week, *counts in rows for offset, count in enumerate(counts)}


def _week(at: str) -> str:
    """The number of the week that a time falls into: comparing instants is cheaper than asking a calendar."""
    return "(" + " + ".join(f"({at} >= $week{i})::INTEGER" for i in range(1, COHORT_WEEKS)) + ")"


def _trend(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How cohort after cohort does at the same age: what a change in the product moves."""
    if len(rows) < 3:
        return None
    lines = [
        {"name": f"After {age} week{'s' if age > 1 else ''}", "values": [row["values"][age] for row in rows]}
        for age in (1, 2, 4)
    ]
    return {
        "cohorts": [row["cohort"] for row in rows],
        "series": [line for line in lines if sum(v is not None for v in line["values"]) > 1],
    }


def heatmap(messages: Messages, span: Span, bank: bool) -> dict[str, Any]:
    """Rate by weekday and hour in the customers' zones; cells under ten cases stay empty."""
    hit, base = ("converted", "sent") if bank else ("clicked", "delivered")
    rows = messages.fetch(
        f"""
        SELECT local_weekday, local_hour, COUNT(*) FILTER ({base}),
               COUNT(*) FILTER ({hit} AND {base}), COUNT(DISTINCT customer_id)
        FROM {{msg}} WHERE NOT held_out AND sent_at >= $start AND sent_at <= $end
          AND local_weekday IS NOT NULL
        GROUP BY ALL
        """,
        {"start": span.end - max(span.length, timedelta(days=HEAT_DAYS)), "end": span.end},
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
        "values": values if rows else [],
        "counts": counts if rows else [],
    }
