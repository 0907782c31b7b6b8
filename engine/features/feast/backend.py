"""Feast in place of the local online store, on the same definitions and the same values."""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from smart_reach.engine.errors import NotFound, Stop, Unavailable
from smart_reach.engine.features.definitions import FeatureSet
from smart_reach.engine.features.feast.erasing import erase_offline, erase_online
from smart_reach.engine.features.feast.export import KEY, STAMP, TIME, objects, view_name
from smart_reach.engine.features.online.layout import Layout, numbers, texts

_CONFIG = """\
# Written by smart-reach; yours to change. Redis instead of SQLite:
#   online_store: {{type: redis, connection_string: "localhost:6379"}}
project: {project}
provider: local
registry: {registry}
entity_key_serialization_version: 3
offline_store:
  type: file
online_store:
  type: sqlite
  path: {online}
"""


class FeastBackend:
    """A Feast repository in a folder; `feature_store.yaml` is written unless it is there already.

    Raises `Stop` when Feast is not installed. Feast's own errors of its stores become `Unavailable`.
    """

    def __init__(self, repo: Path, features: FeatureSet) -> None:
        self.repo = repo.resolve()
        self._features = features
        self._layout = Layout.of(features.definitions)
        self._data = self.repo / "data" / view_name(features)
        self._lock = threading.Lock()
        self._opened: Any = None

    @property
    def store(self) -> Any:
        """The `feast.FeatureStore`, with our entity and view applied; opened on first use."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def add(self, table: pa.Table) -> None:
        """Add computed rows: to the offline store as they are, to the online store each customer's newest."""
        self._data.mkdir(parents=True, exist_ok=True)
        target = self._data / f"{uuid.uuid4().hex}.parquet"
        pq.write_table(self._typed(table), target.with_suffix(".new"))
        target.with_suffix(".new").rename(target)
        newest = table.group_by(KEY).aggregate([(TIME, "max")])
        frame = self._typed(table).to_pandas()
        last = newest.rename_columns([KEY, TIME]).to_pandas()
        self.write_online(frame.merge(last, on=[KEY, TIME]).drop_duplicates(KEY))

    def write_online(self, frame: pd.DataFrame) -> None:
        """Put rows (customer_id, as_of, features) into the online store."""
        if not len(frame):
            return
        rows = frame.copy()
        rows[STAMP] = rows[TIME].astype("datetime64[us, UTC]").astype("int64")
        self._call(lambda store: store.write_to_online_store(view_name(self._features), df=rows))

    def online(self, customer_ids: list[str]) -> pd.DataFrame:
        """Rows as `FeatureStore.online` gives them. Raises `NotFound` for the first unknown customer."""
        if not customer_ids:
            return self._layout.frame([], [])
        wanted = [{KEY: one} for one in customer_ids]
        names = self._names()
        answer = self._call(
            lambda store: store.get_online_features(features=names, entity_rows=wanted).to_dict()
        )
        for customer, stamp in zip(answer[KEY], answer[STAMP], strict=True):
            if stamp is None:
                raise NotFound(f"There is no customer {customer}.", hint="Ids look like cus_000001.")
        columns = [answer[STAMP], *(answer[name] for name in self._layout.names)]
        return self._layout.frame(answer[KEY], list(zip(*columns, strict=True)))

    def historical(self, entities: pd.DataFrame) -> pd.DataFrame:
        """For each (customer_id, as_of) the newest row strictly before it; those without one are left out.

        Returns customer_id, as_of (as asked for) and the features.
        """
        asked = entities.drop_duplicates().copy()
        # Feast takes a row of the very moment as known; a decision at that moment could not have read it
        asked["event_timestamp"] = asked[TIME] - pd.Timedelta(microseconds=1)
        names = self._names()
        wanted = asked[[KEY, "event_timestamp"]]
        found = self._call(lambda store: store.get_historical_features(wanted, names).to_df())
        found = found[found[STAMP].notna()].copy()
        found[TIME] = pd.to_datetime(found["event_timestamp"], utc=True) + pd.Timedelta(microseconds=1)
        return found[[KEY, TIME, *self._layout.names]].reset_index(drop=True)

    def erase(self, customer_ids: Sequence[str]) -> int:
        """Take people out of the offline files and the online store; returns the offline rows.

        Raises `Stop` for an online store of a kind that we cannot delete from.
        """
        self._call(lambda store: erase_online(store, view_name(self._features), customer_ids))
        return erase_offline(self._data, customer_ids)

    def _names(self) -> list[str]:
        return [f"{view_name(self._features)}:{name}" for name in (STAMP, *self._layout.names)]

    def _typed(self, table: pa.Table) -> pa.Table:
        """Numbers as float64, texts as strings, and the moment once more as a number."""
        data: dict[str, Any] = {KEY: pc.cast(table[KEY], pa.string()), TIME: table[TIME]}
        data[STAMP] = pc.cast(table[TIME].cast(pa.timestamp("us", tz="UTC")), pa.int64())
        for place, name in enumerate(self._layout.names):
            if place in self._layout.texts:
                data[name] = pa.array(texts(table[name]), pa.string())
            else:
                data[name] = pa.array(numbers(table[name]), pa.float64(), from_pandas=True)
        return pa.table(data)

    def _open(self) -> Any:
        os.environ.setdefault("FEAST_USAGE", "False")
        try:
            from feast import FeatureStore
        except ImportError as error:
            raise Stop("Feast is not installed.", hint="pip install 'smart-reach[feast]'") from error
        self.repo.mkdir(parents=True, exist_ok=True)
        self._data.mkdir(parents=True, exist_ok=True)
        config = self.repo / "feature_store.yaml"
        if not config.exists():
            config.write_text(
                _CONFIG.format(
                    project=view_name(self._features),
                    registry=self.repo / "registry.db",
                    online=self.repo / "online.db",
                )
            )
        store = FeatureStore(repo_path=str(self.repo))
        store.apply(list(objects(self._features, self._data)))
        return store

    def _call(self, use: Any) -> Any:
        store = self.store
        try:
            return use(store)
        except _store_errors() as error:
            raise Unavailable(f"The Feast store in {self.repo} does not answer: {error}") from error


def _store_errors() -> tuple[type[Exception], ...]:
    """What the stores behind Feast raise when they are away."""
    try:
        from redis.exceptions import RedisError
    except ImportError:
        return (OSError, sqlite3.Error)
    return (OSError, sqlite3.Error, RedisError)
