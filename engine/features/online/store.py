"""`OnlineStore`: features of one customer in microseconds, for decisions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.errors import NotFound
from smart_reach.engine.features.compute import present, some
from smart_reach.engine.features.definitions import FeatureSet
from smart_reach.engine.features.online.base import write_base
from smart_reach.engine.features.online.generations import Generation, Generations
from smart_reach.engine.features.online.layout import Layout, Value, Values, moment
from smart_reach.engine.features.registry import FEATURE_SETS

if TYPE_CHECKING:
    from datetime import datetime

    from smart_reach.engine.workspace import Workspace

_STAMP = pa.timestamp("us", tz="UTC")
_FOLD_AT_LEAST, _FOLD_SHARE = 2_000, 0.1


class OnlineStore:
    """The newest features of every customer. Safe between threads; several processes share the files.

    A row is as old as its `as_of`: `apply` recomputes the customers that new events speak of, `refresh`
    of the feature store all of them.
    """

    def __init__(self, workspace: Workspace, features: FeatureSet) -> None:
        self._workspace = workspace
        self._features = features
        self._layout = Layout.of(features.definitions)
        self._files = Generations(workspace.root / "online")
        self._lock = threading.Lock()
        self._open: Generation | None = None
        self._frame: tuple[int, int, pd.DataFrame] | None = None

    @classmethod
    def open(cls, workspace: Workspace) -> OnlineStore:
        """The workspace's store. Raises `NotFound` while the workspace has no kind, that is no data."""
        kind = workspace.info("kind") or ""
        if kind not in FEATURE_SETS:
            raise NotFound(f"The workspace {workspace.name} has no data yet.", hint="Build or ingest first.")
        return cls(workspace, FEATURE_SETS[kind])

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of their definitions."""
        return self._layout.names

    @property
    def lake_snapshot(self) -> int | None:
        """The snapshot of the lake's features that the files were made from; None while there are none."""
        held = self._current()
        return None if held is None or held.base.layout != self._layout else held.base.lake_snapshot

    @property
    def empty(self) -> bool:
        """Whether there is no row at all."""
        held = self._current()
        return held is None or not (held.base.count or held.delta.rows)

    def row(self, customer_id: str) -> dict[str, Value]:
        """A customer's features; a missing number is NaN, a missing category None. Raises `NotFound`."""
        return dict(zip(self._layout.names, self._values(customer_id)[1:], strict=True))

    def as_of(self, customer_id: str) -> datetime:
        """The moment that a customer's row is about."""
        return moment(int(self._values(customer_id)[0]))

    def frame(self, customer_ids: Iterable[str] | None = None) -> pd.DataFrame:
        """Rows indexed by customer_id with `as_of`, in the order asked for; all in the order of their ids.

        Raises `NotFound` naming the first customer without features.
        """
        if customer_ids is None:
            return self._everybody().copy()
        ids = list(customer_ids)
        return self._layout.frame(ids, [tuple(self._values(one)) for one in ids])

    def apply(self, events: pa.Table) -> int:
        """Bring the customers of committed events up to date; returns how many rows were written.

        `events`: any table with customer_id, its rows already in the lake. Each of these customers is
        computed again, exactly as for everybody, as of the present.
        """
        if not self._features.computed or events.num_rows == 0:
            return 0
        customers = events["customer_id"].unique().to_pylist()
        with self._files.writing():  # the next writer computes from all that this one saw
            at = present(self._workspace, self._features)
            table = some(self._workspace, self._features, customers, at)
            rows = self._layout.rows(table)
            held = self._current()
            if held is None or held.delta.records + len(rows) > self._most(held):
                self._rebuild(held, rows, None if held is None else held.base.lake_snapshot)
            else:
                held.delta.append(rows)
        return int(table.num_rows)

    def load(self, snapshot: int | None, read: Callable[[], pa.Table]) -> None:
        """Start from a snapshot of the lake's features table, unless the files already do.

        Rows that `apply` made for a later moment than the snapshot's stay.
        """
        with self._files.writing():
            if self._current() is not None and self.lake_snapshot == snapshot:
                return
            table, held = read(), self._current()
            newer: list[tuple[str, Values]] = []
            if held is not None and held.base.layout == self._layout:
                newer = _later_than(held, self._layout, table)
            self._files.replace(
                lambda folder: write_base(folder, self._layout, _merged(self._layout, table, newer), snapshot)
            )

    def erase(self, customer_ids: Sequence[str]) -> int:
        """Take customers out of the snapshot and the log: new files are written, the old ones deleted."""
        gone = set(customer_ids)
        with self._files.writing():
            held = self._current()
            if held is None:
                return 0
            before = self._everybody()
            found = int(before.index.isin(gone).sum())
            if found:
                self._rebuild(held, [], held.base.lake_snapshot, without=gone)
        self._frame = None
        return found

    def _most(self, held: Generation) -> int:
        return max(_FOLD_AT_LEAST, int(_FOLD_SHARE * held.base.count))

    def _rebuild(
        self,
        held: Generation | None,
        rows: list[tuple[str, Values]],
        snapshot: int | None,
        without: set[str] | None = None,
    ) -> None:
        """A new generation out of the snapshot, its log and more rows."""
        table = _table(self._layout, [])
        newer = dict(rows)
        if held is not None:
            table, newer = held.base.table(), {**held.delta.rows, **newer}
        if without:
            keep = [one not in without for one in table["customer_id"].to_pylist()]
            table = table.filter(pa.array(keep, pa.bool_()))
            newer = {one: values for one, values in newer.items() if one not in without}
        merged = _merged(self._layout, table, list(newer.items()))
        self._files.replace(lambda folder: write_base(folder, self._layout, merged, snapshot))

    def _current(self) -> Generation | None:
        """The newest generation, its log read to the end."""
        held = self._open
        if held is None or held.number != self._files.current:
            with self._lock:
                held = self._open = self._files.open()
        if held is not None and held.delta.behind:
            with self._lock:
                if held.delta.behind:
                    held.delta.catch_up()
        return held

    def _values(self, customer_id: str) -> Sequence[Any]:
        held = self._current()
        if held is not None:
            newer = held.delta.rows.get(customer_id)
            if newer is not None:
                return newer
            row = held.base.place(customer_id)
            if row is not None:
                return held.base.values(row)
        raise NotFound(f"There is no customer {customer_id}.", hint="Ids look like cus_000001.")

    def _everybody(self) -> pd.DataFrame:
        held = self._current()
        if held is None:
            return self._layout.frame([], [])
        kept = self._frame
        position = held.delta.position  # before the rows: what is kept may be newer than it says, never older
        if kept is not None and kept[:2] == (held.number, position):
            return kept[2]
        newer = dict(held.delta.rows)
        ids = held.base.ids()
        places = np.array([place for place, one in enumerate(ids) if one not in newer], np.int64)
        frame = held.base.frame(places, [ids[place] for place in places])
        if newer:
            added = self._layout.frame(list(newer), list(newer.values()))
            frame = pd.concat([frame, added]) if len(frame) else added
        frame = frame.sort_index()
        self._frame = (held.number, position, frame)
        return frame


def _later_than(held: Generation, layout: Layout, table: pa.Table) -> list[tuple[str, Values]]:
    """The rows, of snapshot and log, that may be of a later moment than the table's."""
    rows = dict[str, Values]()
    oldest = pc.min(table["as_of"])
    if oldest.is_valid:
        base = held.base.table()
        rows.update(layout.rows(base.filter(pc.greater(base["as_of"], oldest.cast(_STAMP)))))
    return list({**rows, **held.delta.rows}.items())


def _merged(layout: Layout, table: pa.Table, rows: list[tuple[str, Values]]) -> pa.Table:
    """The table with those rows put in that are of a later moment than the ones it has."""
    if not rows:
        return table
    stamps = table["as_of"].cast(_STAMP).cast(pa.int64()).to_pylist()
    known = dict(zip(table["customer_id"].to_pylist(), stamps, strict=True))
    later = [(one, values) for one, values in rows if values[0] >= known.get(one, values[0])]
    replaced = {one for one, _ in later}
    keep = pa.array([one not in replaced for one in table["customer_id"].to_pylist()], pa.bool_())
    return pa.concat_tables([_plain(layout, table.filter(keep)), _table(layout, later)])


def _plain(layout: Layout, table: pa.Table) -> pa.Table:
    """The columns of an online row, in its types."""
    return table.select(_schema(layout).names).cast(_schema(layout))


def _table(layout: Layout, rows: list[tuple[str, Values]]) -> pa.Table:
    schema = _schema(layout)
    columns: list[list[Any]] = [[one for one, _ in rows]]
    columns += [[values[place] for _, values in rows] for place in range(len(layout.names) + 1)]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _schema(layout: Layout) -> pa.Schema:
    fields = [("customer_id", pa.string()), ("as_of", _STAMP)]
    kinds = [
        (name, pa.string() if place in layout.texts else pa.float64())
        for place, name in enumerate(layout.names)
    ]
    return pa.schema(fields + kinds)
