"""Ids are known for a week, to every writer, whatever became of the index on disk."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smart_reach.engine.events.contract import Event
from smart_reach.engine.events.seen.index import DAYS
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.workspace import Workspace

AT = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)


def event(number: int, received: timedelta = timedelta()) -> Event:
    at = AT + timedelta(seconds=number)
    return Event(f"e{number}", "cus_000001", "transaction", at, AT + received, "test")


def count(workspace: Workspace) -> tuple[int, int]:
    with workspace.lake.connect(tables=("events",)) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT event_id) FROM events").fetchone()
    assert row is not None
    return row[0], row[1]


def test_an_id_is_known_for_seven_days(workspace: Workspace) -> None:
    writer = EventWriter(workspace.lake)
    days = [timedelta(days=number) for number in range(40)]
    assert writer.write([event(1)]) == 1
    assert writer.write([event(1, days[DAYS])]) == 0
    assert writer.write([event(2, days[DAYS])]) == 1
    assert writer.write([event(1, days[DAYS + 1])]) == 1  # the first one is too long ago
    assert writer.write([event(2, days[2 * DAYS])]) == 0
    assert writer.write([event(1, days[2 * DAYS + 2])]) == 1
    assert writer.write([event(1, days[2 * DAYS + 3])]) == 0
    assert writer.write([event(2, days[2 * DAYS])]) == 0  # one that says it was received before the last
    assert writer.write([event(2, days[39])]) == 1


@pytest.mark.parametrize("harm", ["gone", "torn", "forged"])
def test_a_broken_index_is_made_again(workspace: Workspace, harm: str) -> None:
    EventWriter(workspace.lake).write([event(number) for number in range(50)])
    folder = workspace.lake.root.parent / "seen-ids"
    if harm == "gone":
        shutil.rmtree(folder)
    for path in folder.glob("*.run"):
        path.write_bytes(path.read_bytes()[:-8]) if harm == "torn" else path.unlink()
    assert EventWriter(workspace.lake).write([event(number) for number in range(40, 60)]) == 10
    assert count(workspace) == (60, 60)


def test_rows_of_another_writer_and_after_compaction_are_known(workspace: Workspace) -> None:
    first, second = EventWriter(workspace.lake), EventWriter(workspace.lake)
    for number in range(6):
        assert first.write([event(number)], fresh=number % 2 == 0) == 1
        assert second.write([event(number), event(100 + number)]) == 1
    assert count(workspace) == (12, 12)
    other = replace(event(3), customer_id="cus_000002")
    assert second.write([other]) == 0


def test_writers_at_once_never_write_an_id_twice(
    workspace: Workspace, open_again: Callable[[Workspace], Workspace]
) -> None:
    """Four threads with lakes of their own, as processes would have, each handed all ids in its own order."""
    lakes = [open_again(workspace).lake for _ in range(4)]
    written: list[int] = []

    def write(place: int) -> None:
        writer = EventWriter(lakes[place])
        batches = [[event(n) for n in range(first, first + 25)] for first in range(0, 200, 25)]
        for batch in batches[place:] + batches[:place]:
            written.append(writer.write(batch))

    threads = [threading.Thread(target=write, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(written) == 200
    assert count(workspace) == (200, 200)
