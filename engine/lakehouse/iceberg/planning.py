"""Which files a table consists of: planned once a snapshot, each manifest read once."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from smart_reach.engine.errors import Integrity
from smart_reach.engine.lakehouse.iceberg.positions import Positions, parse

_EVER = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, order=True)
class LakeFile:
    """One data file; `day` since 1970 and `received` (least and greatest, microseconds) of events."""

    path: str
    day: int | None = None
    rows: int = 0
    bytes: int = 0
    received: tuple[int, int] = _EVER
    customers: tuple[str, str] | None = None

    def may_hold(self, customer_id: str) -> bool:
        """Whether the file's least and greatest customer leave room for this one."""
        return self.customers is None or self.customers[0] <= customer_id <= self.customers[1]


@dataclass(frozen=True)
class TableState:
    """One snapshot's files and source positions; `evolved`: columns were added once."""

    location: str
    snapshot: int
    files: tuple[LakeFile, ...]
    evolved: bool
    positions: Positions = field(default_factory=dict)


class Planner:
    """Keeps the newest known state of each table. Manifests never change, so each is read only once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, TableState] = {}
        self._manifests: dict[str, dict[str, tuple[LakeFile, ...]]] = {}

    def state(self, table: str, location: str | None, load: Callable[[], Any]) -> TableState | None:
        """The state whose metadata file is `location`; `load` reads the table when that is news."""
        if location is None:
            return None
        with self._lock:
            kept = self._states.get(table)
        if kept is not None and kept.location == location:
            return kept
        try:
            state = self._newest(table, load())
        except FileNotFoundError:  # an erasure took an old manifest away while we read it
            state = self._newest(table, load())
        if state is not None:
            with self._lock:
                self._states[table] = state
        return state

    def _newest(self, table: str, handle: Any) -> TableState | None:
        snapshot = None if handle is None else handle.current_snapshot()
        return None if snapshot is None else self.plan(table, handle, snapshot)

    def plan(self, table: str, handle: Any, snapshot: Any) -> TableState:
        """The state of any snapshot that is still kept."""
        current = snapshot is handle.current_snapshot()
        with self._lock:
            known = self._manifests.get(table, {})
        read = {
            manifest.manifest_path: known.get(manifest.manifest_path) or _read(table, handle, manifest)
            for manifest in snapshot.manifests(handle.io)
        }
        if current:
            with self._lock:
                self._manifests[table] = read
        return TableState(
            location=handle.metadata_location,
            snapshot=snapshot.snapshot_id,
            files=tuple(sorted(file for files in read.values() for file in files)),
            evolved=len(handle.metadata.schemas) > 1,
            positions=parse(snapshot.summary),
        )

    def forget(self, table: str | None = None) -> None:
        """Forget one table, or all."""
        with self._lock:
            for known in (self._states, self._manifests):
                known.clear() if table is None else known.pop(table, None)


def describe(handle: Any, files: Iterable[Any]) -> tuple[LakeFile, ...]:
    """Iceberg's data files as ours."""
    ids = {column.name: column.field_id for column in handle.schema().fields}
    store = handle.catalog.store
    return tuple(_file(file, ids, store.path(str(file.file_path))) for file in files)


def _file(file: Any, ids: dict[str, int], path: str) -> LakeFile:
    received, customers = ids.get("received_at", -1), ids.get("customer_id", -1)
    lower, upper = file.lower_bounds or {}, file.upper_bounds or {}
    span = _EVER
    if received in lower and received in upper:
        span = (struct.unpack("<q", lower[received])[0], struct.unpack("<q", upper[received])[0])
    people = None
    if customers in lower and customers in upper:
        # pyiceberg cuts long bounds: the greatest may then be less than what it stands for
        people = (_text(lower[customers]), _text(upper[customers]) + "\U0010ffff")
    return LakeFile(
        path=path,
        day=int(file.partition[0]) if len(file.partition) else None,
        rows=int(file.record_count),
        bytes=int(file.file_size_in_bytes),
        received=span,
        customers=people,
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "ignore")


def _read(table: str, handle: Any, manifest: Any) -> tuple[LakeFile, ...]:
    from pyiceberg.manifest import ManifestContent

    entries = manifest.fetch_manifest_entry(handle.io, discard_deleted=True)
    if entries and manifest.content == ManifestContent.DELETES:
        raise Integrity(f"{table} has delete files, which the DuckDB reader cannot apply.")
    return describe(handle, (entry.data_file for entry in entries))
