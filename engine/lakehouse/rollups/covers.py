"""Which events a file holds: enough to know it again after compaction has put it into another one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from smart_reach.engine.lakehouse.rollups.kept import Cover, Span
from smart_reach.engine.lakehouse.rollups.messages import DECISIVE
from smart_reach.engine.lakehouse.rollups.views import read_events

if TYPE_CHECKING:
    import duckdb

_DAY_MICROS = 86_400_000_000


def follow(
    covers: Mapping[str, Cover], fresh: Mapping[str, Cover], files: Collection[str]
) -> dict[str, Cover] | None:
    """The covers with rewritten files in the place of those that they hold; None when events are missing.

    Compaction makes one file of a day's several. It is recognised by what is in the files, not by who
    wrote them: the same number of events of that day with the same digest.
    """
    present = set(files)
    gone: dict[int, list[Cover]] = defaultdict(list)
    for path, cover in covers.items():
        if path not in present:
            gone[cover.day].append(cover)
    found = {path: cover for path, cover in covers.items() if path in present}
    for day, lost in gone.items():
        same = _same(lost, {path: cover for path, cover in fresh.items() if cover.day == day})
        if same is None:
            return None
        found |= same
    return found


def _same(lost: Sequence[Cover], fresh: Mapping[str, Cover]) -> dict[str, Cover] | None:
    """New files of a day that hold exactly the events of the lost ones: all of them, or a single one."""
    wanted = _sum(lost)
    for paths in [list(fresh), *([path] for path in fresh)]:
        if paths and _sum([fresh[path] for path in paths]) == wanted:
            return {path: fresh[path] for path in paths}
    return None


def _sum(covers: Sequence[Cover]) -> tuple[int, int]:
    return sum(cover.rows for cover in covers), sum(int(cover.digest) for cover in covers)


def read_covers(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> tuple[dict[str, Cover], Span]:
    """Rows, digest and day of each file, and the first and last times of all."""
    covers = {path: Cover(0, "0", 0) for path in files}  # a file may have no rows
    if not files:
        return covers, Span()
    rows = connection.execute(
        f"SELECT filename, count(*), sum(hash({DECISIVE})), epoch_us(min(occurred_at)),"
        " epoch_us(max(occurred_at)), epoch_us(max(received_at))"
        f" FROM {read_events(files, ', filename = true')} GROUP BY filename"
    ).fetchall()
    span = Span()
    for path, count, digest, oldest, newest, received in rows:
        covers[path] = Cover(count, str(int(digest)), oldest // _DAY_MICROS)
        span = span.with_(Span(oldest, newest, received))
    return covers, span
