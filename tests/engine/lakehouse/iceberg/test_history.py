"""Time travel, names that keep a snapshot, and which files came since a snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.erase import erase_customer
from smart_reach.engine.lakehouse.iceberg import history
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.maintenance import expire
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.rows import event_ids, numbered


def ids_in(paths: list[str]) -> list[str]:
    return sorted(name for path in paths for name in pq.read_table(path)["event_id"].to_pylist())


def test_every_kept_snapshot_can_be_queried(workspace: Workspace) -> None:
    lake = workspace.lake
    first = lake.append("events", numbered([1, 2]), positions={"kafka": {"0": 2}})
    time.sleep(0.01)
    between = datetime.now(UTC)
    time.sleep(0.01)
    second = lake.append("events", numbered([3]))
    compact_events(lake, many=2)
    assert event_ids(lake, at=first) == ["e1-sent", "e2-sent"]
    assert event_ids(lake, at=second) == event_ids(lake) == ["e1-sent", "e2-sent", "e3-sent"]
    assert event_ids(lake, at=between) == ["e1-sent", "e2-sent"]
    listed = lake.snapshots("events")
    assert [(one.id, one.rows, one.added_rows) for one in listed[:2]] == [(first, 2, 2), (second, 3, 1)]
    assert [one.operation for one in listed] == ["append", "append", "replace"]
    assert listed[0].positions == listed[2].positions == {"kafka": {"0": 2}}
    assert listed[2].files == 1
    assert listed[2].bytes == sum(Path(path).stat().st_size for path in lake.files("events"))
    assert lake.snapshots("customers") == []


def test_what_is_not_kept_is_named(workspace: Workspace) -> None:
    lake = workspace.lake
    with pytest.raises(NotFound, match="no snapshots"):
        lake.connect(at=1) if lake.snapshots("events") else history.find_snapshot(lake.load("events"), 1)
    first = lake.append("events", numbered([1]))
    with pytest.raises(NotFound, match=str(first)):
        lake.connect(at=12345)
    with pytest.raises(NotFound, match=str(first)):
        lake.connect(at=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="zone"):
        lake.connect(at=datetime(2020, 1, 1))  # noqa: DTZ001 - that is the point


def test_the_other_tables_are_those_of_the_time(workspace: Workspace) -> None:
    lake = workspace.lake
    first = lake.append("events", numbered([1]))
    lake.overwrite("customers", pa.table({"customer_id": ["a"]}))
    second = lake.append("events", numbered([2]))
    time.sleep(0.01)
    lake.overwrite("customers", pa.table({"customer_id": ["a", "b"]}))
    for at, people in ((first, 1), (second, 1), (lake.snapshots("customers")[-1].at, 2)):
        with lake.connect(at=at) as connection:
            assert connection.execute("SELECT count(*) FROM customers").fetchone() == (people,)


def test_a_kept_snapshot_does_not_expire(workspace: Workspace) -> None:
    lake = workspace.lake
    first = lake.append("events", numbered([1]))
    lake.keep("before the campaign", first)
    second = lake.append("events", numbered([2]))
    lake.append("events", numbered([3]))
    compact_events(lake, many=2)
    assert lake.snapshots("events")[0].tags == ("before the campaign",)
    expire(lake, older_than=timedelta(0), keep=1, grace=timedelta(0))
    assert event_ids(lake, at=first) == ["e1-sent"]
    with pytest.raises(NotFound):
        event_ids(lake, at=second)
    lake.release("before the campaign")
    expire(lake, older_than=timedelta(0), keep=1, grace=timedelta(0))
    with pytest.raises(NotFound):
        event_ids(lake, at=first)
    with pytest.raises(NotFound):
        lake.release("before the campaign")
    with pytest.raises(NotFound):
        lake.keep("again", first)


def test_the_list_is_thinned(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LATEST", 5)
    monkeypatch.setattr(history, "_SLACK", 4)
    lake = workspace.lake
    for number in range(30):
        last = lake.append("events", numbered([number]))
        assert len(lake.snapshots("events")) <= 5 + 4 + 2
    assert lake.snapshots("events")[-1].id == last
    assert len(event_ids(lake)) == 30


def test_added_files_cannot_be_told(workspace: Workspace) -> None:
    lake = workspace.lake
    assert lake.added_files("customers", None) == []
    first = lake.append("events", numbered([1, 2]))
    assert lake.added_files("events", 12345) is None
    assert lake.added_files("events", first) == []
    erase_customer(lake, "cus_000001")
    assert lake.added_files("events", first) is None
    second = lake.snapshot_id("events")
    lake.append("events", numbered([3]))
    lake.append("events", numbered([4]))
    assert ids_in(lake.added_files("events", second) or []) == ["e3-sent", "e4-sent"]
    expire(lake, older_than=timedelta(0), keep=1, grace=timedelta(0))
    assert lake.added_files("events", second) is None


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["append", "append", "two days", "positions", "compact"]), max_size=9))
def test_each_row_is_in_one_added_file(open_workspace: Callable[..., Workspace], work: list[str]) -> None:
    """After any history of appends and compactions, from each of its snapshots."""
    opened = open_workspace()
    lake = opened.lake
    try:
        _live(lake, work)
    finally:
        lake.close()
        opened.db.dispose()


def _live(lake: Lakehouse, work: list[str]) -> None:
    marks: list[tuple[int | None, int]] = [(None, 0)]
    written = 0
    for turn, step in enumerate(work):
        if step == "compact":
            compact_events(lake, many=2)
        elif step == "positions":
            lake.append("events", EVENT_SCHEMA.empty_table(), positions={"s": {"0": turn}})
        else:
            numbers = [written, written + 1] if step == "append" else [written, written + 48]
            lake.append("events", numbered(numbers, event_id=f"t{turn}"))
            written += 2
        marks.append((lake.snapshot_id("events"), written))
    for snapshot, before in marks:
        added = lake.added_files("events", snapshot)
        assert added is not None
        if snapshot is None:
            assert len(ids_in(added)) == written
        else:
            assert len(ids_in(added)) == written - before
