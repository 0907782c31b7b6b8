"""The customers behind a figure of the page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from smart_reach.engine.errors import InvalidInput, Unanswerable
from smart_reach.engine.metrics.execute import fetch
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.overview.filters import Span
from smart_reach.engine.metrics.overview.scan import Messages

_TILES = {
    "reach": ("sent", "Sent a message"),
    "sends": ("sent", "Sent a message"),
    "contacts": ("sent", "Contacted"),
    "delivered": ("delivered", "Message delivered"),
    "opens": ("opened", "Opened"),
    "open_rate": ("opened", "Opened"),
    "clicks": ("clicked", "Clicked"),
    "ctr": ("clicked", "Clicked"),
    "conversions": ("converted", "Converted"),
    "conversion_rate": ("converted", "Converted"),
    "revenue": ("converted", "Converted"),
    "incremental_revenue": ("converted", "Converted"),
    "opt_outs": ("unsubscribed", "Opted out"),
    "opt_out_rate": ("unsubscribed", "Opted out"),
    "complaints": ("complained", "Complained"),
    "bounces": ("bounced", "Message bounced"),
}
_BUYERS = ("active_customers", "transactions", "spend")
_FEATURES = ("churn_risk", "yearly_spend")


def people(
    messages: Messages, model: SemanticModel, tile: str, span: Span, segment: str | None, limit: int
) -> dict[str, Any]:
    """Pseudonymous customers behind a figure, the newest first."""
    base, what, params = _base(model, tile, span, segment)
    rows = _rows(messages, base, _picked(messages, model), {**params, "limit": min(max(limit, 1), 500)})
    zone = span.start.tzinfo
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


def _base(
    model: SemanticModel, tile: str, span: Span, segment: str | None
) -> tuple[str, str, dict[str, Any]]:
    """SELECT of customer_id and at, what they did, and the parameters."""
    among = (
        " AND customer_id IN (SELECT customer_id FROM customers WHERE segment = $segment)" if segment else ""
    )
    if tile in _TILES:
        flag, what = _TILES[tile]
        select = f"""SELECT customer_id, MAX(sent_at) AS at FROM {{msg}}
            WHERE {flag} AND NOT held_out AND sent_at >= $start AND sent_at <= $end GROUP BY customer_id"""
        return select, what, dict(span.bounds)
    chosen = {"segment": segment} if segment else {}
    if tile in _FEATURES and model.kind != "bank-marketing":
        quiet = "AND days_since_active >= 45" if tile == "churn_risk" else ""
        select = f"""SELECT customer_id, as_of AS at FROM features
            WHERE as_of = (SELECT MAX(as_of) FROM features WHERE as_of <= $end) {quiet}{among}"""
        what = "Quiet for 45 days or more" if quiet else "Customer"
        return select, what, {"end": span.end + timedelta(microseconds=1), **chosen}  # as the page does
    if tile in _BUYERS and model.kind != "bank-marketing":
        select = f"""SELECT customer_id, MAX(occurred_at) AS at FROM events e
            WHERE {model.sources["transactions"].where}
            AND occurred_at >= $start AND occurred_at <= $end{among} GROUP BY customer_id"""
        return select, "Bought", {**span.bounds, **chosen}
    raise InvalidInput("tile", tile, f"Use one of {', '.join([*_TILES, *_FEATURES, *_BUYERS])}.")


def _picked(messages: Messages, model: SemanticModel) -> str | None:
    """Columns that describe a customer; None where there are no records of customers."""
    rows = fetch(
        messages.connection,
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'customers'",
    )
    known = {row[0] for row in rows}
    if not known:
        return None
    # the bank-marketing file knows no region; its jobs are its segments
    wanted = ("job", "", "age_band") if model.kind == "bank-marketing" else ("segment", "region", "age_band")
    return ", ".join(f"c.{name}" if name in known else "''" for name in wanted)


def _rows(messages: Messages, base: str, picked: str | None, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    join = "" if picked is None else "LEFT JOIN customers c USING (customer_id)"
    try:
        return messages.fetch(
            f"""
            WITH behind AS ({base})
            SELECT b.customer_id, {picked or "'', '', ''"}, epoch_us(b.at), COUNT(*) OVER ()
            FROM behind b {join} ORDER BY b.at DESC, b.customer_id LIMIT $limit
            """,
            params,
        )
    except Unanswerable:
        return []
