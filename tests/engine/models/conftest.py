"""A small invented bank: outcomes follow a known logistic model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

CHANNELS = ("email", "push", "sms")
WINDOWS = ("morning", "midday", "afternoon", "evening")


@dataclass(frozen=True)
class Definition:
    name: str
    dtype: str
    label: str


@dataclass
class InventedStore:
    """Satisfies `FeatureSource` with rows drawn from a published model."""

    rows: dict[str, int]
    base: float = -2.0
    definitions: Sequence[Definition] = field(
        default_factory=lambda: [
            Definition("age", "number", "age"),
            Definition("visits", "number", "visits"),
            Definition("job", "category", "job"),
        ]
    )

    def training_frame(self, offer_id: str) -> pd.DataFrame:
        n = self.rows[offer_id]
        rng = np.random.default_rng(sum(map(ord, offer_id)))
        frame = pd.DataFrame(
            {
                "customer_id": [f"cus_{number:06d}" for number in range(n)],
                "at": pd.date_range(datetime(2026, 8, 1, tzinfo=UTC), periods=n, freq="min"),
                "offer_id": offer_id,
                "channel": rng.choice(CHANNELS, n),
                "window": rng.choice(WINDOWS, n),
                "age": rng.integers(18, 80, n).astype(float),
                "visits": rng.poisson(3, n).astype(float),
                "job": rng.choice(["clerk", "nurse", "retired"], n),
            }
        )
        score = self.base + 0.5 * (frame["visits"] - 3) + (frame["channel"] == "push") * 0.8
        score = score + (frame["job"] == "retired") * 0.7
        frame["outcome"] = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(int)
        return frame

    def online(self, customer_ids: Sequence[str] | None = None) -> pd.DataFrame:
        raise NotImplementedError


@pytest.fixture
def make_store() -> Callable[..., InventedStore]:
    return InventedStore


@pytest.fixture
def catalog() -> Callable[..., None]:
    """Put offers into a workspace."""

    def put(workspace: Workspace, *offer_ids: str) -> None:
        with transaction(workspace.db) as session:
            for offer_id in offer_ids:
                session.add(Offer(id=offer_id, name=offer_id.title(), category="card", margin_minor=9000))

    return put
