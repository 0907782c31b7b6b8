"""From the real broker into the lake: everything once, in every case that can be made to happen."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.errors import Conflict
from smart_reach.engine.events.ingest.ingester import Ingester, StepReport
from smart_reach.engine.events.ingest.stages import Stages
from smart_reach.engine.events.sources.kafka import KafkaSource
from smart_reach.engine.events.sources.kafka_settings import KafkaSettings
from smart_reach.engine.events.sources.source import Batch
from smart_reach.engine.events.tables import DeadLetter, SourceStatus
from smart_reach.engine.workspace import Workspace
from tests.broker import Broker, Proxy
from tests.records import record

Make = Callable[..., KafkaSource]


def until(ingester: Ingester, records: int) -> list[StepReport]:
    """Steps until so many records were read."""
    reports: list[StepReport] = []
    deadline = time.monotonic() + 60
    while sum(report.records for report in reports) < records and time.monotonic() < deadline:
        reports.append(ingester.step())
    return reports


def ids(workspace: Workspace) -> list[str]:
    """Every event id in the lake, sorted; doubles would show."""
    if workspace.lake.snapshot_id("events") is None:
        return []
    with workspace.lake.connect(tables=("events",)) as connection:
        return [row[0] for row in connection.execute("SELECT event_id FROM events ORDER BY 1").fetchall()]


def wanted(count: int) -> list[str]:
    return [f"e{number:07d}" for number in range(count)]


def letters(workspace: Workspace) -> list[Any]:
    with Session(workspace.db) as session:
        query = select(DeadLetter.partition, DeadLetter.position, DeadLetter.reason, DeadLetter.raw)
        return sorted(tuple(row) for row in session.execute(query))


def test_events_come_in_once_and_the_positions_with_them(
    workspace: Workspace, broker: Broker, topic: str, kafka: Make
) -> None:
    broker.send(topic, [record(number) for number in range(3000)])
    first = Ingester(workspace, kafka())
    assert sum(report.written for report in until(first, 3000)) == 3000
    first.close()
    assert workspace.lake.positions("kafka") == {"kafka": {f"{topic}/{p}": 1000 for p in range(3)}}
    broker.send(topic, [record(number) for number in range(2990, 3010)])
    again = Ingester(workspace, kafka())
    reports = until(again, 20)
    again.close()
    assert sum(report.duplicates for report in reports) == 10
    assert ids(workspace) == wanted(3010)
    with Session(workspace.db) as session:
        row = session.get_one(SourceStatus, "kafka")
    assert (row.accepted, row.duplicates, row.refused, row.lag, row.state) == (3010, 10, 0, 0, "stopped")


def test_bad_records_become_letters_and_the_good_ones_of_their_batch_are_kept(
    workspace: Workspace, broker: Broker, topic: str, kafka: Make
) -> None:
    bad = [b"{", b"\xff\xfe", b"", record(1, amount_minor="much"), b'"' + b"x" * 2_000_000 + b'"']
    lines = [record(number) for number in range(100)]
    for place, line in zip((0, 31, 32, 64, 99), bad, strict=True):
        lines[place] = line
    broker.send(topic, lines)
    ingester = Ingester(workspace, kafka())
    reports = until(ingester, 100)
    ingester.close()
    assert sum(report.refused for report in reports) == 5
    assert ids(workspace) == [f"e{n:07d}" for n in range(100) if n not in (0, 31, 32, 64, 99)]
    found = {(partition, position): raw for partition, position, _, raw in letters(workspace)}
    assert found == {
        (f"{topic}/{place % 3}", str(place // 3)): line[: 64 << 10]
        for place, line in zip((0, 31, 32, 64, 99), bad, strict=True)
    }


def test_an_id_used_twice_keeps_the_first_and_says_so(
    workspace: Workspace, broker: Broker, topic: str, kafka: Make
) -> None:
    broker.send(topic, [record(7), record(7), record(7, amount_minor=1)], partitions=1)
    until(ingester := Ingester(workspace, kafka()), 3)
    broker.send(topic, [record(7, currency="USD"), record(7), record(8)], partitions=1)
    report = until(ingester, 3)[-1]
    ingester.close()
    assert (report.written, report.duplicates, report.refused) == (1, 1, 1)
    assert ids(workspace) == wanted(9)[7:]
    told = letters(workspace)
    assert [(position, raw) for _, position, _, raw in told] == [
        ("2", record(7, amount_minor=1)),
        ("3", record(7, currency="USD")),
    ]
    assert all(reason.startswith("Same id, different content") for _, _, reason, _ in told)


def test_a_group_shares_the_partitions_and_a_death_hands_them_over(
    workspace: Workspace, broker: Broker, topic: str, kafka: Make
) -> None:
    """Two ingesters in one group, one leaves in the middle: each event once, whatever the rebalance does."""
    broker.send(topic, [record(number) for number in range(4000)])
    pair = [Ingester(workspace, kafka("bank")) for _ in range(2)]
    stops = [threading.Event() for _ in pair]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one, stop in zip(pair, stops, strict=True)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(ids(workspace)) == 4000)
    broker.send(topic, [record(number) for number in range(4000, 6000)])
    stops[0].set()
    threads[0].join()
    broker.send(topic, [record(number) for number in range(6000, 8000)])
    wait_for(lambda: len(ids(workspace)) >= 8000)
    stops[1].set()
    threads[1].join()
    assert ids(workspace) == wanted(8000)
    ends = workspace.lake.positions("kafka")["kafka"]
    assert sum(ends.values()) == 8000


def test_a_zombie_writes_nothing(workspace: Workspace, broker: Broker, topic: str, kafka: Make) -> None:
    """A process that slept through its replacement finds the positions moved, and reads on from there."""
    broker.send(topic, [record(number) for number in range(300)])
    zombie, heir = Ingester(workspace, kafka()), Ingester(workspace, kafka())
    poll = zombie.source.poll

    def slept(limit: int, timeout_s: float) -> Batch | None:
        batch = poll(limit, timeout_s)
        if batch is not None and len(ids(workspace)) < 300:
            assert sum(report.written for report in until(heir, 300)) == 300
        return batch

    zombie.source.poll = slept  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="another process reads it"):
        until(zombie, 300)
    assert ids(workspace) == wanted(300)
    broker.send(topic, [record(number) for number in range(300, 330)])
    report = until(zombie, 30)[-1]
    assert (report.written, report.duplicates) == (30, 0)
    zombie.close()
    heir.close()


def test_the_broker_goes_and_comes_back(workspace: Workspace, topic: str, broker: Broker) -> None:
    """Connections break and are refused for a while: the source says so, waits, and nothing is lost."""
    proxy = Proxy()
    own = Broker(advertised=proxy.port).start()
    proxy.open(own.port)
    try:
        own.topic("shaky")
        own.send("shaky", [record(number) for number in range(500)])
        source = KafkaSource(KafkaSettings(own.servers, ("shaky",), None))
        ingester, stop = Ingester(workspace, source), threading.Event()
        thread = threading.Thread(target=ingester.run, args=(stop,))
        thread.start()
        wait_for(lambda: len(ids(workspace)) == 500)
        proxy.shut()
        wait_for(lambda: state(workspace) == "waiting")
        proxy.open(own.port)
        own.send("shaky", [record(number) for number in range(500, 800)])
        wait_for(lambda: len(ids(workspace)) == 800)
        wait_for(lambda: state(workspace) == "running")
        stop.set()
        thread.join()
    finally:
        proxy.shut()
        own.stop()
    assert ids(workspace) == wanted(800)


def test_a_broker_that_lost_everything_is_read_from_its_new_beginning(workspace: Workspace) -> None:
    """The topic was made anew: what is sent again is dropped by id, what is new comes in."""
    own = Broker().start()
    try:
        own.topic("events")
        own.send("events", [record(number) for number in range(300)])
        source = KafkaSource(KafkaSettings(own.servers, ("events",), None))
        until(first := Ingester(workspace, source), 300)
        first.close()
        own.stop()
        own.start()
        own.topic("events")
        own.send("events", [record(number) for number in range(240, 330)])
        again = Ingester(workspace, source)
        reports = until(again, 90)
        again.close()
    finally:
        own.stop()
    assert (sum(r.written for r in reports), sum(r.duplicates for r in reports)) == (30, 60)
    assert ids(workspace) == wanted(330)


def test_a_full_disk_is_waited_out(
    workspace: Workspace, broker: Broker, topic: str, kafka: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.send(topic, [record(number) for number in range(300)])
    ingester, stop = Ingester(workspace, kafka()), threading.Event()
    sync, full = os.fsync, [True]

    def fsync(file: int) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    thread = threading.Thread(target=ingester.run, args=(stop,))
    thread.start()
    wait_for(lambda: state(workspace) == "disk full")
    assert ids(workspace) == []
    full[0] = False
    wait_for(lambda: len(ids(workspace)) == 300)
    stop.set()
    thread.join()
    assert ids(workspace) == wanted(300)
    assert workspace.lake.positions("kafka") == {"kafka": {f"{topic}/{p}": 100 for p in range(3)}}


def test_what_was_noted_but_not_sealed_is_taken_back(
    workspace: Workspace, broker: Broker, topic: str, kafka: Make
) -> None:
    """Dying between dead letters and seal leaves a letter that the next attempt may not repeat."""

    def die(point: str) -> None:
        if point == "noted":
            raise KeyboardInterrupt

    broker.send(topic, [record(1), b"{"], partitions=1)
    dying = Ingester(workspace, kafka(), Stages(probe=die))
    with pytest.raises(KeyboardInterrupt):
        until(dying, 2)
    assert len(letters(workspace)) == 1
    left: dict[str, int] = {}
    heir = Ingester(workspace, kafka(), Stages(probe=lambda at: left.update({at: len(letters(workspace))})))
    until(heir, 2)
    assert (left["prepared"], left["locked"], left["noted"]) == (1, 0, 1)
    assert len(letters(workspace)) == 1
    for one in (dying, heir):
        one.close()


def state(workspace: Workspace) -> str | None:
    with Session(workspace.db) as session:
        row = session.get(SourceStatus, "kafka")
        return None if row is None else row.state


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
