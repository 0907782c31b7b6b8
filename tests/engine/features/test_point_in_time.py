"""A feature row is what was known at its moment: later events, and late ones, cannot change it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.errors import NotFound, Stop
from smart_reach.engine.events.contract import Event
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.features.registry import FEATURE_SETS
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

AS_OF = datetime(2026, 11, 10, tzinfo=UTC)
KINDS = ("transaction", "web_visit", "sent", "click", "conversion")


@pytest.fixture(scope="module")
def bank(open_workspace: Callable[..., Workspace]) -> Iterator[Workspace]:
    """One customer and one offer; events come from the tests."""
    workspace = open_workspace()
    with transaction(workspace.db) as session:
        session.add(Offer(id="rewards-card", name="Rewards card", category="card", margin_minor=100))
    opened = datetime(2026, 8, 1, tzinfo=UTC)
    words = ("segment", "region", "age_band", "job", "marital", "income_band")
    person: dict[str, object] = {
        "customer_id": ["cus_000001"],
        "age": pa.array([40], pa.int32()),
        "joined_on": pa.array([date(2025, 1, 1)], pa.date32()),
        "primary_channel": ["push"],
        "opened_at": pa.array([opened], pa.timestamp("us", tz="UTC")),
        "opening_balance_minor": [10_000],
        "monthly_inflow_minor": [5_000],
    }
    person |= {name: ["x"] for name in words}
    person |= {f"had_{name}": [False] for name in ("card", "loan", "insurance", "savings")}
    workspace.lake.overwrite("customers", pa.table(person))
    workspace.set_info("kind", "demo-bank")
    yield workspace
    workspace.lake.close()
    workspace.db.dispose()


_example = itertools.count()  # ids are remembered by the writer: every example has its own


def event(name: str, kind: str, occurred: timedelta, late: timedelta) -> Event:
    at = AS_OF + occurred
    return Event(
        name,
        "cus_000001",
        kind,
        at,
        at + late,
        "test",
        offer_id="rewards-card",
        channel="push",
        message_id=name,
        amount_minor=700,
        currency="EUR",
        local_hour=19,
    )


def row(workspace: Workspace) -> dict[str, object]:
    """The features as of AS_OF, computed from all the lake holds."""
    FeatureStore(workspace).refresh(AS_OF)
    with workspace.lake.connect() as connection:
        return dict(connection.execute("SELECT * FROM features").df().iloc[-1])


hours = st.integers(1, 24 * 60).map(lambda value: timedelta(hours=value))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), past=hours, future=hours, late=hours)
def test_the_future_and_the_late_change_nothing(
    bank: Workspace, kind: str, past: timedelta, future: timedelta, late: timedelta
) -> None:
    bank.lake.clear_table("events")
    bank.lake.clear_table("features")
    writer = EventWriter(bank.lake)
    own = next(_example)
    writer.write(
        [
            event(f"{own}-p1", "transaction", -timedelta(days=2), timedelta(0)),
            event(f"{own}-p2", kind, -past, timedelta(0)),
        ]
    )
    before = row(bank)
    writer.write(
        [
            event(f"{own}-f1", kind, future, timedelta(0)),
            event(f"{own}-f2", kind, timedelta(0), timedelta(0)),
            event(f"{own}-l1", kind, -past, past + late),
        ]
    )
    after = row(bank)
    assert {k: str(v) for k, v in before.items()} == {k: str(v) for k, v in after.items()}


def test_what_was_known_counts(bank: Workspace) -> None:
    bank.lake.clear_table("events")
    bank.lake.clear_table("features")
    day = timedelta(days=1)
    EventWriter(bank.lake).write(
        [
            event("a", "transaction", -5 * day, timedelta(0)),
            event("b", "transaction", -45 * day, timedelta(0)),
            event("c", "web_visit", -3 * day, timedelta(0)),
            event("d", "conversion", -2 * day, timedelta(0)),
        ]
    )
    known = row(bank)
    assert (known["transactions_30d"], known["spend_30d_minor"], known["visits_card_30d"]) == (1, 700, 1)
    assert (known["has_card"], known["holdings"], known["days_since_active"]) == (1, 1, 3)
    assert known["preferred_window"] == "evening"
    assert known["tenure_months"] == 22


def test_definitions_are_unique_and_never_the_outcome() -> None:
    for definitions in (one.definitions for one in FEATURE_SETS.values()):
        names = [definition.name for definition in definitions]
        assert len(names) == len(set(names))
        assert not {"duration", "y", "outcome", "converted"} & set(names)


def test_an_unknown_workspace_has_no_features(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        FeatureStore(workspace).online()
    workspace.set_info("kind", "bank-marketing")
    with pytest.raises(Stop):
        FeatureStore(workspace).refresh()
    with pytest.raises(NotFound):
        FeatureStore(workspace).online()
