"""Events into the lake: contract, duplicates, machine verdict, one snapshot a batch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.events.contract import Event, check_events, events_table
from smart_reach.engine.events.machine import ENGAGEMENT, deliveries, judge
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.schemas import EVENTS, as_events

_REMEMBERED = 200_000


class EventWriter:
    """Writes events; an event id that is already in the lake is left out.

    First slice of exactly-once: ids are compared with the batch, with what this writer wrote lately and
    with the rows of the lake between the batch's first and last time. Two writers handed the same id
    at the same moment could both write it; sources that may do that take a lock (see `demo/live.py`) or
    keep offsets with the snapshot (the Kafka source, later).
    """

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._written: OrderedDict[str, None] = OrderedDict()
        self._delivered: OrderedDict[str, int] = OrderedDict()

    def write(self, rows: Sequence[Event] | pa.Table, *, fresh: bool = False) -> int:
        """Write what is new and return how many rows that was; nothing is written on an error.

        `fresh`: the caller knows that none of these ids is in the lake yet, so the lake is not asked;
        of earlier deliveries then only those count that this writer wrote itself.
        Raises `InvalidInput` naming row, field and value of the first event that breaks the contract.
        """
        table = rows if isinstance(rows, pa.Table) else events_table(rows)
        if table.num_rows == 0:
            return 0
        check_events(table)
        table = as_events(table)
        with self._lock:
            table = self._without_known(table, fresh)
            if table.num_rows == 0:
                return 0
            table = judge(table, self._earlier_deliveries(table, fresh))
            self._lake.append(EVENTS, table)
            self._remember(table)
        return int(table.num_rows)

    def _without_known(self, table: pa.Table, fresh: bool) -> pa.Table:
        ids = table["event_id"].to_pylist()
        known = set() if fresh else self._in_lake(table)
        keep, seen = [], set()
        for row, event_id in enumerate(ids):
            if event_id not in seen and event_id not in known and event_id not in self._written:
                keep.append(row)
                seen.add(event_id)
        return table if len(keep) == len(ids) else table.take(pa.array(keep, pa.int64()))

    def _in_lake(self, table: pa.Table) -> set[str]:
        span = pc.min_max(table["occurred_at"]).as_py()
        if not self._lake.files(EVENTS, span["min"]):
            return set()
        with self._lake.connect(tables=(EVENTS,), since=span["min"]) as connection:
            connection.register("batch", table.select(["event_id"]))
            found = connection.execute(
                "SELECT event_id FROM events SEMI JOIN batch USING (event_id)"
                " WHERE occurred_at BETWEEN ? AND ?",
                [span["min"], span["max"]],
            ).fetchall()
        return {row[0] for row in found}

    def _earlier_deliveries(self, table: pa.Table, fresh: bool) -> dict[str, int]:
        """Delivery times of opened or clicked messages that were delivered in an earlier batch."""
        engaged = table.filter(pc.is_in(table["kind"], ENGAGEMENT))
        if not engaged.num_rows:
            return {}
        wanted = set(engaged["message_id"].to_pylist()) - set(deliveries(table))
        found = {message: self._delivered[message] for message in wanted if message in self._delivered}
        missing = wanted - set(found)
        if missing and not fresh:
            found |= self._deliveries_in_lake(sorted(missing), engaged)
        return found

    def _deliveries_in_lake(self, messages: list[str], engaged: pa.Table) -> dict[str, int]:
        # Only a delivery just before the first open matters to the filter.
        first = pc.min(engaged["occurred_at"]).as_py() - timedelta(minutes=1)
        if not self._lake.files(EVENTS, first):
            return {}
        with self._lake.connect(tables=(EVENTS,), since=first) as connection:
            connection.register("wanted", pa.table({"message_id": messages}))
            rows = connection.execute(
                "SELECT message_id, epoch_us(min(occurred_at)) FROM events"
                " SEMI JOIN wanted USING (message_id)"
                " WHERE kind = 'delivered' AND occurred_at >= ? GROUP BY 1",
                [first],
            ).fetchall()
        return dict(rows)

    def _remember(self, table: pa.Table) -> None:
        if table.num_rows <= _REMEMBERED:
            self._written.update(dict.fromkeys(table["event_id"].to_pylist()))
            self._delivered.update(deliveries(table))
        for memory in (self._written, self._delivered):
            while len(memory) > _REMEMBERED:
                memory.popitem(last=False)
