"""Reading arms' outcomes from the `messages` view."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.learning.judge import ArmOutcome
from smart_reach.engine.learning.outcomes import LakeEngagement, LakeOutcomes

EARLY, LATE = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC)
BEFORE = datetime(2026, 11, 8, tzinfo=UTC)


class Lake:
    """Messages: (campaign, variant, sent_at, sent, clicked, converted, unsubscribed, complained)."""

    rows = (
        ("CMP-1", "v-a", EARLY, True, True, False, False, False),
        ("CMP-1", "v-a", EARLY, True, False, False, True, False),
        ("CMP-1", "v-a", LATE, True, True, True, False, False),
        ("CMP-1", "v-b", EARLY, True, False, False, False, True),
        ("CMP-1", None, EARLY, False, False, True, False, False),  # held out
        ("CMP-2", "v-a", EARLY, True, True, True, True, True),
    )

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        connection.execute(
            "CREATE TABLE messages (campaign_id text, variant_id text, sent_at timestamptz, sent bool,"
            " clicked bool, converted bool, unsubscribed bool, complained bool)"
        )
        connection.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(self.rows))
        connection.execute("ALTER TABLE messages ADD COLUMN opened bool DEFAULT false")
        connection.execute("ALTER TABLE messages ADD COLUMN delivered bool DEFAULT true")
        return connection


def test_only_matured_exposures_answer() -> None:
    assert list(LakeOutcomes(Lake())("CMP-1", "click", BEFORE)) == [
        ArmOutcome("v-a", 3, 2, 1, 1, 0),
        ArmOutcome("v-b", 1, 1, 0, 0, 1),
    ]
    assert LakeOutcomes(Lake())("CMP-1", "conversion", LATE)[0] == ArmOutcome("v-a", 3, 3, 1, 1, 0)
    assert list(LakeOutcomes(Lake())("CMP-9", "click", BEFORE)) == []


def test_the_metric_is_one_of_a_closed_list() -> None:
    with pytest.raises(InvalidInput):
        LakeOutcomes(Lake())("CMP-1", "clicked); DROP TABLE messages", BEFORE)


def test_engagement_counts_sent_messages() -> None:
    assert LakeEngagement(Lake())("CMP-1") == {"delivered": 4, "opened": 0, "clicked": 2, "converted": 1}
    assert LakeEngagement(Lake())("CMP-9") == {"delivered": 0, "opened": 0, "clicked": 0, "converted": 0}
