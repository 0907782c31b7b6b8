"""Fewer, larger files: live mode adds a small one every minute, and each costs every reader a little."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from smart_reach.engine.lakehouse.files import write_parquet
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA, EVENTS

if TYPE_CHECKING:
    from smart_reach.engine.lakehouse.lake import Lakehouse

MANY = 12


def compact_events(lake: Lakehouse, many: int = MANY) -> int:
    """Rewrite each day that has at least `many` files as one; returns the files saved.

    A writer that commits meanwhile wins: that day is then left for the next time.
    """
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    saved = 0
    for day, paths in _days(lake).items():
        if len(paths) < many:
            continue
        try:
            _rewrite(lake.load(EVENTS), day, paths)
        except (CommitFailedException, ValidationException):
            continue
        saved += len(paths) - 1
    return saved


def _days(lake: Lakehouse) -> dict[datetime, list[str]]:
    """Data files of the newest snapshot by day."""
    days: dict[datetime, list[str]] = defaultdict(list)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for task in lake.load(EVENTS).scan().plan_files():
        day = epoch + timedelta(days=int(task.file.partition[0]))
        days[day].append(str(task.file.file_path).removeprefix("file://"))
    return days


def _rewrite(handle: Any, day: datetime, paths: list[str]) -> None:
    from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

    rows = pa.concat_tables([pq.read_table(path, schema=EVENT_SCHEMA) for path in sorted(paths)])
    whole = write_parquet(Path(paths[0]).parent, rows.sort_by("occurred_at"))
    of_day = And(
        GreaterThanOrEqual("occurred_at", day.isoformat()),
        LessThan("occurred_at", (day + timedelta(days=1)).isoformat()),
    )
    with handle.transaction() as change:
        change.delete(of_day)
        change.add_files([whole], check_duplicate_files=False)
