"""Events reach the lake exactly once, whatever dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from smart_reach.engine.catalog.tables import Customer
from smart_reach.engine.delivery.pending import add_event, event_id_of, flush_events, flush_to_lake
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Died(Exception):
    pass


class Lake:
    """Remembers events; dies before or after a write when told so."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.die = ""

    def write(self, rows: Sequence[dict[str, Any]], *, fresh: bool) -> int:
        if self.die == "before":
            raise Died
        known = set() if fresh else {row["event_id"] for row in self.rows}
        new = [row for row in rows if row["event_id"] not in known]
        self.rows.extend(new)
        if self.die == "after":
            raise Died
        return len(new)


def queue(workspace: Workspace, *message_ids: str) -> None:
    with transaction(workspace.db) as session:
        for message_id in message_ids:
            add_event(
                session,
                {"event_id": event_id_of(message_id, "sent"), "customer_id": "c", "kind": "sent",
                 "occurred_at": AT, "message_id": message_id, "source": "test"},
            )  # fmt: skip


def test_a_repeated_event_is_one_event_with_its_time(workspace: Workspace) -> None:
    lake = Lake()
    queue(workspace, "m1", "m2", "m1")
    assert flush_events(workspace.db, lake.write) == 2
    assert flush_events(workspace.db, lake.write) == 0
    queue(workspace, "m2", "m3")
    assert flush_events(workspace.db, lake.write) == 1
    assert [row["message_id"] for row in lake.rows] == ["m1", "m2", "m3"]
    assert {row["occurred_at"] for row in lake.rows} == {AT}


def open_events(workspace: Workspace) -> int:
    with workspace.db.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM pending_events WHERE NOT written")) or 0)


def test_events_reach_the_real_lake_with_the_customers_own_hour(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        session.add(Customer(id="c", zone="Atlantic/Azores"))
    queue(workspace, "m1", "m2")
    assert flush_to_lake(workspace) == 2
    with workspace.db.begin() as connection:  # as after a crash between write and close
        connection.execute(text("UPDATE pending_events SET written = false"))
    assert flush_to_lake(workspace) == 0
    connection = workspace.lake.connect()
    try:
        rows = connection.execute("SELECT sent, local_hour, local_weekday FROM messages").fetchall()
    finally:
        connection.close()
    assert rows == [(True, 11, 4), (True, 11, 4)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["", "before", "after"])), max_size=8))
def test_crashes_neither_lose_nor_double(workspace: Workspace, story: list[tuple[int, str]]) -> None:
    with workspace.db.begin() as connection:
        connection.execute(text("DELETE FROM pending_events"))
    lake, number = Lake(), 0
    for count, death in story:
        queue(workspace, *(f"m{number + step}" for step in range(count)))
        number += count
        lake.die = death
        if death:
            with pytest.raises(Died):
                flush_events(workspace.db, lake.write, limit=3)
        else:
            flush_events(workspace.db, lake.write, limit=3)
    lake.die = ""
    while flush_events(workspace.db, lake.write) or open_events(workspace):
        pass
    assert sorted(row["message_id"] for row in lake.rows) == sorted(f"m{n}" for n in range(number))
