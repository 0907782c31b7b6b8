"""The last word on an id that came again: compared with the row that the lake holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.schemas import EVENTS

# What the sender said; the rest is when we received it and what we concluded.
CONTENT = (
    "customer_id", "kind", "occurred_at", "offer_id", "campaign_id", "channel", "variant_id", "message_id",
    "decision_id", "amount_minor", "currency", "user_agent", "network", "device", "page", "attributes",
)  # fmt: skip


def same_content(
    lake: Lakehouse, rows: pa.Table, since: datetime
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each row: does the lake hold its id, received since then, and does it say the same?"""
    stored = _stored(lake, rows, since)
    there, equal = np.zeros(rows.num_rows, bool), np.zeros(rows.num_rows, bool)
    for number, row in enumerate(rows.to_pylist()):
        kept = stored.get(row["event_id"], [])
        there[number] = bool(kept)
        equal[number] = any(_content(row) == _content(other) for other in kept)
    return there, equal


def _stored(lake: Lakehouse, rows: pa.Table, since: datetime) -> Mapping[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    if not lake.files(EVENTS, received_since=since):
        return found
    with lake.connect(tables=(EVENTS,), received_since=since) as connection:
        connection.register("wanted", rows.select(["event_id"]))
        names = ", ".join(("event_id", *CONTENT))
        query = f"SELECT {names} FROM events SEMI JOIN wanted USING (event_id) WHERE received_at >= ?"
        for values in connection.execute(query, [since]).fetchall():
            row = dict(zip(("event_id", *CONTENT), values, strict=True))
            found.setdefault(row["event_id"], []).append(row)
    return found


def _content(row: Mapping[str, Any]) -> tuple[Any, ...]:
    values = (row[name] for name in CONTENT[:-1])
    attributes = row["attributes"]
    return (*values, None if attributes is None else json.loads(attributes))
