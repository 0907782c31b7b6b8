"""Fewer, larger files: live mode adds a small one every few seconds, and each costs every reader a little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from smart_reach.engine.lakehouse.iceberg.commits import Change
from smart_reach.engine.lakehouse.iceberg.files import write_file
from smart_reach.engine.lakehouse.iceberg.planning import LakeFile
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA, EVENTS

if TYPE_CHECKING:
    from smart_reach.engine.lakehouse.lake import Lakehouse

MANY = 12
# A file of this many rows is large enough; one commit rewrites no more, so that writers wait for seconds
# at most and memory stays small.
LARGE = 1_000_000

Bin = tuple[LakeFile, ...]


def compact_events(lake: Lakehouse, many: int = MANY) -> int:
    """Rewrite the small files of each day that has at least `many` of them; returns the files saved.

    Every step is one `replace` snapshot: readers see a day's old files or its new one, never both.
    Other writers have their turn between the steps.
    """
    saved = 0
    for step in _steps(_bins(lake.data_files(EVENTS), many)):
        saved += _rewrite(lake, step)
    return saved


def crowded(files: Iterable[LakeFile], many: int = MANY) -> bool:
    """Whether compaction would find something to do."""
    return next(_bins(files, many), None) is not None


def _bins(files: Iterable[LakeFile], many: int) -> Iterator[Bin]:
    """Small files of one day that fit into one large file; smallest first, so that equals meet."""
    days: dict[int, list[LakeFile]] = defaultdict(list)
    for file in files:
        if file.rows < LARGE // 2:
            days[file.day or 0].append(file)
    for of_day in days.values():
        if len(of_day) >= many:
            yield from (part for part in _cut(sorted(of_day, key=lambda file: file.rows)) if len(part) > 1)


def _cut(files: Iterable[LakeFile]) -> Iterator[Bin]:
    """Consecutive files of `LARGE` rows together."""
    counted = 0

    def number(file: LakeFile) -> int:
        nonlocal counted
        counted += file.rows
        return (counted - 1) // LARGE if counted else 0

    for _, part in groupby(files, key=number):
        yield tuple(part)


def _steps(bins: Iterator[Bin]) -> Iterator[list[Bin]]:
    """Bins of `LARGE` rows together: what one commit rewrites."""
    step: list[Bin] = []
    rows = 0
    for part in bins:
        size = sum(file.rows for file in part)
        if step and rows + size > LARGE:
            yield step
            step, rows = [], 0
        step.append(part)
        rows += size
    if step:
        yield step


def _rewrite(lake: Lakehouse, bins: list[Bin]) -> int:
    with lake.writing():
        handle = lake.load_for_writing(EVENTS)
        present = {file.path for file in lake.data_files(EVENTS)}
        bins = [part for part in bins if all(file.path in present for file in part)]  # nobody was faster
        if not bins:
            return 0
        whole = []
        lake.store.fetch(file.path for part in bins for file in part)
        for part in bins:
            rows = pa.concat_tables([_read(file.path) for file in part]).sort_by("occurred_at")
            whole.append(write_file(handle, rows, by_day=True))
        gone = frozenset(file.path for part in bins for file in part)
        lake.commit(handle, EVENTS, Change("replace", whole, gone))
        return len(gone) - len(whole)


def _read(path: str) -> pa.Table:
    """A file's rows with today's columns; those it was written without are null."""
    return pq.read_table(path, schema=EVENT_SCHEMA)
