"""The lakehouse writes Iceberg snapshots and reads them through a locked DuckDB."""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from smart_reach.engine.errors import Integrity, InvalidInput, SmartReachError
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.rows import event, table


def test_rows_of_several_days_come_back(workspace: Workspace) -> None:
    lake = workspace.lake
    assert lake.snapshot_id("events") is None
    assert lake.files("events") == []
    first = lake.append("events", table(*(event(n) for n in range(72))))
    assert lake.snapshot_id("events") == first
    assert len(lake.files("events")) == 4
    lake.append("events", table(event(1, "open")))
    with lake.connect() as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT event_id) FROM events").fetchone() == (
            73,
            73,
        )
    partitions = {str(row["partition"]) for row in lake.load("events").inspect.files().to_pylist()}
    assert any("2026" in text or "day" in text for text in partitions)


def test_messages_exclude_machines(workspace: Workspace) -> None:
    at = {"message_id": "m1", "channel": "email", "offer_id": "rewards-card", "local_hour": 10}
    workspace.lake.append(
        "events",
        table(
            event(1, "sent", **at),
            event(1, "click", **at | {"machine": True}),
            event(1, "open", **at),
            event(2, "held_out", message_id="m2", campaign_id="c"),
            event(2, "conversion", message_id="m2", amount_minor=500, currency="EUR"),
        ),
    )
    with workspace.lake.connect() as connection:
        rows = connection.execute(
            "SELECT sent, held_out, opened, clicked, clicked_raw, converted, revenue_minor"
            " FROM messages ORDER BY message_id"
        ).fetchall()
    assert rows == [(True, False, True, False, True, False, 0), (False, True, False, False, False, True, 500)]


def test_overwrite_replaces_and_widens(workspace: Workspace) -> None:
    lake = workspace.lake
    lake.overwrite("customers", pa.table({"customer_id": ["a", "b"], "age": pa.array([1, 2], pa.int32())}))
    lake.overwrite(
        "customers", pa.table({"customer_id": ["c"], "age": pa.array([3], pa.int32()), "job": ["x"]})
    )
    with lake.connect() as connection:
        assert connection.execute("SELECT customer_id, age, job FROM customers").fetchall() == [("c", 3, "x")]
    with pytest.raises(InvalidInput, match="append-only"):
        lake.overwrite("events", table(event(1)))


def test_many_writers_lose_nothing(workspace: Workspace) -> None:
    lake = workspace.lake
    failures: list[SmartReachError] = []

    def write(worker: int) -> None:
        try:
            for turn in range(4):
                lake.append("events", table(event(worker * 10 + turn)))
        except SmartReachError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with lake.connect() as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT event_id) FROM events").fetchone() == (
            16,
            16,
        )


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/smart-reach-leak.csv'",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH '/tmp/x.db'",
    ],
)
def test_the_reader_is_locked(workspace: Workspace, statement: str) -> None:
    workspace.lake.append("events", table(event(1)))
    with workspace.lake.connect() as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)


def test_wrong_columns_are_named(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match="kind"):
        workspace.lake.append("events", table(event(1)).drop_columns(["kind"]))
    with pytest.raises(InvalidInput, match="colour"):
        workspace.lake.append("events", table(event(1) | {"colour": "red"}))
    with pytest.raises(InvalidInput, match="sales"):
        workspace.lake.append("sales", table(event(1)))


def test_delete_files_stop_the_reader(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.lake.append("events", table(event(1)))
    from pyiceberg.manifest import ManifestContent, ManifestFile

    monkeypatch.setattr(ManifestFile, "content", property(lambda self: ManifestContent.DELETES))
    with pytest.raises(Integrity, match="delete files"):
        workspace.lake.connect()


def test_only_new_manifests_are_read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyiceberg.manifest import ManifestFile

    read: list[str] = []
    fetch = ManifestFile.fetch_manifest_entry

    def counted(self: ManifestFile, io: Any, discard_deleted: bool = True) -> list[Any]:
        read.append(self.manifest_path)
        return fetch(self, io, discard_deleted)

    for number in range(3):
        workspace.lake.append("events", table(event(number)))
    assert len(workspace.lake.files("events")) == 3
    workspace.lake.append("events", table(event(48)))
    monkeypatch.setattr(ManifestFile, "fetch_manifest_entry", counted)
    assert len(workspace.lake.files("events")) == len(workspace.lake.files("events")) == 4
    assert len(read) == 1
