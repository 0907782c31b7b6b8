"""One scan of the messages into a temporary table, and the figures that the tiles are made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from smart_reach.engine.catalog.words import CHANNEL_LABELS, CHANNELS
from smart_reach.engine.metrics.execute import Connection, fetch
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview.tiles import Arm, Day, Totals

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


def daily(connection: Connection) -> list[Day]:
    """Counts by local day, oldest first."""
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
