"""Take one customer out of the lake for good: out of the tables, out of their history, off the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.lakehouse.iceberg import history
from smart_reach.engine.lakehouse.iceberg.commits import Change
from smart_reach.engine.lakehouse.iceberg.files import data_folder, write_file
from smart_reach.engine.lakehouse.iceberg.planning import LakeFile, describe
from smart_reach.engine.lakehouse.maintenance import delete_now, orphans
from smart_reach.engine.lakehouse.schemas import EVENTS, TABLES

if TYPE_CHECKING:
    from smart_reach.engine.lakehouse.lake import Lakehouse

_ROWS_A_COMMIT = 1_000_000


@dataclass(frozen=True)
class ErasedRows:
    """What went. `snapshots`: those forgotten because they still held the customer; `tags`: their names."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    snapshots: dict[str, list[int]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def erase_customer(lake: Lakehouse, customer_id: str) -> ErasedRows:
    """Erase every row of the customer; when this returns no file of the lake holds the id.

    Files that hold the customer are written again without, the source positions carried on. Snapshots
    that hold the customer, also those kept under a name, are forgotten; the others stay. The old files
    go at once: a query that reads one in this moment fails. Repeating is harmless and finishes what an
    interruption left. The rollups are taken away; `rollups.refresh` makes them again.
    """
    if not customer_id:
        raise InvalidInput("customer_id", customer_id, "Name one customer.")
    rows: dict[str, int] = {}
    snapshots: dict[str, list[int]] = {}
    tags: list[str] = []
    files = 0
    for table in TABLES:
        erased = 0
        while step := _erase_some(lake, table, customer_id):
            erased += step
        with lake.writing():
            erased += _erase_some(lake, table, customer_id)  # rows that came since
            gone, names, deleted = _forget_history(lake, table, customer_id)
        rows[table], files = erased, files + deleted
        tags += names
        snapshots |= {table: gone} if gone else {}
    rollups.clear(lake)
    return ErasedRows(rows, files, snapshots, tags)


def _erase_some(lake: Lakehouse, table: str, customer_id: str) -> int:
    """One commit's worth; returns the rows erased, 0 when there are none left."""
    with lake.writing():
        if lake.find(table) is None:
            return 0
        known = {file.path: file for file in lake.data_files(table)}
        likely = [path for path, file in known.items() if file.may_hold(customer_id)]
        counts = _count(lake, likely, customer_id)
        if not counts:
            return 0
        chosen = _some([known[path] for path in sorted(counts)])
        handle = lake.load_for_writing(table)
        added = [new for file in chosen if (new := _without(handle, table, file, customer_id)) is not None]
        removed = frozenset(file.path for file in chosen)
        lake.commit(handle, table, Change("overwrite" if added else "delete", added, removed))
        return sum(counts[file.path] for file in chosen)


def _some(files: Sequence[LakeFile]) -> list[LakeFile]:
    chosen: list[LakeFile] = []
    rows = 0
    for file in files:
        if chosen and rows + file.rows > _ROWS_A_COMMIT:
            break
        chosen.append(file)
        rows += file.rows
    return chosen


def _without(handle: Any, table: str, file: LakeFile, customer_id: str) -> Any:
    rows = pq.read_table(file.path)
    rest = rows.filter(pc.not_equal(rows["customer_id"], customer_id))
    return write_file(handle, rest, by_day=table == EVENTS) if rest.num_rows else None


def _forget_history(lake: Lakehouse, table: str, customer_id: str) -> tuple[list[int], list[str], int]:
    """Forget the snapshots that hold the customer and delete every file that no other needs."""
    handle = lake.find(table)
    if handle is None:
        return [], [], 0
    data = lake.store.address(str(data_folder(handle)))
    present = [path for path in lake.store.present(data) if path.endswith(".parquet")]
    now = {file.path for file in lake.data_files(table)}
    holding = set(_count(lake, [path for path in present if path not in now], customer_id))
    gone = [
        snapshot.snapshot_id for snapshot in handle.metadata.snapshots if _holds(handle, snapshot, holding)
    ]
    names = [name for one in gone for name in history.tags_by_snapshot(handle).get(one, ())]
    for name in names:
        lake.release(name, table)
    lake.drop_snapshots(table, gone)
    # Manifests name each file's first and last customer, so the unneeded ones go as well.
    folder = str(data_folder(handle).parent / "metadata")
    stale = [path for path in orphans(lake) if path in holding or path.startswith(folder)]
    return gone, names, delete_now(lake, stale)


def _holds(handle: Any, snapshot: Any, holding: set[str]) -> bool:
    return any(
        file.path in holding
        for manifest in snapshot.manifests(handle.io)
        for file in describe(
            handle,
            (e.data_file for e in manifest.fetch_manifest_entry(handle.io, discard_deleted=True)),
        )
    )


def _count(lake: Lakehouse, paths: Sequence[str], customer_id: str) -> dict[str, int]:
    """Rows of the customer in each file that has some."""
    import duckdb

    lake.store.fetch(paths)
    existing = [path for path in paths if Path(path).exists()]
    if not existing:
        return {}
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = 2")
        rows = connection.execute(
            "SELECT filename, count(*) FROM read_parquet(?, filename = true, union_by_name = true)"
            " WHERE customer_id = ? GROUP BY filename",
            [existing, customer_id],
        ).fetchall()
    return dict(rows)
