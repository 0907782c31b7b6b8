"""Parquet files of the events table: one file a day, so that day is its Iceberg partition.

pyiceberg's own partitioned append needs the Rust extension `pyiceberg-core`; writing the day's file
here and adding it by its footer gives the same table without it, and is faster.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_DAY_MICROS = 86_400_000_000


def split_by_day(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows cut at midnight UTC, each part in time order."""
    times = pc.cast(rows.column("occurred_at"), pa.int64()).to_numpy()
    order = np.argsort(times, kind="stable")
    days = times[order] // _DAY_MICROS
    starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]]) if len(days) else np.array([], int)
    ordered = rows.take(pa.array(order))
    for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
        yield ordered.slice(start, end - start)


def write_parquet(folder: Path, rows: pa.Table) -> str:
    """Write one file that no other writer can have named; returns its address for Iceberg."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.parquet"
    pq.write_table(rows, path, compression="zstd", compression_level=1)
    return f"file://{path}"
