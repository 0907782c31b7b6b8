"""Events into the lake, each id once: contract, duplicates, machine verdict, one snapshot a batch.

Everything happens in the lake's writer lock, so two writers handed the same id at the same moment never
both write it, and the positions of a source move only together with the events they stand for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import Conflict
from smart_reach.engine.events.contract import Event, check_events, events_table
from smart_reach.engine.events.machine import ENGAGEMENT, Earlier, deliveries, judge, openings
from smart_reach.engine.events.seen.compare import same_content
from smart_reach.engine.events.seen.index import Hashes, Rows, SeenIds
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.schemas import EVENTS, as_events

_REMEMBERED = 200_000


@dataclass(frozen=True)
class Sifted:
    """A batch without what the lake has: which of its rows are new, came again, or reuse an id.

    `rows`: the new ones in their order, of the event columns; `new`, `again`, `clashes`: row numbers in
    the batch. A clash has an id that was received before (in the last week, or earlier in this batch)
    with other content: the first one stays.
    """

    rows: pa.Table
    new: Rows
    again: Rows
    clashes: Rows
    hashes: Hashes


@dataclass(frozen=True)
class Written:
    """What a commit did. `events`: the rows written, with their verdicts; `snapshot`: the newest one."""

    events: pa.Table
    snapshot: int
    rows: int
    duplicates: int
    clashes: int


@dataclass(frozen=True)
class _Hashed:
    table: pa.Table
    hashes: Hashes


class EventWriter:
    """Writes events; one whose id was received in the last seven days is left out."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self._seen = SeenIds(lake)
        self._lock = threading.Lock()
        self._delivered: OrderedDict[str, int] = OrderedDict()
        self._opened: OrderedDict[str, None] = OrderedDict()

    def write(self, rows: Sequence[Event] | pa.Table, *, fresh: bool = False) -> int:
        """Write what is new and return how many rows that was; nothing is written on an error.

        `fresh`: the caller knows that none of these ids is in the lake yet, so it is not asked; of
        earlier deliveries then only those count that this writer wrote itself.
        Raises `InvalidInput` naming row, field and value of the first event that breaks the contract.
        """
        table = rows if isinstance(rows, pa.Table) else events_table(rows)
        if table.num_rows == 0:
            return 0
        check_events(table)
        with self._lake.writing():
            sifted = self._sift(as_events(table), fresh=fresh)
            if not sifted.rows.num_rows:
                return 0
            events, _ = self._append(sifted, None, fresh=fresh)
            self._remember(events)
            return int(events.num_rows)

    def commit(
        self,
        table: pa.Table,
        *,
        source: str,
        positions: Mapping[str, int],
        expected: Mapping[str, int],
        before_seal: Callable[[Sifted], pa.Table] | None = None,
    ) -> Written:
        """Write what is new and, in the same snapshot, move the source's partitions to `positions`.

        `expected`: where they must stand (missing: nowhere yet); else `Conflict`: somebody else has read on,
        and the caller rewinds. `before_seal` is called in the lock with what will be written and returns
        those rows, perhaps with more columns filled; when it raises, nothing is written. Raises
        `InvalidInput` like `write`.
        """
        check_events(table)
        with self._lake.writing():
            self._check(source, positions, expected)
            sifted = self._sift(as_events(table), fresh=False)
            if before_seal is not None:
                sifted = replace(sifted, rows=as_events(before_seal(sifted)))
            events, snapshot = self._append(sifted, {source: positions}, fresh=False)
        rows, again, clashes = int(events.num_rows), len(sifted.again), len(sifted.clashes)
        return Written(events, snapshot, rows, again, clashes)

    def _check(self, source: str, positions: Mapping[str, int], expected: Mapping[str, int]) -> None:
        sealed = self._lake.positions(source).get(source, {})
        for partition in positions:
            if sealed.get(partition) != expected.get(partition):
                raise Conflict(
                    f"{source} {partition} stands at {sealed.get(partition)} in the lake, not at"
                    f" {expected.get(partition)}: another process reads it; nothing was written."
                )

    def _sift(self, table: pa.Table, *, fresh: bool) -> Sifted:
        hashes = self._seen.hashes(table)
        _, first, group = np.unique(hashes.ids, return_index=True, return_inverse=True)
        repeated = first[group] != np.arange(len(group))
        same = repeated & (hashes.bodies == hashes.bodies[first[group]])
        if not fresh:
            seen, equal = self._in_lake(_Hashed(table, hashes))
            # what repeats a row of the batch is judged by that row; the rest by the lake
            repeated, same = repeated | seen, np.where(repeated & ~seen, same, equal)
        new = np.flatnonzero(~repeated)
        rows = table if len(new) == table.num_rows else table.take(pa.array(new))
        clashes = np.flatnonzero(repeated & ~same)
        return Sifted(rows, new, np.flatnonzero(repeated & same), clashes, hashes.take(new))

    def _in_lake(self, batch: _Hashed) -> tuple[Rows, Rows]:
        """Of each row: is its id in the lake, and with the same content?"""
        table, hashes = batch.table, batch.hashes
        if not table.num_rows:
            return np.zeros(0, bool), np.zeros(0, bool)
        self._seen.catch_up(int(hashes.days.max()))
        seen, same = self._seen.find(hashes)
        doubtful = np.flatnonzero(seen & ~same)
        if len(doubtful):  # other content, or two ids with one hash: the lake tells
            there, equal = same_content(self._lake, table.take(pa.array(doubtful)), self._seen.since)
            seen[doubtful], same[doubtful] = there, equal
        return seen, same

    def _append(
        self, sifted: Sifted, positions: Mapping[str, Mapping[str, int]] | None, *, fresh: bool
    ) -> tuple[pa.Table, int]:
        events = judge(sifted.rows, self._earlier(sifted.rows, fresh))
        with self._admitted(events, sifted.hashes) as (events, hashes):
            snapshot = self._lake.append(EVENTS, events, positions=positions)
        if not fresh and len(hashes.ids):
            self._note(hashes, snapshot)
        return events, snapshot

    @contextmanager
    def _admitted(self, events: pa.Table, hashes: Hashes) -> Iterator[tuple[pa.Table, Hashes]]:
        """Without those of people who were erased since the batch was read."""
        numbered = events.append_column("place", pa.array(np.arange(events.num_rows)))
        with self._lake.admitting(numbered) as left:
            if left.num_rows == events.num_rows:
                yield events, hashes
            else:
                yield left.drop_columns(["place"]), hashes.take(left["place"].to_numpy())

    def _note(self, hashes: Hashes, snapshot: int) -> None:
        try:
            self._seen.add(hashes, snapshot)
        except OSError:  # the events are safe; a full disk only costs reading them back for the index
            self._seen.forget()

    def _earlier(self, table: pa.Table, fresh: bool) -> Earlier:
        """What earlier batches said of the opened or clicked messages."""
        engaged = table.filter(pc.is_in(table["kind"], ENGAGEMENT))
        if not engaged.num_rows:
            return Earlier()
        wanted = sorted(set(engaged["message_id"].drop_null().to_pylist()))
        if not fresh:
            return Earlier(self._seen.delivered(wanted), self._seen.opened(wanted))
        with self._lock:
            found = {message: self._delivered[message] for message in wanted if message in self._delivered}
            return Earlier(found, {message for message in wanted if message in self._opened})

    def _remember(self, table: pa.Table) -> None:
        if table.num_rows > _REMEMBERED:
            return
        with self._lock:
            self._delivered.update(deliveries(table))
            self._opened.update(dict.fromkeys(openings(table)))
            for kept in (self._delivered, self._opened):
                while len(kept) > _REMEMBERED:
                    kept.popitem(last=False)
