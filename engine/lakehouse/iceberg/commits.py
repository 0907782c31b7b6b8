"""One change of a table as one Iceberg snapshot: files in, files out, and what its summary says.

pyiceberg's own producers copy the whole metadata a dozen times for one commit and know no `replace`;
the manifests, the list and the snapshot are therefore written here, with its writers.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from smart_reach.engine.errors import Conflict

_MANY_MANIFESTS, _SMALL_MANIFEST = 40, 200


@dataclass(frozen=True)
class Change:
    """What a snapshot changes. `replace`: other files, same rows. `removed`: local paths, see `Store`."""

    operation: Literal["append", "replace", "overwrite", "delete"]
    added: Sequence[Any] = ()
    removed: frozenset[str] = frozenset()
    summary: Mapping[str, str] = field(default_factory=dict)


def commit(handle: Any, change: Change) -> int:
    """Make `change` the newest snapshot of the table as `handle` knows it; returns the snapshot's id.

    Raises `Conflict` when the table has changed since `handle` was loaded. Never repeats by itself.
    """
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table.update import (
        AddSnapshotUpdate,
        AssertRefSnapshotId,
        AssertTableUUID,
        SetSnapshotRefUpdate,
    )

    parent = handle.current_snapshot()
    snapshot = _snapshot(handle, parent, change)
    before = None if parent is None else parent.snapshot_id
    try:
        handle._do_commit(
            (
                AddSnapshotUpdate(snapshot=snapshot),
                SetSnapshotRefUpdate(snapshot_id=snapshot.snapshot_id, ref_name="main", type="branch"),
            ),
            (
                AssertRefSnapshotId(ref="main", snapshot_id=before),
                AssertTableUUID(uuid=handle.metadata.table_uuid),
            ),
        )
    except CommitFailedException as error:
        raise Conflict("Another writer changed the table first; nothing was written.") from error
    return int(snapshot.snapshot_id)


def _snapshot(handle: Any, parent: Any, change: Change) -> Any:
    from pyiceberg.table.snapshots import Operation, Snapshot, Summary

    work = _Manifests(handle, parent)
    added = [work.write([work.entry("ADDED", file) for file in change.added])] if change.added else []
    kept, gone = work.without(change.removed)
    manifests = [*added, *kept, *([work.write(gone)] if gone else [])]
    now = max(int(time.time() * 1000), handle.metadata.last_updated_ms)
    address = work.write_list(manifests)
    handle.catalog.store.seal([file.file_path for file in change.added], work.files)
    return Snapshot(
        snapshot_id=work.snapshot_id,
        parent_snapshot_id=None if parent is None else parent.snapshot_id,
        manifest_list=address,
        sequence_number=handle.metadata.next_sequence_number(),
        timestamp_ms=now,
        summary=Summary(operation=Operation(change.operation), **_summary(parent, change, gone)),
        schema_id=handle.metadata.current_schema_id,
    )


def _summary(parent: Any, change: Change, gone: Sequence[Any]) -> dict[str, str]:
    before = {} if parent is None or parent.summary is None else parent.summary.additional_properties
    figures = {}
    for thing, adds, removes, number in (
        ("data-files", "added-data-files", "deleted-data-files", lambda file: 1),
        ("records", "added-records", "deleted-records", lambda file: file.record_count),
        ("files-size", "added-files-size", "removed-files-size", lambda file: file.file_size_in_bytes),
    ):
        plus = sum(number(file) for file in change.added)
        minus = sum(number(entry.data_file) for entry in gone)
        figures[f"total-{thing}"] = int(before.get(f"total-{thing}", "0")) + plus - minus
        figures |= {name: value for name, value in ((adds, plus), (removes, minus)) if value}
    none = dict.fromkeys(("total-delete-files", "total-position-deletes", "total-equality-deletes"), "0")
    return none | {name: str(value) for name, value in figures.items()} | dict(change.summary)


class _Manifests:
    """Writes the manifests of one new snapshot; `files` are their addresses."""

    def __init__(self, handle: Any, parent: Any) -> None:
        self._handle = handle
        self._parent = parent
        self._name = uuid.uuid4().hex
        self._written = 0
        self.files: list[str] = []
        self.snapshot_id = handle.metadata.new_snapshot_id()

    def entry(self, status: str, file: Any, like: Any = None) -> Any:
        """A line about a file; `like` is the line that brought it into the table."""
        from pyiceberg.manifest import ManifestEntry, ManifestEntryStatus

        fresh = like is None or status == "DELETED"
        return ManifestEntry.from_args(
            status=ManifestEntryStatus[status],
            snapshot_id=self.snapshot_id if fresh else like.snapshot_id,
            sequence_number=None if like is None else like.sequence_number,
            file_sequence_number=None if like is None else like.file_sequence_number,
            data_file=file,
        )

    def without(self, removed: frozenset[str]) -> tuple[list[Any], list[Any]]:
        """Manifests of all other files, and lines that delete these; `Conflict` if one is not there."""
        kept = [manifest for manifest in self._before() if _live(manifest)]
        gone: list[Any] = []
        if removed:
            kept = [new for manifest in kept for new in self._strike(manifest, removed, gone)]
        if len(gone) != len(removed):
            raise Conflict("Files to be replaced are no longer in the table; nothing was written.")
        return self._merge(kept), gone

    def write(self, entries: Iterable[Any]) -> Any:
        """One manifest with these lines."""
        from pyiceberg.manifest import write_manifest

        metadata = self._handle.metadata
        with write_manifest(
            metadata.format_version, metadata.spec(), metadata.schema(), self._new(), self.snapshot_id, "null"
        ) as writer:
            for entry in entries:
                writer.add_entry(entry)
        manifest = writer.to_manifest_file()
        self.files.append(manifest.manifest_path)
        return manifest

    def write_list(self, manifests: Sequence[Any]) -> str:
        """The snapshot's list of manifests; returns its address."""
        from pyiceberg.manifest import write_manifest_list

        metadata, file = self._handle.metadata, self._new("snap-")
        before = None if self._parent is None else self._parent.snapshot_id
        number = metadata.next_sequence_number()
        with write_manifest_list(
            metadata.format_version, file, self.snapshot_id, before, number, "null"
        ) as writer:
            writer.add_manifests(list(manifests))
        self.files.append(file.location)
        return str(file.location)

    def _before(self) -> list[Any]:
        return [] if self._parent is None else list(self._parent.manifests(self._handle.io))

    def _strike(self, manifest: Any, removed: frozenset[str], gone: list[Any]) -> list[Any]:
        entries = manifest.fetch_manifest_entry(self._handle.io, discard_deleted=True)
        path = self._handle.catalog.store.path
        struck = [entry for entry in entries if path(entry.data_file.file_path) in removed]
        if not struck:
            return [manifest]
        gone += [self.entry("DELETED", _bare(entry.data_file), entry) for entry in struck]
        paths = {entry.data_file.file_path for entry in struck}
        rest = [entry for entry in entries if entry.data_file.file_path not in paths]
        return [self.write(self.entry("EXISTING", entry.data_file, entry) for entry in rest)] if rest else []

    def _merge(self, manifests: list[Any]) -> list[Any]:
        """Many small manifests as one, or every commit and every reader would carry them all."""
        small = [manifest for manifest in manifests if _files(manifest) < _SMALL_MANIFEST]
        if len(small) < _MANY_MANIFESTS:
            return manifests
        entries = [
            self.entry("EXISTING", entry.data_file, entry)
            for manifest in small
            for entry in manifest.fetch_manifest_entry(self._handle.io, discard_deleted=True)
        ]
        known = {manifest.manifest_path for manifest in small}
        return [
            self.write(entries),
            *(manifest for manifest in manifests if manifest.manifest_path not in known),
        ]

    def _new(self, prefix: str = "") -> Any:
        self._written += 1
        name = f"{prefix}{self._name}-{self._written}.avro"
        provider = self._handle.location_provider()
        return self._handle.io.new_output(provider.new_metadata_location(name))


def _bare(file: Any) -> Any:
    """A deleted file without its bounds: they name customers, who may be the reason for its going."""
    from pyiceberg.manifest import DataFile

    kept = DataFile.from_args(
        content=file.content,
        file_path=file.file_path,
        file_format=file.file_format,
        partition=file.partition,
        record_count=file.record_count,
        file_size_in_bytes=file.file_size_in_bytes,
    )
    kept.spec_id = file.spec_id
    return kept


def _live(manifest: Any) -> bool:
    return bool(manifest.has_added_files() or manifest.has_existing_files())


def _files(manifest: Any) -> int:
    return int(manifest.added_files_count or 0) + int(manifest.existing_files_count or 0)
