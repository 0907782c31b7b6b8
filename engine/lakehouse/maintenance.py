"""Upkeep of the lake: compaction, expiry of old snapshots, and files that nothing needs any more.

A file goes from the disk when no kept snapshot has needed it for a while (`GRACE`): a reader that began
before may still have it open. `smart-reach lake` runs it by hand, a schedule asks `due`.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from smart_reach.engine.lakehouse.compact import compact_events, crowded
from smart_reach.engine.lakehouse.iceberg import history
from smart_reach.engine.lakehouse.schemas import EVENTS, TABLES

if TYPE_CHECKING:
    from smart_reach.engine.lakehouse.lake import Lakehouse

GRACE = timedelta(minutes=15)
AGE = timedelta(days=14)
EVERY = timedelta(hours=1)
KEEP = 20


@dataclass(frozen=True)
class MaintenanceReport:
    """What was done. `files_waiting`: unneeded, but their grace is not over."""

    files_compacted: int = 0
    snapshots_expired: int = 0
    files_deleted: int = 0
    bytes_deleted: int = 0
    files_waiting: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def maintain(lake: Lakehouse, *, grace: timedelta = GRACE) -> MaintenanceReport:
    """Everything that is due: compact, expire snapshots older than two weeks, delete what nothing needs."""
    compacted = compact_events(lake)
    expired = expire(lake, older_than=AGE, grace=grace)
    _remember(lake, done=time.time())
    return MaintenanceReport(**asdict(expired) | {"files_compacted": compacted})


def due(lake: Lakehouse) -> bool:
    """Whether `maintain` has not run for an hour, or a day has many small files. Cheap: ask often."""
    last = float(_memory(lake).get("done", 0.0))
    return time.time() - last >= EVERY.total_seconds() or crowded(lake.data_files(EVENTS), many=40)


def expire(
    lake: Lakehouse, *, older_than: timedelta | datetime = AGE, keep: int = KEEP, grace: timedelta = GRACE
) -> MaintenanceReport:
    """Forget snapshots older than this and delete files that no kept snapshot needs.

    The newest `keep` snapshots of each table and those kept under a name stay whatever their age.
    """
    cut = (
        older_than.timestamp()
        if isinstance(older_than, datetime)
        else time.time() - older_than.total_seconds()
    )
    expired = 0
    with lake.writing():
        for table in TABLES:
            if (handle := lake.find(table)) is None:
                continue
            old = _old(handle, cut, keep)
            lake.drop_snapshots(table, old)
            expired += len(old)
        deleted = _sweep(lake, grace)
    return MaintenanceReport(**asdict(deleted) | {"snapshots_expired": expired})


def orphans(lake: Lakehouse) -> list[str]:
    """Files of the tables that no kept snapshot needs: left by expiry, compaction or a killed writer."""
    needed = _needed(lake)
    return [path for path in _present(lake) if path not in needed]


def delete_now(lake: Lakehouse, paths: Iterable[str]) -> int:
    """Delete files at once, in `writing`; returns how many there were."""
    return lake.store.delete(paths)


def _old(handle: Any, cut: float, keep: int) -> list[int]:
    snapshots = sorted(handle.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number)
    safe = {snapshot.snapshot_id for snapshot in snapshots[-max(1, keep) :]}
    safe |= set(history.tags_by_snapshot(handle))
    return [
        snapshot.snapshot_id
        for snapshot in snapshots
        if snapshot.snapshot_id not in safe and snapshot.timestamp_ms < cut * 1000
    ]


def _sweep(lake: Lakehouse, grace: timedelta) -> MaintenanceReport:
    """Delete what has been unneeded for `grace`. In `writing`, so no file is on its way into a table."""
    now = time.time()
    seen: dict[str, float] = _memory(lake).get("unneeded", {})
    present, needed = _present(lake), _needed(lake)
    unneeded = {path: min(seen.get(path, now), now) for path in present if path not in needed}
    over = [path for path, since in unneeded.items() if now - since >= grace.total_seconds()]
    size = sum(present[path] for path in over)
    deleted = delete_now(lake, over)
    waiting = {path: since for path, since in unneeded.items() if path not in set(over)}
    _remember(lake, unneeded=waiting)
    return MaintenanceReport(files_deleted=deleted, bytes_deleted=size, files_waiting=len(waiting))


def _needed(lake: Lakehouse) -> set[str]:
    """Every file that some kept snapshot of some table is made of, with the metadata that says so."""
    needed: set[str] = set()
    path = lake.store.path
    for table in TABLES:
        if (handle := lake.find(table)) is None:
            continue
        needed.add(path(handle.metadata_location))
        needed |= {path(entry.metadata_file) for entry in handle.metadata.metadata_log}
        statistics = [*handle.metadata.statistics, *handle.metadata.partition_statistics]
        needed |= {path(entry.statistics_path) for entry in statistics}
        for snapshot in handle.metadata.snapshots:
            needed.add(path(snapshot.manifest_list))
            for manifest in snapshot.manifests(handle.io):
                needed |= _of_manifest(handle, manifest, needed)
    return needed


def _of_manifest(handle: Any, manifest: Any, known: set[str]) -> set[str]:
    store = handle.catalog.store
    path = store.path(manifest.manifest_path)
    if path in known:
        return set()
    entries = manifest.fetch_manifest_entry(handle.io, discard_deleted=True)
    return {path, *(store.path(entry.data_file.file_path) for entry in entries)}


def _present(lake: Lakehouse) -> dict[str, int]:
    """Paths and sizes of the tables' files, needed or not."""
    handles = [handle for table in TABLES if (handle := lake.find(table)) is not None]
    present: dict[str, int] = {}
    for place in sorted({lake.store.own(handle.location()) for handle in handles}):
        present |= lake.store.present(place)
    return present


def _memory(lake: Lakehouse) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((lake.root / "maintenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never run, or cut short by a power failure: the grace begins again
        return {}
    return found


def _remember(lake: Lakehouse, **facts: Any) -> None:
    fresh = lake.root / f"maintenance-{uuid.uuid4().hex}.json"
    fresh.write_text(json.dumps(_memory(lake) | facts), encoding="utf-8")
    os.replace(fresh, lake.root / "maintenance.json")
