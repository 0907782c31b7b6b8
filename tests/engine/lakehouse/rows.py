"""Events for these tests: small, and recognisable by their number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from smart_reach.engine.lakehouse.lake import Lakehouse

START = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)


def event(number: int, kind: str = "sent", **values: Any) -> dict[str, Any]:
    """One event of customer `number`, an hour after the one before."""
    at = START + timedelta(hours=number)
    return {
        "event_id": f"e{number}-{kind}",
        "customer_id": f"cus_{number:06d}",
        "kind": kind,
        "occurred_at": at,
        "received_at": at,
        "machine": False,
        "source": "test",
    } | values


def table(*rows: dict[str, Any]) -> pa.Table:
    """Rows as a table; what a row does not have is null."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def numbered(numbers: Iterable[int], **values: Any) -> pa.Table:
    """A table of events with these numbers."""
    return table(*(event(number, **values) for number in numbers))


def event_ids(lake: Lakehouse, **options: Any) -> list[str]:
    """All event ids, sorted, as a reader sees them."""
    with lake.connect(tables=("events",), **options) as connection:
        return [row[0] for row in connection.execute("SELECT event_id FROM events ORDER BY 1").fetchall()]
