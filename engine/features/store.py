"""Features at a point in time, for training, and as they are now, for decisions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from smart_reach.engine.catalog.erasures import Gate, leave_out
from smart_reach.engine.errors import NotFound, Stop
from smart_reach.engine.features.backend import feast_backend
from smart_reach.engine.features.compute import present, snapshots
from smart_reach.engine.features.definitions import FeatureDefinition, FeatureSet
from smart_reach.engine.features.online.store import OnlineStore
from smart_reach.engine.features.registry import FEATURE_SETS
from smart_reach.engine.features.training import (
    CONTACTS_SQL,
    MESSAGES_SQL,
    RESPONSE_DAYS,
    from_snapshots,
    from_spine,
)
from smart_reach.engine.lakehouse.schemas import FEATURES
from smart_reach.engine.ports import Progress, silent

if TYPE_CHECKING:
    from smart_reach.engine.features.feast.backend import FeastBackend
    from smart_reach.engine.workspace import Workspace


class FeatureStore:
    """Reads and refreshes the features of one workspace. Safe to share between threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._kind: str | None = None
        self._opened: OnlineStore | None = None
        self._feast: FeastBackend | None = None
        self._gate = Gate(workspace.db)

    @classmethod
    def for_kind(cls, workspace: Workspace, kind: str) -> FeatureStore:
        """The store of a workspace that is being built and does not yet say what it is."""
        store = cls(workspace)
        store._kind = kind
        return store

    @property
    def kind(self) -> str:
        """`demo-bank`, `bank-marketing` or `own-data`; `NotFound` while the workspace is empty."""
        kind = self._kind or self._workspace.info("kind")
        if kind is None or kind not in FEATURE_SETS:
            raise NotFound(
                f"The workspace {self._workspace.name} has no data yet.",
                hint="Run `smart-reach demo` or `smart-reach ingest bank-marketing FILE` first.",
            )
        self._kind = kind
        return kind

    @property
    def features(self) -> FeatureSet:
        """The feature set of this workspace."""
        return FEATURE_SETS[self.kind]

    @property
    def definitions(self) -> Sequence[FeatureDefinition]:
        """The feature columns in their fixed order."""
        return self.features.definitions

    @property
    def online_store(self) -> OnlineStore:
        """The store that decisions read, on the lake's newest features. `NotFound` while there are none."""
        opened = self._open()
        snapshot = self._workspace.lake.snapshot_id(FEATURES)
        held = opened.lake_snapshot
        if snapshot is None and (held is not None or opened.empty):
            raise NotFound("There are no features yet.", hint="Build the demo or ingest a file first.")
        if snapshot is not None and held != snapshot:
            opened.load(snapshot, self._newest)
        return opened

    def training_frame(self, offer_id: str) -> pd.DataFrame:
        """What was known before each message about an offer, and what came of it, in time order.

        Columns: customer_id, at (UTC), offer_id, channel, window, the features, then `outcome`, `opened`
        and `clicked` as 0/1. Messages whose two days to respond are not over yet are left out. Demo: the
        newest feature row strictly before sending. Own data: the features as of the very moment of sending.
        Bank marketing: one row a contact; `channel` is the stand-in `sms` and `opened`/`clicked` are 0
        (see `events/bank/ingest.py`).
        """
        closed = present(self._workspace, self.features) - timedelta(days=RESPONSE_DAYS)
        frame = self._training(offer_id, closed)
        frame["at"] = frame["at"].dt.tz_convert("UTC")
        return self._typed(frame)

    def online(self, customer_ids: Iterable[str] | None = None) -> pd.DataFrame:
        """Each customer's newest features, indexed by customer_id; `as_of` says of when. All by default.

        Raises `NotFound` naming the first customer without features.
        """
        local = self.online_store
        if customer_ids is not None and (feast := self._back_end()) is not None:
            return feast.online(list(customer_ids))
        return local.frame(customer_ids)

    def apply(self, events: pa.Table) -> int:
        """Bring the customers of committed events up to date, here and in Feast when that is the back end."""
        opened = self._open()
        written = opened.apply(events)
        if written and (feast := self._back_end()) is not None:
            with self._gate.holding(events["customer_id"]):  # an erasure comes before this read or after
                known = set(opened.frame().index)
                touched = [one for one in events["customer_id"].unique().to_pylist() if one in known]
                feast.write_online(opened.frame(touched).reset_index())
        return written

    def erase(self, customer_ids: Sequence[str]) -> int:
        """Take customers out of the online store, and out of Feast if that is the back end; how many rows."""
        erased = self._open().erase(customer_ids)
        feast = self._back_end()
        return erased + (0 if feast is None else feast.erase(customer_ids))

    def refresh(self, as_of: datetime | None = None) -> int:
        """Compute the features as of a moment (default: the present), append them, return how many rows."""
        return self.build([as_of or present(self._workspace, self.features)])

    def build(self, moments: Sequence[datetime], progress: Progress | None = None) -> int:
        """Snapshots of the features at several moments, in one append."""
        if not self.features.computed:
            raise Stop("Features of this workspace come with its file; there is nothing to refresh.")
        table = snapshots(self._workspace, self.features, moments, progress or silent)
        self._workspace.lake.append(FEATURES, table)
        if (feast := self._back_end()) is not None:
            with self._gate.holding(table["customer_id"]) as gone:
                feast.add(leave_out(table, gone))
        return int(table.num_rows)

    def _open(self) -> OnlineStore:
        with self._lock:
            if self._opened is None:
                self._opened = OnlineStore(self._workspace, self.features)
            return self._opened

    def _training(self, offer_id: str, closed: datetime) -> pd.DataFrame:
        workspace, features = self._workspace, self.features
        if self.kind == "bank-marketing":
            return from_snapshots(workspace, features, CONTACTS_SQL, offer_id, closed)
        if features.population == "events":
            return from_spine(workspace, features, offer_id, closed)
        if (feast := self._back_end()) is not None:
            return from_spine(workspace, features, offer_id, closed, feast.historical)
        return from_snapshots(workspace, features, MESSAGES_SQL, offer_id, closed)

    def _back_end(self) -> FeastBackend | None:
        """Feast, when the settings say so."""
        with self._lock:
            if self._feast is None:
                self._feast = feast_backend(self._workspace, self.features)
            return self._feast

    def _newest(self) -> pa.Table:
        """Each customer's newest row of the lake's features."""
        names = ", ".join(f'"{one.name}"' for one in self.definitions)
        with self._workspace.lake.connect(tables=(FEATURES,)) as connection:
            return connection.sql(
                f"SELECT customer_id, as_of, {names} FROM features"
                " QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY as_of DESC) = 1"
                " ORDER BY customer_id"
            ).to_arrow_table()

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Numbers as float64, categories as strings."""
        for one in self.definitions:
            kind = "float64" if one.dtype == "number" else "object"
            frame[one.name] = frame[one.name].astype(kind)
        return frame
