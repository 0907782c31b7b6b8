"""The snapshots of a table: what there is, which one a question means, what came since.

Every commit copies the list of snapshots, so it is thinned: all of the latest, then one an hour, then one
a day. Times of snapshots are the machine's own, whatever clock the workspace shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.lakehouse.iceberg.planning import LakeFile, describe
from smart_reach.engine.lakehouse.iceberg.positions import Positions, parse

LATEST, HOURS, DAYS = 60, 24, 14
_SLACK = 30


@dataclass(frozen=True)
class Snapshot:
    """One state of a table. `rows`, `files` and `bytes` are the whole table's; `at` is UTC."""

    id: int
    at: datetime
    operation: str
    rows: int
    added_rows: int
    files: int
    bytes: int
    positions: Positions = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the API; the id as text, since JavaScript would round it."""
        return {
            "id": str(self.id),
            "at": self.at.isoformat(),
            "operation": self.operation,
            "rows": self.rows,
            "added_rows": self.added_rows,
            "files": self.files,
            "bytes": self.bytes,
            "positions": self.positions,
            "tags": list(self.tags),
        }


def list_snapshots(handle: Any) -> list[Snapshot]:
    """All kept snapshots, oldest first."""
    tags = tags_by_snapshot(handle)
    return [_describe(snapshot, tags.get(snapshot.snapshot_id, ())) for snapshot in _ordered(handle)]


def find_snapshot(handle: Any, at: int | datetime) -> Any:
    """pyiceberg's snapshot with this id, or the newest that was there at this time.

    Raises `NotFound` naming the oldest that is kept when it was expired or never was.
    """
    kept = _ordered(handle)
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise InvalidInput("at", at.isoformat(), "Give a time with its zone.")
        found = [snapshot for snapshot in kept if snapshot.timestamp_ms <= at.timestamp() * 1000]
    else:
        found = [snapshot for snapshot in kept if snapshot.snapshot_id == at]
    if found:
        return found[-1]
    if not kept:
        raise NotFound("The table has no snapshots yet.")
    oldest = _time(kept[0])
    raise NotFound(
        f"Snapshot {at} is not kept. The oldest is {kept[0].snapshot_id} of {oldest:%Y-%m-%d %H:%M:%S} UTC.",
        hint="Choose a snapshot from the list; keep one under a name and it never expires.",
    )


def moment(handle: Any, snapshot_id: int) -> datetime:
    """When a snapshot was made."""
    return _time(find_snapshot(handle, snapshot_id))


def find_nearest(handle: Any, at: datetime) -> Any:
    """The newest snapshot of that time, or the oldest that is kept: of tables that go with the events."""
    kept = _ordered(handle)
    before = [snapshot for snapshot in kept if snapshot.timestamp_ms <= at.timestamp() * 1000]
    return before[-1] if before else kept[0]


def keep_tag(handle: Any, name: str, snapshot_id: int) -> None:
    """Name a snapshot, which then never expires."""
    if not name or name == "main":
        raise InvalidInput("name", name, "Use a name of its own.")
    find_snapshot(handle, snapshot_id)
    handle.manage_snapshots().create_tag(snapshot_id, name).commit()


def forget_tag(handle: Any, name: str) -> None:
    """Take the name away; the snapshot then expires with the others."""
    if name == "main" or name not in handle.metadata.refs:
        raise NotFound(f"No snapshot is kept under the name {name!r}.")
    handle.manage_snapshots().remove_tag(name).commit()


def tags_by_snapshot(handle: Any) -> dict[int, tuple[str, ...]]:
    """The names under which snapshots are kept."""
    tags: dict[int, tuple[str, ...]] = {}
    for name, reference in sorted(handle.metadata.refs.items()):
        if name != "main":
            tags[reference.snapshot_id] = (*tags.get(reference.snapshot_id, ()), name)
    return tags


def added_since(handle: Any, after: int | None) -> list[LakeFile] | None:
    """Files appended after a snapshot, as they were written; None when that can no longer be told.

    It can while every snapshot since is kept, none of them took rows out, and the files are still there.
    Compaction adds no rows, so its files do not count. `after` None: everything there is now.
    """
    kept = {snapshot.snapshot_id: snapshot for snapshot in handle.metadata.snapshots}
    found: list[LakeFile] = []
    current = handle.current_snapshot()
    while current is not None and current.snapshot_id != after:
        operation = current.summary.operation.value if current.summary else ""
        if operation not in {"append", "replace"}:
            return None
        if operation == "append":
            found += _added(handle, current)
        if current.parent_snapshot_id is None:
            current = None
        elif (current := kept.get(current.parent_snapshot_id)) is None:
            return None
    if current is None and after is not None:
        return None
    handle.catalog.store.fetch(file.path for file in found)
    return sorted(found) if all(Path(file.path).exists() for file in found) else None


def too_many(handle: Any) -> list[int]:
    """Snapshots to take out of the list; empty until it is worth a commit."""
    snapshots = _ordered(handle)
    if len(snapshots) <= LATEST + _SLACK:
        return []
    keep = {snapshot.snapshot_id for snapshot in snapshots[-LATEST:]} | set(tags_by_snapshot(handle))
    newest = _time(snapshots[-1])
    for snapshots_of, span in (("%Y%m%d%H", timedelta(hours=HOURS)), ("%Y%m%d", timedelta(days=DAYS))):
        last = {_time(one).strftime(snapshots_of): one for one in snapshots if newest - _time(one) <= span}
        keep |= {snapshot.snapshot_id for snapshot in last.values()}
    old = [snapshot.snapshot_id for snapshot in snapshots if snapshot.snapshot_id not in keep]
    return old if len(old) >= _SLACK else []


def remove_snapshots(handle: Any, ids: Iterable[int]) -> None:
    """Take snapshots out of the metadata; their files stay until maintenance."""
    from pyiceberg.table.update import AssertTableUUID, RemoveSnapshotsUpdate

    if gone := sorted(set(ids)):
        handle._do_commit(
            (RemoveSnapshotsUpdate(snapshot_ids=gone),),
            (AssertTableUUID(uuid=handle.metadata.table_uuid),),
        )


def _added(handle: Any, snapshot: Any) -> list[LakeFile]:
    from pyiceberg.manifest import ManifestEntryStatus

    files = [
        entry.data_file
        for manifest in snapshot.manifests(handle.io)
        if manifest.added_snapshot_id == snapshot.snapshot_id and manifest.has_added_files()
        for entry in manifest.fetch_manifest_entry(handle.io)
        if entry.status == ManifestEntryStatus.ADDED
    ]
    return list(describe(handle, files))


def _ordered(handle: Any) -> list[Any]:
    return sorted(handle.metadata.snapshots, key=lambda snapshot: snapshot.sequence_number)


def _time(snapshot: Any) -> datetime:
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)


def _describe(snapshot: Any, tags: tuple[str, ...]) -> Snapshot:
    summary = snapshot.summary.additional_properties if snapshot.summary else {}
    return Snapshot(
        id=snapshot.snapshot_id,
        at=_time(snapshot),
        operation=snapshot.summary.operation.value if snapshot.summary else "",
        rows=int(summary.get("total-records", 0)),
        added_rows=int(summary.get("added-records", 0)),
        files=int(summary.get("total-data-files", 0)),
        bytes=int(summary.get("total-files-size", 0)),
        positions=parse(summary),
        tags=tags,
    )
