"""Contract, machine filter and duplicates of the event writer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contract import KINDS, Event, check_events, events_table
from smart_reach.engine.events.machine import FAST_SECONDS, Earlier, judge
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA
from smart_reach.engine.workspace import Workspace

ADDED = ("user_agent", "network", "device", "page", "attributes")
AT = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)


def event(name: str, kind: str, seconds: float = 0, message: str | None = "m1") -> Event:
    at = AT + timedelta(seconds=seconds)
    return Event(name, "cus_000001", kind, at, at, "test", message_id=message)


def test_handing_in_twice_writes_once(workspace: Workspace) -> None:
    rows = [event("a", "sent"), event("b", "delivered", 1)]
    writer = EventWriter(workspace.lake)
    assert writer.write(rows) == 2
    assert writer.write(rows) == 0
    assert EventWriter(workspace.lake).write([*rows, event("c", "open", 400)]) == 1
    assert writer.write([event("d", "click", 500), event("d", "click", 500)]) == 1
    with workspace.lake.connect() as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT event_id) FROM events").fetchone() == (
            4,
            4,
        )


def test_a_scanner_is_seen_across_batches_and_kept_beside_the_event(workspace: Workspace) -> None:
    EventWriter(workspace.lake).write([event("s", "sent"), event("d", "delivered", 2)])
    EventWriter(workspace.lake).write([event("x", "click", 4), event("y", "click", 300)])
    with workspace.lake.connect() as connection:
        rows = connection.execute(
            "SELECT event_id, machine, machine_signals FROM events WHERE kind = 'click' ORDER BY 1"
        ).fetchall()
        clicked = connection.execute("SELECT clicked, clicked_raw FROM messages").fetchone()
    assert rows == [("x", True, "seconds-after-delivery"), ("y", False, None)]
    assert clicked == (True, True)


@pytest.mark.parametrize("fresh", [False, True])
def test_an_open_in_an_earlier_batch_speaks_for_a_click_from_a_cloud(
    workspace: Workspace, fresh: bool
) -> None:
    def clicked(name: str, message: str) -> Event:
        return replace(event(name, "click", 120, message), network="34.70.1.0/24")

    writer = EventWriter(workspace.lake)
    writer.write([event("d1", "delivered"), event("d2", "delivered", 0, "m2")], fresh=fresh)
    writer.write([event("o1", "open", 60)], fresh=fresh)
    # another process reads it from the lake, this one may know by itself
    reader = writer if fresh else EventWriter(workspace.lake)
    reader.write([clicked("c1", "m1"), clicked("c2", "m2")], fresh=fresh)
    with workspace.lake.connect() as connection:
        rows = connection.execute(
            "SELECT event_id, machine, machine_signals FROM events WHERE kind = 'click' ORDER BY 1"
        ).fetchall()
    assert rows == [("c1", False, None), ("c2", True, "cloud-click")]


@given(delay=st.floats(0.01, 3600))
def test_only_quick_clicks_are_machines(delay: float) -> None:
    rows = judge(events_table([event("d", "delivered"), event("c", "click", delay)]), Earlier())
    assert rows["machine"].to_pylist() == [False, round(delay, 6) <= FAST_SECONDS]


def test_a_burst_of_clicks_is_a_machine() -> None:
    rows = judge(
        events_table([event("a", "click", 60), event("b", "click", 60.5), event("c", "click", 90)]), Earlier()
    )
    assert rows["machine"].to_pylist() == [True, True, False]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "opened"}, "event 2, kind"),
        ({"channel": "fax"}, "event 2, channel"),
        ({"event_id": ""}, "event 2, event_id"),
        ({"message_id": None}, "event 2, message_id"),
        ({"local_hour": 24}, "event 2, local_hour"),
        ({"amount_minor": 5}, "event 2, currency"),
        ({"customer_id": None}, "event 2, customer_id"),
        ({"amount_minor": "five"}, "amount_minor"),
        ({"occurred_at": datetime(2026, 1, 1)}, "occurred_at"),  # noqa: DTZ001
    ],
)
def test_a_broken_event_is_named_and_nothing_is_written(
    workspace: Workspace, change: dict[str, object], named: str
) -> None:
    rows = [event("a", "sent"), replace(event("b", "open", 9), **change)]  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        EventWriter(workspace.lake).write(rows)
    assert named in caught.value.field
    assert workspace.lake.snapshot_id("events") is None


@given(kind=st.text(max_size=12).filter(lambda text: text not in KINDS))
def test_no_other_kind_is_an_event(kind: str) -> None:
    with pytest.raises(InvalidInput):
        check_events(events_table([event("a", kind)]))


def test_ids_of_a_table_that_was_dropped_are_forgotten(workspace: Workspace) -> None:
    assert EventWriter(workspace.lake).write([event("a", "sent")]) == 1
    workspace.lake.clear_table("events")
    assert EventWriter(workspace.lake).write([event("a", "sent")]) == 1


def test_a_lake_from_before_a_column_was_added_goes_on(workspace: Workspace) -> None:
    lake = workspace.lake
    old = pa.schema([field for field in EVENT_SCHEMA if field.name not in ADDED])
    lake.clear_table("events")
    lake._tables.create("events", old)
    lake.ensure()
    EventWriter(lake).write([event("a", "sent")])
    (path,) = lake.files("events")
    pq.write_table(pq.read_table(path).drop_columns(list(ADDED)), path)  # as it was written then
    shutil.rmtree(lake.root.parent / "seen-ids")
    assert EventWriter(lake).write([event("a", "sent"), event("b", "sent", 1)]) == 1
    with lake.connect() as connection:
        rows = connection.execute("SELECT event_id, user_agent FROM events ORDER BY 1").fetchall()
    assert rows == [("a", None), ("b", None)]
