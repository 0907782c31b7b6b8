"""Outcomes of a campaign's arms, read from the lake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.learning.judge import ArmOutcome

# The column of the `messages` view behind each metric; machine clicks are already left out there.
METRICS = {"click": "clicked", "open": "opened", "conversion": "converted"}


class Lake(Protocol):
    """As much of the lakehouse as is read here."""

    def connect(self) -> Any: ...


class LakeOutcomes:
    """An `OutcomeReader` over the lake's `messages` view."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def __call__(self, campaign_id: str, metric: str, matured_before: datetime) -> Sequence[ArmOutcome]:
        if metric not in METRICS:
            raise InvalidInput("metric", metric, f"Use one of {', '.join(METRICS)}.")
        # The column comes from the closed list above, never from the caller.
        query = f"""
            SELECT variant_id, count(*), count(*) FILTER (sent_at <= $before),
                   count(*) FILTER (sent_at <= $before AND {METRICS[metric]}),
                   count(*) FILTER (unsubscribed), count(*) FILTER (complained)
            FROM messages
            WHERE campaign_id = $campaign AND sent AND variant_id IS NOT NULL
            GROUP BY variant_id ORDER BY variant_id
        """
        connection = self._lake.connect()
        try:
            rows = connection.execute(query, {"campaign": campaign_id, "before": matured_before}).fetchall()
        finally:
            connection.close()
        return [ArmOutcome(row[0], *map(int, row[1:])) for row in rows]


class LakeEngagement:
    """Counts for delivery's stats: delivered, opened, clicked, converted."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def __call__(self, campaign_id: str) -> dict[str, int]:
        query = """
            SELECT count(*) FILTER (delivered), count(*) FILTER (opened), count(*) FILTER (clicked),
                   count(*) FILTER (converted)
            FROM messages WHERE campaign_id = $campaign AND sent
        """
        connection = self._lake.connect()
        try:
            row = connection.execute(query, {"campaign": campaign_id}).fetchone()
        finally:
            connection.close()
        return dict(zip(("delivered", "opened", "clicked", "converted"), map(int, row), strict=True))
