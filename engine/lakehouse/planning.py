"""Which files a table consists of: planned once a snapshot, each manifest read once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smart_reach.engine.errors import Integrity

Files = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class TableState:
    """One snapshot's files, each with its day since 1970 (events); `evolved`: columns were added once."""

    location: str
    snapshot: int
    files: Files
    evolved: bool


class Planner:
    """Keeps the newest known state of each table. Manifests never change, so each is read only once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, TableState] = {}
        self._manifests: dict[str, dict[str, Files]] = {}

    def state(
        self, table: str, location: str | None, load: Callable[[], Any], *, by_day: bool
    ) -> TableState | None:
        """The state whose metadata file is `location`; `load` reads the table when that is news."""
        if location is None:
            return None
        with self._lock:
            kept = self._states.get(table)
        if kept is not None and kept.location == location:
            return kept
        handle = load()
        snapshot = None if handle is None else handle.current_snapshot()
        if snapshot is None:
            return None
        files = self._files(table, handle, by_day)
        state = TableState(
            handle.metadata_location, snapshot.snapshot_id, files, len(handle.metadata.schemas) > 1
        )
        with self._lock:
            self._states[table] = state
        return state

    def forget(self, table: str | None = None) -> None:
        """Forget one table, or all."""
        with self._lock:
            for known in (self._states, self._manifests):
                known.clear() if table is None else known.pop(table, None)

    def _files(self, table: str, handle: Any, by_day: bool) -> Files:
        with self._lock:
            known = self._manifests.get(table, {})
        read = {
            manifest.manifest_path: known.get(manifest.manifest_path)
            or _read(table, handle, manifest, by_day)
            for manifest in handle.current_snapshot().manifests(handle.io)
        }
        with self._lock:
            self._manifests[table] = read
        return tuple(sorted(file for files in read.values() for file in files))


def _read(table: str, handle: Any, manifest: Any, by_day: bool) -> Files:
    from pyiceberg.manifest import ManifestContent

    entries = manifest.fetch_manifest_entry(handle.io, discard_deleted=True)
    if entries and manifest.content == ManifestContent.DELETES:
        raise Integrity(f"{table} has delete files, which the DuckDB reader cannot apply.")
    files = [entry.data_file for entry in entries]
    return tuple(
        (str(file.file_path).removeprefix("file://"), int(file.partition[0]) if by_day else None)
        for file in files
    )
