"""Records as a sender would put them on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def record(number: int, **changes: Any) -> bytes:
    """A transaction, or whatever the changes make of it."""
    body = {
        "type": "transaction",
        "event_id": f"e{number:07d}",
        "occurred_at": (AT + timedelta(milliseconds=number)).isoformat(),
        "customer_id": f"cus_{number % 5000:06d}",
        "amount_minor": number % 10_000 + 1,
        "currency": "EUR",
    }
    return json.dumps(body | changes).encode()
