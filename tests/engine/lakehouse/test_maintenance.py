"""Compaction changes no rows; expiry deletes exactly the files that no kept snapshot needs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.lakehouse import compact
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.maintenance import due, expire, maintain, orphans
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.rows import event_ids, numbered

NOW = timedelta(0)


def files_of(lake: Lakehouse, suffix: str = ".parquet") -> set[str]:
    return {str(path) for path in (lake.root / "bank").rglob(f"*{suffix}")}


def test_a_day_s_small_files_become_one(workspace: Workspace) -> None:
    lake = workspace.lake
    for number in (*range(14), 30):
        lake.append("events", numbered([number]))
    before = lake.snapshot_id("events")
    assert compact_events(lake, many=15) == 0
    assert lake.snapshot_id("events") == before
    assert compact_events(lake, many=14) == 13
    assert len(lake.files("events")) == 2
    assert compact_events(lake, many=2) == 0
    assert len(event_ids(lake)) == 15


def test_a_large_file_is_left_and_a_step_stays_small(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "LARGE", 8)
    lake = workspace.lake
    lake.append("events", numbered([0] * 5))
    (large,) = lake.files("events")
    for number in range(1, 13):
        lake.append("events", numbered([number] * 2))
    snapshots = len(lake.snapshots("events"))
    compact_events(lake, many=2)
    assert large in lake.files("events")
    assert all(file.rows <= 8 for file in lake.data_files("events"))
    assert len(lake.snapshots("events")) == snapshots + 3
    assert Counter(event_ids(lake)) == Counter({f"e{n}-sent": 2 for n in range(1, 13)} | {"e0-sent": 5})


def test_writers_and_compaction_at_once_lose_nothing(workspace: Workspace) -> None:
    lake = workspace.lake
    other = Lakehouse(lake.catalog.engine.url.render_as_string(hide_password=False), lake.root)

    def write() -> None:
        for number in range(12):
            other.append("events", numbered([number], event_id=f"w{number}"), positions={"w": {"0": number}})

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        compact_events(lake, many=2)
    writer.join()
    other.close()
    assert event_ids(lake) == sorted(f"w{number}" for number in range(12))
    assert lake.positions() == {"w": {"0": 11}}


def test_files_go_after_their_grace(workspace: Workspace) -> None:
    lake = workspace.lake
    for number in range(4):
        lake.append("events", numbered([number]))
    old = set(lake.files("events"))
    compact_events(lake, many=2)
    waiting = expire(lake, older_than=NOW, keep=1, grace=timedelta(hours=1))
    assert (waiting.snapshots_expired, waiting.files_deleted) == (4, 0)
    assert waiting.files_waiting >= 4
    assert old <= files_of(lake)
    done = expire(lake, older_than=NOW, keep=1, grace=NOW)
    assert done.files_deleted == waiting.files_waiting
    assert done.bytes_deleted > 0
    assert files_of(lake) == set(lake.files("events"))
    assert orphans(lake) == []
    assert len(event_ids(lake)) == 4


def test_the_newest_snapshots_stay(workspace: Workspace) -> None:
    lake = workspace.lake
    made = [lake.append("events", numbered([number])) for number in range(5)]
    assert expire(lake, older_than=timedelta(days=1), keep=1, grace=NOW).snapshots_expired == 0
    assert expire(lake, older_than=NOW, keep=3, grace=NOW).snapshots_expired == 2
    assert [one.id for one in lake.snapshots("events")] == made[2:]
    assert expire(lake, older_than=NOW, keep=0, grace=NOW).snapshots_expired == 2
    assert len(event_ids(lake)) == 5


def test_what_a_killed_writer_left_goes(workspace: Workspace) -> None:
    lake = workspace.lake
    lake.append("events", numbered([1]))
    left = Path(lake.files("events")[0]).with_name("left.parquet")
    left.write_bytes(b"half")
    assert orphans(lake) == [str(left)]
    assert expire(lake, grace=timedelta(hours=1)).files_waiting == 1
    assert left.exists()
    assert expire(lake, grace=NOW).files_deleted == 1
    assert not left.exists()


def test_upkeep_is_due_once_an_hour_or_when_it_is_crowded(workspace: Workspace) -> None:
    lake = workspace.lake
    lake.append("events", numbered([1]))
    assert due(lake)
    maintain(lake)
    assert not due(lake)
    for _ in range(40):
        lake.append("events", numbered([0]))
    assert due(lake)
    assert maintain(lake).files_compacted == 40
    assert not due(lake)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["append", "customers", "compact", "keep", "expire"]), max_size=10))
def test_every_kept_snapshot_stays_readable(
    open_workspace: Callable[..., Workspace], work: list[str]
) -> None:
    opened = open_workspace()
    lake = opened.lake
    rows: dict[int, list[str]] = {}
    try:
        for turn, step in enumerate(work):
            _step(lake, turn, step)
            if snapshot := lake.snapshot_id("events"):
                rows[snapshot] = event_ids(lake)
            kept = [one.id for one in lake.snapshots("events")]
            assert [event_ids(lake, at=one) for one in kept] == [rows[one] for one in kept]
    finally:
        lake.close()
        opened.db.dispose()


def _step(lake: Lakehouse, turn: int, step: str) -> None:
    if step == "append":
        lake.append("events", numbered([turn, turn + 24]))
    elif step == "customers":
        lake.overwrite("customers", pa.table({"customer_id": [str(turn)]}))
    elif step == "compact":
        compact_events(lake, many=2)
    elif step == "keep" and (snapshot := lake.snapshot_id("events")):
        lake.keep(f"tag {turn}", snapshot)
    elif step == "expire":
        expire(lake, older_than=NOW, keep=1, grace=NOW)
        assert orphans(lake) == []
