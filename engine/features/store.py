"""Features at a point in time, for training, and as they are now, for decisions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.errors import NotFound, Stop
from smart_reach.engine.features.definitions import DEFINITIONS, FeatureDefinition
from smart_reach.engine.features.demo_sql import PREPARE, SNAPSHOT
from smart_reach.engine.features.training import CONTACTS_SQL, MESSAGES_SQL, RESPONSE_DAYS
from smart_reach.engine.lakehouse.schemas import FEATURES

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


class FeatureStore:
    """Reads and refreshes the features of one workspace. Safe to share between threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._kind: str | None = None
        self._online: tuple[int, pd.DataFrame] | None = None

    @classmethod
    def for_kind(cls, workspace: Workspace, kind: str) -> FeatureStore:
        """The store of a workspace that is being built and does not yet say what it is."""
        store = cls(workspace)
        store._kind = kind
        return store

    @property
    def kind(self) -> str:
        """`demo-bank` or `bank-marketing`; `NotFound` while the workspace is empty."""
        kind = self._kind or self._workspace.info("kind")
        if kind not in DEFINITIONS:
            raise NotFound(
                f"The workspace {self._workspace.name} has no data yet.",
                hint="Run `smart-reach demo` or `smart-reach ingest bank-marketing FILE` first.",
            )
        self._kind = kind
        return kind

    @property
    def definitions(self) -> Sequence[FeatureDefinition]:
        """The feature columns in their fixed order."""
        return DEFINITIONS[self.kind]

    def training_frame(self, offer_id: str) -> pd.DataFrame:
        """What was known before each message about an offer, and what came of it, in time order.

        Columns: customer_id, at (UTC), offer_id, channel, window, the features, then `outcome`, `opened`
        and `clicked` as 0/1. Demo: the newest feature row strictly before sending; messages whose two days
        to respond are not over yet are left out. Bank marketing: one row a contact; `channel` is the
        stand-in `sms` and `opened`/`clicked` are 0 (see `events/bank_marketing.py`).
        """
        names = ", ".join(f'f."{definition.name}"' for definition in self.definitions)
        sql = (CONTACTS_SQL if self.kind == "bank-marketing" else MESSAGES_SQL).format(features=names)
        closed = self._workspace.clock.now() - timedelta(days=RESPONSE_DAYS)
        with self._workspace.lake.connect() as connection:
            frame: pd.DataFrame = connection.execute(sql, {"offer": offer_id, "closed": closed}).df()
        frame["at"] = frame["at"].dt.tz_convert("UTC")
        return self._typed(frame)

    def online(self, customer_ids: Iterable[str] | None = None) -> pd.DataFrame:
        """Each customer's newest features, indexed by customer_id; `as_of` says of when. All by default.

        Raises `NotFound` naming the first customer without features.
        """
        frame = self._newest()
        if customer_ids is None:
            return frame.copy()
        wanted = list(customer_ids)
        missing = [name for name in wanted if name not in frame.index]
        if missing:
            raise NotFound(f"There is no customer {missing[0]}.", hint="Ids look like cus_000001.")
        return frame.loc[wanted].copy()

    def refresh(self, as_of: datetime | None = None) -> int:
        """Compute the features as of a moment (default now) and append them; returns the rows written."""
        return self.build([as_of or self._workspace.clock.now()])

    def build(self, moments: Sequence[datetime], progress: Any = None) -> int:
        """Snapshots of the demo's features at several moments, in one append."""
        if self.kind != "demo-bank":
            raise Stop("Features of this workspace come with its file; there is nothing to refresh.")
        with self._workspace.lake.connect() as connection:
            connection.register("offer_categories", self._offer_categories())
            connection.execute(PREPARE)
            parts = []
            for number, moment in enumerate(moments):
                rows = connection.sql(SNAPSHOT, params={"as_of": moment.astimezone(UTC)}).to_arrow_table()
                parts.append(rows)
                if progress is not None:
                    progress((number + 1) / len(moments), "Computing features")
        table = pa.concat_tables(parts)
        self._workspace.lake.append(FEATURES, table)
        return int(table.num_rows)

    def _offer_categories(self) -> pa.Table:
        with Session(self._workspace.db) as session:
            rows = session.execute(select(Offer.id, Offer.category)).all()
        return pa.table(
            {
                "offer_id": pa.array([row[0] for row in rows], pa.string()),
                "category": pa.array([row[1] for row in rows], pa.string()),
            }
        )

    def _newest(self) -> pd.DataFrame:
        lake = self._workspace.lake
        snapshot = lake.snapshot_id(FEATURES)
        if snapshot is None:
            raise NotFound("There are no features yet.", hint="Build the demo or ingest a file first.")
        with self._lock:
            if self._online is None or self._online[0] != snapshot:
                names = ", ".join(f'"{definition.name}"' for definition in self.definitions)
                with lake.connect() as connection:
                    frame = connection.execute(
                        f"SELECT customer_id, as_of, {names} FROM features"
                        " QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY as_of DESC) = 1"
                        " ORDER BY customer_id"
                    ).df()
                frame["as_of"] = frame["as_of"].dt.tz_convert("UTC")
                self._online = (snapshot, self._typed(frame).set_index("customer_id"))
            return self._online[1]

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Numbers as float64, categories as strings."""
        for definition in self.definitions:
            if definition.dtype == "number":
                frame[definition.name] = frame[definition.name].astype("float64")
            else:
                frame[definition.name] = frame[definition.name].astype("object")
        return frame
