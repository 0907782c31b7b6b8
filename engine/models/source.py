"""What training and scoring need from the feature store, so that tests can bring their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


class Definition(Protocol):
    """One feature: `dtype` is `number` or `category`; `label` is what people read."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> Any: ...
    @property
    def label(self) -> str: ...


class FeatureSource(Protocol):
    """The part of the feature store that models and decisions read."""

    @property
    def definitions(self) -> Sequence[Definition]: ...

    def training_frame(self, offer_id: str) -> pd.DataFrame:
        """[customer_id, at, offer_id, channel, window, <features>, outcome], in time order."""
        ...

    def online(self, customer_ids: Sequence[str] | None = None) -> pd.DataFrame:
        """Newest feature row per customer, indexed by customer_id."""
        ...


def feature_store(ws: Workspace) -> FeatureSource:
    """The workspace's own feature store."""
    from smart_reach.engine.features.store import FeatureStore

    store: FeatureSource = FeatureStore(ws)
    return store
