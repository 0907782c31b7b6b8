"""The messages that the page is about, and the counts that its tiles are made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from smart_reach.engine.catalog.words import CHANNEL_LABELS, CHANNELS
from smart_reach.engine.errors import Unanswerable
from smart_reach.engine.metrics.execute import Connection, EventSpan, fetch, moment, rolled_up, span_of_events
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview.counts import Arm, Bought, Day, Purchases, Totals
from smart_reach.engine.metrics.overview.filters import OverviewFilters, Span

_QUARTER = 900_000_000  # microseconds: every zone's midnight is at a whole quarter of an hour
PICKED = """SELECT m.customer_id, m.sent_at, m.held_out, m.sent, m.delivered, m.{opened} AS opened,
       m.{clicked} AS clicked, m.opened AS opened_by_people, m.clicked AS clicked_by_people,
       m.opened_raw, m.clicked_raw, m.converted, m.unsubscribed, m.complained, m.bounced,
       m.revenue_minor, m.local_hour, m.local_weekday
FROM messages m {join}
WHERE (m.sent OR m.held_out) AND m.sent_at <= $until {conditions}"""
_CONTACTS = """
SELECT e.customer_id, MAX(occurred_at) FILTER (WHERE kind = 'contact') AS sent_at,
       false AS held_out, true AS sent, true AS delivered, false AS opened, false AS clicked,
       false AS opened_by_people, false AS clicked_by_people, false AS opened_raw, false AS clicked_raw,
       BOOL_OR(kind = 'conversion') AS converted, false AS unsubscribed, false AS complained,
       false AS bounced, 0 AS revenue_minor,
       ARG_MAX(local_hour, occurred_at) FILTER (WHERE kind = 'contact') AS local_hour,
       ARG_MAX(local_weekday, occurred_at) FILTER (WHERE kind = 'contact') AS local_weekday
FROM events e WHERE e.occurred_at <= $until GROUP BY e.customer_id HAVING sent_at IS NOT NULL"""


@dataclass(frozen=True)
class Messages:
    """One row a message (or a contact), filtered: `{msg}` in a query stands for it."""

    connection: Connection
    relation: str
    params: dict[str, Any] = field(default_factory=dict)
    firsts: str = (
        "SELECT customer_id, MIN(sent_at) AS first_at FROM {msg} WHERE NOT held_out GROUP BY customer_id"
    )
    limit_s: float = 20.0

    def fetch(self, query: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Rows of a query over `{msg}`."""
        own = self.params if "{msg}" in query else {}
        bound = {**own, **(params or {})}
        return fetch(self.connection, query.replace("{msg}", self.relation), bound, limit_s=self.limit_s)


def prepare(
    connection: Connection, model: SemanticModel, filters: OverviewFilters, end: datetime
) -> Messages:
    """The page's messages: read from the rollup each time, or put into a table where there is none."""
    params: dict[str, Any] = {"until": end}
    if model.kind == "bank-marketing":
        select = _CONTACTS
    else:
        conditions = ""
        for column in ("m.offer_id", "m.channel", "c.segment"):
            name = column[2:].removesuffix("_id")
            if value := getattr(filters, name):
                params[name] = value
                conditions += f" AND {column} = ${name}"
        raw = "_raw" if filters.raw else ""
        join = "JOIN customers c ON m.customer_id = c.customer_id" if filters.segment else ""
        select = PICKED.format(
            opened=f"opened{raw}", clicked=f"clicked{raw}", join=join, conditions=conditions
        )
        if rolled_up(connection):
            messages = Messages(connection, f"({select}) AS msg", params)
            narrowed = filters.offer or filters.channel or filters.segment
            return messages if narrowed or not _has(connection, "first_messages") else _with_firsts(messages)
    fetch(connection, f"CREATE TEMP TABLE msg AS {select}", params)
    return Messages(connection, "msg")


def _has(connection: Connection, view: str) -> bool:
    query = "SELECT 1 FROM duckdb_views() WHERE view_name = $view"
    return bool(fetch(connection, query, {"view": view}))


def _with_firsts(messages: Messages) -> Messages:
    return replace(messages, firsts="SELECT customer_id, first_at FROM first_messages WHERE first_at <= $end")


def daily(messages: Messages, zone: str, since: datetime) -> list[Day]:
    """Counts by local day from `since`, oldest first."""
    rows = messages.fetch(
        f"""
        SELECT CAST(TIMEZONE('{zone}', make_timestamptz(quarter * {_QUARTER})) AS DATE) AS day,
               SUM(sent), SUM(delivered), SUM(opened), SUM(clicked), SUM(converted), SUM(unsubscribed),
               SUM(complained), SUM(bounced), SUM(revenue), SUM(held), SUM(held_converted), SUM(held_revenue)
        FROM (
            SELECT epoch_us(sent_at) // {_QUARTER} AS quarter,
                   COUNT(*) FILTER (sent AND NOT held_out) AS sent,
                   COUNT(*) FILTER (delivered AND NOT held_out) AS delivered,
                   COUNT(*) FILTER (opened AND NOT held_out) AS opened,
                   COUNT(*) FILTER (clicked AND NOT held_out) AS clicked,
                   COUNT(*) FILTER (converted AND NOT held_out) AS converted,
                   COUNT(*) FILTER (unsubscribed AND NOT held_out) AS unsubscribed,
                   COUNT(*) FILTER (complained AND NOT held_out) AS complained,
                   COUNT(*) FILTER (bounced AND NOT held_out) AS bounced,
                   COALESCE(SUM(revenue_minor) FILTER (NOT held_out), 0) AS revenue,
                   COUNT(*) FILTER (held_out) AS held,
                   COUNT(*) FILTER (converted AND held_out) AS held_converted,
                   COALESCE(SUM(revenue_minor) FILTER (held_out), 0) AS held_revenue
            FROM {{msg}} WHERE sent_at >= $since GROUP BY quarter
        ) GROUP BY day ORDER BY day
        """,
        {"since": since},
    )
    return [Day(day, *(int(count) for count in counts)) for day, *counts in rows]


def reach_by_day(messages: Messages, zone: str, span: Span) -> dict[Any, int]:
    """Different customers reached on each shown local day."""
    rows = messages.fetch(
        f"""
        SELECT day, COUNT(*) FROM (
            SELECT DISTINCT CAST(TIMEZONE('{zone}', sent_at) AS DATE) AS day, customer_id
            FROM {{msg}} WHERE NOT held_out AND sent_at >= $start AND sent_at <= $end
        ) GROUP BY day
        """,
        span.bounds,
    )
    return {day: int(count) for day, count in rows}


def totals(messages: Messages, span: Span) -> Totals:
    """Both arms, now and in the stretch of the same length before."""
    start, end, length = span.start, span.end, span.length
    rows = messages.fetch(
        """
        SELECT sent_at >= $start AS now, held_out, COUNT(*), COUNT(DISTINCT customer_id),
               COUNT(*) FILTER (delivered),
               COUNT(*) FILTER (opened), COUNT(*) FILTER (clicked), COUNT(*) FILTER (converted),
               COUNT(*) FILTER (unsubscribed), COUNT(*) FILTER (complained), COUNT(*) FILTER (bounced),
               COUNT(*) FILTER (opened_by_people), COUNT(*) FILTER (clicked_by_people),
               COUNT(*) FILTER (opened_raw), COUNT(*) FILTER (clicked_raw),
               SUM(revenue_minor)::DOUBLE, SUM(revenue_minor::DOUBLE * revenue_minor)
        FROM {msg}
        WHERE sent_at >= $start_before AND sent_at <= $end
          AND (sent_at >= $start OR sent_at <= $end_before)
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


def purchases(
    connection: Connection, model: SemanticModel, filters: OverviewFilters, span: Span
) -> Purchases:
    """Transactions now, in the stretch before, and by local day; by segment, if one is chosen."""
    params: dict[str, Any] = {
        "start": span.start,
        "end": span.end,
        "start_before": span.start - span.length,
        "end_before": span.end - span.length,
    }
    join = ""
    if filters.segment:
        params["segment"] = filters.segment
        join = "JOIN customers c ON c.customer_id = e.customer_id AND c.segment = $segment"
    rows = fetch(
        connection,
        f"""
        WITH bought AS (
            SELECT e.customer_id, e.amount_minor, e.occurred_at >= $start AS now,
                   CAST(TIMEZONE('{model.zone}', e.occurred_at) AS DATE) AS day
            FROM events e {join}
            WHERE {model.sources["transactions"].where}
              AND e.occurred_at >= $start_before AND e.occurred_at <= $end
              AND (e.occurred_at >= $start OR e.occurred_at <= $end_before)
        )
        SELECT now, day, COUNT(DISTINCT customer_id), COUNT(*), COALESCE(SUM(amount_minor), 0)::BIGINT
        FROM bought GROUP BY GROUPING SETS ((now), (now, day))
        """,
        params,
    )
    whole = {now: Bought(*rest) for now, day, *rest in rows if day is None}
    days = {day: Bought(*rest) for now, day, *rest in rows if day is not None and now}
    return Purchases(whole.get(True, Bought()), whole.get(False, Bought()), days)


def newest(connection: Connection, now: datetime | None) -> EventSpan:
    """The span of the events up to `now` (None: of all): the future is not counted."""
    span = span_of_events(connection)
    if now is None or span.newest is None or span.newest <= now:
        return span
    query = "SELECT epoch_us(MAX(occurred_at)) FROM events WHERE occurred_at <= $now"
    return replace(span, newest=moment(fetch(connection, query, {"now": now})[0][0]))


def choices(connection: Connection, model: SemanticModel) -> dict[str, list[dict[str, str]]]:
    """What the page can be filtered by."""
    if model.kind == "bank-marketing":
        return {"offers": [], "channels": [], "segments": []}
    offers = _distinct(connection, "messages", "offer_id")
    segments = _distinct(connection, "customers", "segment")
    channels: tuple[str, ...] | list[str] = CHANNELS
    if model.kind != "demo-bank":
        channels = [c for c in CHANNELS if c in set(_distinct(connection, "messages", "channel"))]
    return {
        "offers": [{"id": o, "name": o.replace("-", " ").replace("_", " ").capitalize()} for o in offers],
        "channels": [{"id": c, "name": CHANNEL_LABELS[c]} for c in channels],
        "segments": [{"id": s, "name": s.capitalize()} for s in segments],
    }


def _distinct(connection: Connection, relation: str, column: str) -> list[str]:
    try:
        rows = fetch(
            connection,
            f"SELECT DISTINCT {column} FROM {relation} WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 500",
        )
    except Unanswerable:  # a workspace of one's own may have neither messages nor segments
        return []
    return [str(row[0]) for row in rows]
