"""A writer that is killed anywhere leaves rows and positions that agree, and a lake that goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta

from smart_reach.engine.lakehouse.maintenance import expire, orphans
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.rows import event_ids

# Goes on where the lake says; says how far it thinks it is, so that the killer can choose its moment.
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import pyarrow as pa
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.lake import Lakehouse

lake = Lakehouse(sys.argv[1], Path(sys.argv[2]))
at = datetime(2026, 11, 1, tzinfo=UTC)
print("ready", flush=True)
while True:
    with lake.writing():
        position = lake.positions().get("feed", {}).get("0", 0)
        rows = pa.table({"event_id": [f"n{position:06d}"], "customer_id": ["c"], "kind": ["sent"],
                         "occurred_at": [at], "received_at": [at], "machine": [False], "source": ["t"]})
        lake.append("events", rows, positions={"feed": {"0": position + 1}})
    if position % 7 == 0:
        compact_events(lake, many=4)
"""


def test_rows_and_positions_agree_after_every_kill(workspace: Workspace) -> None:
    lake = workspace.lake
    url = lake.catalog.engine.url.render_as_string(hide_password=False)
    draw = random.Random(7)
    for _ in range(3):
        before = lake.positions().get("feed", {}).get("0", 0)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(lake.root)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            while lake.positions().get("feed", {}).get("0", 0) < before + 3:
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.2))
            os.kill(process.pid, signal.SIGKILL)
        sealed = lake.positions()["feed"]["0"]
        assert event_ids(lake) == [f"n{number:06d}" for number in range(sealed)]
    expire(lake, older_than=timedelta(0), keep=1, grace=timedelta(0))
    assert orphans(lake) == []
    assert event_ids(lake) == [f"n{number:06d}" for number in range(sealed)]
