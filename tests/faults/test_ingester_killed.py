"""kill −9 at fifty random points while 200,000 events flow through the real broker: exactly those arrive.

Half of the deaths are at a chosen point of the ingester (after reading, in the lake's lock, before and
after the seal …), half at any moment at all: while files are written, in the middle of a commit. Sometimes
two ingesters run against each other. The records carry redelivered ones, ids used twice and broken ones.
"""

from __future__ import annotations

import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.events.tables import DeadLetter
from smart_reach.engine.workspace import Workspace
from tests.broker import Broker, running
from tests.records import record

pytestmark = pytest.mark.faults

CHILD = Path(__file__).with_name("ingest_child.py")
EVENTS, KILLS, PARTITIONS = 200_000, 50, 3
POINTS = ("polled", "validated", "prepared", "locked", "noted", "projected", "sealed", "told")
INSIDE = ("fsync", "fsync", "committing", "committed")
PORTION = EVENTS // KILLS


class Stream:
    """What is sent, and what must become of it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._sent = 0
        self._offsets = [0] * PARTITIONS
        self.letters: Counter[tuple[str, str, bytes]] = Counter()

    def portion(self, topic: str) -> list[list[bytes]]:
        """The next events for each partition, with others between them; an id keeps to one partition."""
        parts: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        for number in range(self._sent, self._sent + PORTION):
            partition = number % PARTITIONS
            self._put(topic, parts, partition, record(number))
            draw = self._chance.random()
            if draw < 0.02:  # redelivered, perhaps much later
                earlier = self._chance.randrange(partition, number + 1, PARTITIONS)
                self._put(topic, parts, partition, record(earlier))
            elif draw < 0.022:
                self._put(topic, parts, partition, record(number, amount_minor=-5), refused=True)
            elif draw < 0.025:
                self._put(topic, parts, partition, b'{"type": "transaction", "event_id"', refused=True)
        self._sent += PORTION
        return parts

    def _put(
        self, topic: str, parts: list[list[bytes]], partition: int, line: bytes, *, refused: bool = False
    ) -> None:
        if refused:
            self.letters[(f"{topic}/{partition}", str(self._offsets[partition]), line)] += 1
        self._offsets[partition] += 1
        parts[partition].append(line)


class Children:
    """The process that forks ingesters, and what became of them."""

    def __init__(self, workspace: Workspace, broker: Broker, topic: str) -> None:
        arguments = [str(workspace.settings.home), workspace.name, broker.servers, topic]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._answers: queue.Queue[list[str]] = queue.Queue()
        self._ended: dict[int, int] = {}
        self._ready: set[int] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, point: str, count: int, limit: int, group: str = "-") -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{point} {count} {limit} {group}\n")
        self._process.stdin.flush()
        return self._until("pid")

    def until_ready(self, pid: int) -> None:
        """Wait until it has read its first batch."""
        while pid not in self._ready and pid not in self._ended:
            self._until("ready")

    def wait(self, pid: int, timeout: float) -> int | None:
        """Its exit code, or None when it still lives."""
        deadline = time.monotonic() + timeout
        while pid not in self._ended:
            try:
                self._until("exit", max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                return None
        return self._ended[pid]

    def _until(self, wanted: str, timeout: float = 60.0) -> int:
        while True:
            kind, pid, *code = self._answers.get(timeout=timeout)
            if kind == "exit":
                self._ended[int(pid)] = int(code[0])
            elif kind == "ready":
                self._ready.add(int(pid))
            if kind == wanted:
                return int(pid)

    def kill(self, pid: int) -> None:
        if self.wait(pid, 0.001) is None:
            os.kill(pid, signal.SIGKILL)
        assert self.wait(pid, 20) == -signal.SIGKILL

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line.split())


def send(broker: Broker, topic: str, parts: list[list[bytes]]) -> None:
    for partition, lines in enumerate(parts):
        broker.send(topic, lines, first=partition, partitions=1)


def one_death(children: Children, chance: random.Random, number: int) -> None:
    """Start an ingester (sometimes two) and kill it at a point or at any moment."""
    limit = chance.choice((300, 700, 1300))
    group = f"group-{number}" if number % 17 == 16 else "-"
    if number % 2:
        point = chance.choice(POINTS + INSIDE)
        pid = children.start(point, chance.randint(1, 12 if point == "fsync" else 3), limit, group)
        if children.wait(pid, 5) is None:  # fewer passes than the count: it dies here instead
            children.kill(pid)
        assert children.wait(pid, 0.1) == -signal.SIGKILL
        return
    pids = [children.start("-", 0, limit, group)]
    pids += [children.start("-", 0, limit)] if number % 10 == 4 else []
    for pid in pids:
        children.until_ready(pid)
        time.sleep(chance.uniform(0.0, 0.7))
        children.kill(pid)


def lake_ids(workspace: Workspace) -> list[str]:
    with workspace.lake.connect(tables=("events",)) as connection:
        return [row[0] for row in connection.execute("SELECT event_id FROM events ORDER BY 1").fetchall()]


def test_fifty_deaths(open_workspace: Callable[..., Workspace]) -> None:
    workspace, chance = open_workspace(), random.Random(3)
    assert workspace.lake.snapshot_id("events") is None
    stream = Stream(chance)
    progress = set()
    with running() as broker:
        topic = broker.topic("events", PARTITIONS)
        children = Children(workspace, broker, topic)
        try:
            for number in range(KILLS):
                send(broker, topic, stream.portion(topic))
                one_death(children, chance, number)
                progress.add(workspace.lake.snapshot_id("events"))
            last = children.start("drain", 0, 20_000)
            assert children.wait(last, 120) == 0
        finally:
            children.close()
    assert len(progress) >= KILLS // 2  # the deaths were spread over the work
    assert lake_ids(workspace) == [f"e{number:07d}" for number in range(EVENTS)]
    with Session(workspace.db) as session:
        query = select(DeadLetter.partition, DeadLetter.position, DeadLetter.raw)
        found = Counter((row[0], row[1], bytes(row[2])) for row in session.execute(query))
    assert found == stream.letters
    with workspace.lake.connect(tables=("events",)) as connection:
        changed = connection.execute("SELECT count(*) FROM events WHERE amount_minor < 0").fetchone()
    assert changed == (0,)
