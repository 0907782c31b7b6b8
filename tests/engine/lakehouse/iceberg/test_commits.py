"""What we write is Iceberg: pyiceberg's own reader finds the same rows, days and totals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from smart_reach.engine.errors import Conflict
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.iceberg import commits
from smart_reach.engine.lakehouse.iceberg.commits import Change
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.rows import START, event_ids, numbered


def scanned(workspace: Workspace, where: str = "event_id is not null") -> list[str]:
    rows = workspace.lake.load("events").scan(row_filter=where, selected_fields=("event_id",)).to_arrow()
    return sorted(rows["event_id"].to_pylist())


def totals(handle: Any) -> tuple[int, int, int]:
    summary = handle.current_snapshot().summary
    return tuple(int(summary[f"total-{thing}"]) for thing in ("data-files", "records", "files-size"))  # type: ignore[return-value]


def counted(handle: Any) -> tuple[int, int, int]:
    files = handle.inspect.files().to_pylist()
    sizes = [file["file_size_in_bytes"] for file in files]
    return len(files), sum(file["record_count"] for file in files), sum(sizes)


def test_pyiceberg_reads_what_we_wrote(workspace: Workspace) -> None:
    lake = workspace.lake
    lake.append("events", numbered(range(60), offer_id="travel-card"))
    lake.append("events", numbered(range(60, 70)))
    assert scanned(workspace) == event_ids(lake)
    assert len(scanned(workspace)) == 70
    assert scanned(workspace, "customer_id == 'cus_000003'") == ["e3-sent"]
    assert len(scanned(workspace, "occurred_at >= '2026-11-03T00:00:00+00:00'")) == 70 - 38
    assert len(scanned(workspace, "offer_id is null")) == 10
    assert totals(lake.load("events")) == counted(lake.load("events"))
    plain = lake.load("events").scan(row_filter="occurred_at < '2026-11-02T00:00:00+00:00'").plan_files()
    assert len(list(plain)) == 1


def test_a_replacement_keeps_the_rows_and_the_totals(workspace: Workspace) -> None:
    lake = workspace.lake
    for number in range(30):
        lake.append("events", numbered([number]))
    before = lake.snapshot_id("events")
    assert compact_events(lake, many=5) == 28
    handle = lake.load("events")
    assert handle.current_snapshot().summary.operation.value == "replace"
    assert handle.current_snapshot().parent_snapshot_id == before
    assert totals(handle) == counted(handle)
    assert scanned(workspace) == event_ids(lake)
    assert len(scanned(workspace)) == 30


def test_many_manifests_become_one(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_MANY_MANIFESTS", 6)
    lake = workspace.lake
    for number in range(20):
        lake.append("events", numbered([number]))
        handle = lake.load("events")
        assert len(handle.current_snapshot().manifests(handle.io)) <= 7
    assert scanned(workspace) == event_ids(lake)
    assert len(scanned(workspace)) == 20
    assert totals(handle) == counted(handle)


def test_files_that_are_gone_cannot_be_replaced(workspace: Workspace) -> None:
    lake = workspace.lake
    lake.append("events", numbered([1]))
    with lake.writing(), pytest.raises(Conflict, match="no longer"):
        lake.commit(lake.load_for_writing("events"), "events", Change("replace", [], frozenset({"/no/such"})))
    assert event_ids(lake) == ["e1-sent"]


def test_a_full_disk_leaves_nothing_behind(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    lake = workspace.lake
    lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})

    def full(rows: pa.Table, file: Any, **options: Any) -> None:
        file.write(b"half a file")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(OSError, match="No space"):
            lake.append("events", numbered([2]), positions={"kafka": {"0": 2}})
    folder = lake.root / "bank"
    assert len(list(folder.rglob("*.parquet"))) == 1
    lake.append("events", numbered([2]), positions={"kafka": {"0": 2}})
    assert event_ids(lake) == ["e1-sent", "e2-sent"]
    assert lake.positions() == {"kafka": {"0": 2}}


def test_a_table_of_an_older_release_gets_the_new_columns(workspace: Workspace) -> None:
    lake = workspace.lake
    new = ["user_agent", "network", "device", "page", "attributes"]
    lake.clear_table("events")
    old = pa.schema([field for field in EVENT_SCHEMA if field.name not in new])
    lake._tables.create("events", old)
    handle = lake.load("events")
    from smart_reach.engine.lakehouse.iceberg.files import write_file
    from smart_reach.engine.lakehouse.schemas import as_events

    with lake.writing():
        rows = as_events(numbered([1])).select(old.names)
        lake.commit(handle, "events", Change("append", [write_file(handle, rows, by_day=True)]))
    lake.ensure()
    lake.append("events", numbered([2], page="/loans", attributes='{"a": 1}'))
    with lake.connect(tables=("events",)) as connection:
        found = connection.execute("SELECT event_id, page, attributes FROM events ORDER BY 1").fetchall()
    assert found == [("e1-sent", None, None), ("e2-sent", "/loans", '{"a": 1}')]
    assert scanned(workspace, "page is null") == ["e1-sent"]


def test_received_times_choose_the_files(workspace: Workspace) -> None:
    lake = workspace.lake
    late = datetime(2026, 11, 20, tzinfo=UTC)
    lake.append("events", numbered([1, 2]))
    lake.append("events", numbered([3], received_at=late))
    assert len(lake.files("events")) == 2
    assert len(lake.files("events", received_since=datetime(2026, 11, 19, tzinfo=UTC))) == 1
    assert event_ids(lake, received_since=late) == ["e3-sent"]
    assert lake.files("events", received_since=datetime(2026, 11, 21, tzinfo=UTC)) == []
    assert len(lake.files("events", received_since=START)) == 2
