"""One writer at a time; positions are sealed with the rows; a lost lock never lets two plans through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import make_url

from smart_reach.engine.errors import Conflict, Unavailable
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.lock import WriterLock
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.rows import event_ids, numbered

NOTHING = EVENT_SCHEMA.empty_table()

HOLDER = """
import sys, time
from smart_reach.engine.lakehouse.lock import WriterLock
with WriterLock(sys.argv[1]).held():
    print("held", flush=True)
    time.sleep(60)
"""


def url_of(workspace: Workspace) -> str:
    return workspace.lake.catalog.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def other(workspace: Workspace) -> Iterator[Lakehouse]:
    """What another process has: the same lake through its own connections."""
    lake = Lakehouse(url_of(workspace), workspace.lake.root)
    yield lake
    lake.close()


def cut_off_writers(workspace: Workspace) -> int:
    """End every writer's session on the server, as a failing network does."""
    url = make_url(url_of(workspace)).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'smart-reach lake writer'"
        ).fetchall()
    return len(found)


def test_positions_are_sealed_with_the_rows_and_carried_on(workspace: Workspace, other: Lakehouse) -> None:
    lake = workspace.lake
    assert lake.positions() == {}
    lake.append("events", numbered([1]), positions={"kafka": {"0": 5}})
    lake.append("events", numbered([2]))
    assert other.positions() == {"kafka": {"0": 5}}
    before = lake.snapshot_id("events")
    after = lake.append("events", NOTHING, positions={"kafka": {"1": 8}, "inbox": {"0": 1}})
    assert after != before
    for number in range(3, 15):
        other.append("events", numbered([number]))
    assert compact_events(lake, many=2) > 0
    assert lake.positions() == {"kafka": {"0": 5, "1": 8}, "inbox": {"0": 1}}
    assert lake.positions("inbox") == {"inbox": {"0": 1}}
    assert lake.positions("none") == {}
    assert len(event_ids(lake)) == 14


def test_a_first_commit_may_have_positions_only(workspace: Workspace) -> None:
    workspace.lake.append("events", NOTHING, positions={"kafka": {"0": 5}})
    assert workspace.lake.positions() == {"kafka": {"0": 5}}
    assert workspace.lake.files("events") == []
    workspace.lake.append("events", numbered([1]))
    assert event_ids(workspace.lake) == ["e1-sent"]


def test_writers_take_turns(workspace: Workspace, other: Lakehouse) -> None:
    """Read, add one, write: without turns an update would be lost."""

    def count(lake: Lakehouse) -> None:
        for _ in range(5):
            with lake.writing(), lake.writing():
                known = lake.positions().get("counter", {}).get("0", 0)
                lake.append("events", NOTHING, positions={"counter": {"0": known + 1}})

    threads = [threading.Thread(target=count, args=(lake,)) for lake in (workspace.lake, other, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert workspace.lake.positions() == {"counter": {"0": 15}}


def test_a_killed_writer_leaves_no_lock(workspace: Workspace) -> None:
    url = url_of(workspace)
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        impatient = WriterLock(url, wait_seconds=0.2)
        with pytest.raises(Unavailable, match="Another process"), impatient.held():
            pass
        os.kill(process.pid, signal.SIGKILL)
    with impatient.held() as outermost:
        assert outermost
    impatient.close()


def test_a_thread_that_waits_too_long_is_told(workspace: Workspace) -> None:
    lock = WriterLock(url_of(workspace), wait_seconds=0.2)
    told: list[Unavailable] = []

    def wait() -> None:
        try:
            with lock.held():
                pass
        except Unavailable as error:
            told.append(error)

    with lock.held():
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
    assert len(told) == 1
    lock.close()


def test_a_cut_connection_is_replaced(workspace: Workspace) -> None:
    lake = workspace.lake
    lake.append("events", numbered([1]))
    assert cut_off_writers(workspace) == 1
    lake.append("events", numbered([2]))
    with lake.writing():
        assert cut_off_writers(workspace) == 1
        lake.append("events", numbered([3]))  # nobody else wrote, so the plan still holds
    lake.append("events", numbered([4]))
    assert len(event_ids(lake)) == 4


def test_a_writer_that_lost_the_lock_cannot_commit_a_stale_plan(
    workspace: Workspace, other: Lakehouse
) -> None:
    lake = workspace.lake
    lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})
    with lake.writing():
        start = lake.positions()["kafka"]["0"]
        cut_off_writers(workspace)
        other.append("events", numbered([2]), positions={"kafka": {"0": 2}})
        with pytest.raises(Conflict):
            lake.append("events", numbered([2]), positions={"kafka": {"0": start + 1}})
    assert event_ids(lake) == ["e1-sent", "e2-sent"]
    lake.append("events", numbered([3]), positions={"kafka": {"0": 3}})
    assert lake.positions() == {"kafka": {"0": 3}}


def test_a_commit_between_plan_and_commit_conflicts(
    workspace: Workspace, other: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last moment: the lock is lost and the other writer commits after our look at the table."""
    from smart_reach.engine.lakehouse import lake as module

    lake = workspace.lake
    lake.append("events", numbered([1]))
    write = module.write_file

    def late(handle: object, rows: pa.Table, *, by_day: bool) -> object:
        monkeypatch.setattr(module, "write_file", write)
        cut_off_writers(workspace)
        other.append("events", numbered([2]))
        return write(handle, rows, by_day=by_day)

    monkeypatch.setattr(module, "write_file", late)
    with pytest.raises(Conflict):
        lake.append("events", numbered([3]))
    assert event_ids(lake) == ["e1-sent", "e2-sent"]
