"""The customers behind a tile, read from what `scan.prepare` has made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.execute import Connection, fetch
from smart_reach.engine.metrics.model import SemanticModel

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
