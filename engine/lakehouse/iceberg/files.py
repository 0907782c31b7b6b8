"""Parquet files of the lake's tables: one file a day for events, so that day is its Iceberg partition.

pyiceberg's own partitioned append needs the Rust extension `pyiceberg-core`; writing the day's file
here and describing it to Iceberg ourselves gives the same table without it, and is faster.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from smart_reach.engine.lakehouse.order import arranged

_DAY_MICROS = 86_400_000_000
# Columns whose least and greatest value Iceberg is told, so that readers can leave files out.
_BOUNDED = ("customer_id", "kind", "occurred_at", "received_at", "as_of")
_LONGEST_BOUND = 128
# Columns whose values hardly repeat, and how they are written: as differences, where neighbours are alike.
_UNIQUE = {
    "event_id": "DELTA_BYTE_ARRAY",
    "message_id": "DELTA_BYTE_ARRAY",
    "decision_id": "PLAIN",
    "occurred_at": "DELTA_BINARY_PACKED",
    "attributes": "PLAIN",
}


def split_by_day(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows cut at midnight UTC, each part in time order; no parts without rows."""
    if not rows.num_rows:
        return
    times = pc.cast(rows.column("occurred_at"), pa.int64()).to_numpy()
    ordered = rows
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        times, ordered = times[order], arranged(rows, order)
    days = times // _DAY_MICROS
    starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]])
    for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
        yield ordered.slice(start, end - start)


def write_file(handle: Any, rows: pa.Table, *, by_day: bool) -> Any:
    """Write rows of one day (or of an undivided table) as a new file; returns its Iceberg `DataFile`.

    It belongs to the table only when a commit says so, which also has it on the disk first.
    """
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.typedef import Record

    path = data_folder(handle) / f"{uuid.uuid4().hex}.parquet"
    ids = {field.name: field.field_id for field in handle.schema().fields}
    size = _write(path, _with_ids(rows, ids))
    day = [pc.cast(rows["occurred_at"][0], pa.int64()).as_py() // _DAY_MICROS] if by_day else []
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=handle.catalog.store.address(str(path)),
        file_format=FileFormat.PARQUET,
        partition=Record(*day),
        record_count=rows.num_rows,
        file_size_in_bytes=size,
        sort_order_id=None,
        spec_id=handle.metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **_bounds(rows, ids),
    )


def data_folder(handle: Any) -> Path:
    """Where a table's data files are, or their copies."""
    return Path(handle.catalog.store.path(handle.location())) / "data"


def _write(path: Path, rows: pa.Table) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb") as file:
            pq.write_table(rows, file, compression="zstd", compression_level=1, **_encodings(rows.schema))
            return file.tell()
    except BaseException:  # a full disk above all: half a file helps nobody
        path.unlink(missing_ok=True)
        raise


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """A dictionary only where values repeat: of ids that never do it costs a quarter of the writing."""
    names = schema.names
    return {
        "use_dictionary": [name for name in names if name not in _UNIQUE],
        "column_encoding": {name: code for name, code in _UNIQUE.items() if name in names},
    }


def _with_ids(rows: pa.Table, ids: dict[str, int]) -> pa.Table:
    """Iceberg finds columns by number, so that a renamed or added one is never taken for another."""
    fields = [
        field.with_metadata({"PARQUET:field_id": str(ids[field.name])}) if field.name in ids else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields)) if rows.num_columns else rows


def _bounds(rows: pa.Table, ids: dict[str, int]) -> dict[str, dict[int, Any]]:
    counts: dict[int, int] = {}
    nulls: dict[int, int] = {}
    lower: dict[int, bytes] = {}
    upper: dict[int, bytes] = {}
    for name in _BOUNDED:
        if name not in ids or name not in rows.schema.names:
            continue
        column, number = rows[name], ids[name]
        counts[number], nulls[number] = len(column), column.null_count
        least, greatest = _least_and_greatest(column)
        if least is not None and greatest is not None:
            lower[number], upper[number] = least, greatest
    return {
        "value_counts": counts,
        "null_value_counts": nulls,
        "lower_bounds": lower,
        "upper_bounds": upper,
    }


def _least_and_greatest(column: pa.ChunkedArray) -> tuple[bytes | None, bytes | None]:
    """As Iceberg writes single values: text in UTF-8, a time as eight bytes of microseconds."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    span = pc.min_max(column)
    pair = [span["min"].as_py(), span["max"].as_py()]
    if any(value is None for value in pair):
        return None, None
    found = [value.encode() if isinstance(value, str) else struct.pack("<q", value) for value in pair]
    return (found[0], found[1]) if max(map(len, found)) <= _LONGEST_BOUND else (None, None)
