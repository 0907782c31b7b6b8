"""A bank of 60 invented customers, two offers, trained models and a ledger that only remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smart_reach.engine.catalog.tables import Consent, Customer, Offer
from smart_reach.engine.catalog.words import CHANNELS, WINDOWS
from smart_reach.engine.decisioning.contact.history import Happening
from smart_reach.engine.decisioning.policy import ContactPolicy
from smart_reach.engine.decisioning.service import DecisionService
from smart_reach.engine.models.propensity import train_propensity
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

IDS = [f"cus_{number:06d}" for number in range(60)]
OFFERS = ("car-loan", "rewards-card")


@dataclass(frozen=True)
class Definition:
    name: str
    dtype: str
    label: str


DEFINITIONS = [
    Definition("age", "number", "age"),
    Definition("visits_30d", "number", "visits"),
    Definition("has_card", "number", "holds a card"),
    Definition("segment", "category", "segment"),
    Definition("tenure_months", "number", "months as a customer"),
]


def _features(n: int, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "age": rng.integers(18, 80, n).astype(float),
        "visits_30d": rng.poisson(3, n).astype(float),
        "has_card": rng.integers(0, 2, n).astype(float),
        "segment": rng.choice(["students", "families"], n),
        "tenure_months": rng.integers(0, 40, n).astype(float),
    }


class InventedStore:
    """Satisfies `FeatureSource`."""

    definitions: Sequence[Definition] = DEFINITIONS

    def training_frame(self, offer_id: str) -> pd.DataFrame:
        n, rng = 1500, np.random.default_rng(len(offer_id))
        frame = pd.DataFrame(
            {
                "customer_id": "cus_1",
                "at": pd.date_range(datetime(2026, 8, 1, tzinfo=UTC), periods=n, freq="min"),
                "offer_id": offer_id,
                "channel": rng.choice(CHANNELS, n),
                "window": rng.choice(list(WINDOWS), n),
                **_features(n, rng),
            }
        )
        score = -2 + 0.5 * (frame["visits_30d"] - 3) + (frame["channel"] == "push") * 0.8
        score += (frame["window"] == "evening") * 0.5
        frame["outcome"] = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(int)
        return frame

    def online(self, customer_ids: Sequence[str] | None = None) -> pd.DataFrame:
        frame = pd.DataFrame(_features(len(IDS), np.random.default_rng(3)), index=pd.Index(IDS))
        return frame if customer_ids is None else frame[frame.index.isin(list(customer_ids))]


@dataclass
class InventedHistory:
    found: dict[str, list[Happening]] = field(default_factory=dict)

    def since(self, start: datetime) -> dict[str, list[Happening]]:
        return self.found


@dataclass
class Remembering:
    """A `LedgerWriter`."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, session: Any, **entry: Any) -> int:
        self.entries.append(entry)
        return len(self.entries)


@dataclass
class Bank:
    ws: Workspace
    service: DecisionService
    ledger: Remembering
    history: InventedHistory

    def with_policy(self, policy: ContactPolicy) -> DecisionService:
        return DecisionService(
            self.ws, self.ledger, features=InventedStore(), history=self.history, contact_policy=policy
        )


@pytest.fixture
def bank(workspace: Workspace) -> Bank:
    rule = {"field": "has_card", "op": "=", "value": 0, "label": "does not hold a card yet"}
    with transaction(workspace.db) as session:
        session.add(Offer(id="car-loan", name="Car loan", category="loan", margin_minor=30_000))
        session.add(
            Offer(
                id="rewards-card",
                name="Rewards card",
                category="card",
                margin_minor=20_000,
                eligibility=[rule],
            )
        )
        for number, customer_id in enumerate(IDS):
            zone = ("Europe/Lisbon", "Europe/London", "Atlantic/Azores")[number % 3]
            session.add(Customer(id=customer_id, zone=zone, holdout=number % 10 == 0))
        session.flush()
        for number, customer_id in enumerate(IDS):
            for channel in CHANNELS:
                granted = channel != "social" and not (channel == "sms" and number % 2)
                session.add(
                    Consent(
                        customer_id=customer_id,
                        channel=channel,
                        granted=granted,
                        changed_at=workspace.clock.now(),
                        source="test",
                    )
                )
    train_propensity(workspace, features=InventedStore())
    ledger, history = Remembering(), InventedHistory()
    return Bank(
        workspace,
        DecisionService(workspace, ledger, features=InventedStore(), history=history),
        ledger,
        history,
    )
