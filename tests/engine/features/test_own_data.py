"""A bank's own data: refreshed, brought up to date event by event, and read back for training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.events.contract import Event, events_table
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.features.compute import present, snapshots
from smart_reach.engine.features.online.layout import Layout
from smart_reach.engine.features.online.store import OnlineStore
from smart_reach.engine.features.own_features import OWN_DATA
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.workspace import Workspace
from tests.engine.features.histories import CUSTOMERS, NOW, events

DAY = timedelta(days=1)
LAYOUT = Layout.of(OWN_DATA.definitions)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def bank(open_workspace: Callable[..., Workspace], clock: FixedClock) -> Iterator[Workspace]:
    opened = open_workspace(clock)
    opened.set_info("kind", "own-data")
    opened.set_info("currency", "EUR")
    yield opened
    opened.lake.close()
    opened.db.dispose()


def event(name: str, kind: str, ago: timedelta, late: timedelta = timedelta(0), **more: object) -> Event:
    values: dict[str, object] = {
        "source": "kafka:events",
        "channel": "email",
        "message_id": name,
        "local_hour": 9,
    }
    at = NOW - ago
    return Event(name, "cus_000001", kind, at, at + late, **{**values, **more})  # type: ignore[arg-type]


def full(workspace: Workspace) -> pd.DataFrame:
    """Everybody computed from nothing, in the shape of an online frame."""
    table = snapshots(workspace, OWN_DATA, [present(workspace, OWN_DATA)])
    rows = LAYOUT.rows(table)
    return LAYOUT.frame([one for one, _ in rows], [values for _, values in rows])


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(events(), min_size=2, max_size=3))
def test_event_by_event_is_the_same_as_all_at_once(
    open_workspace: Callable[..., Workspace], batches: list[list[Event]]
) -> None:
    clock = FixedClock(NOW)
    bank = open_workspace(clock)
    bank.set_info("kind", "own-data")
    store, online, writer = FeatureStore(bank), OnlineStore.open(bank), EventWriter(bank.lake)
    for number, batch in enumerate(batches):
        rows = [replace(one, event_id=f"{number}-{one.event_id}", message_id=f"{number}-m") for one in batch]
        if not rows:
            continue
        writer.write(rows)
        if number == 1:
            store.refresh()
            online = store.online_store
        clock.advance(timedelta(hours=7))
        before = online.frame()
        online.apply(events_table(rows))
        touched = {one.customer_id for one in rows}
        whole, now = full(bank), online.frame()
        expected = whole[whole.index.isin(touched)]
        pd.testing.assert_frame_equal(now.loc[expected.index], expected)
        others = [one for one in before.index if one not in touched]
        pd.testing.assert_frame_equal(now.loc[others], before.loc[others])
    bank.lake.close()
    bank.db.dispose()


def test_features_follow_the_events(bank: Workspace, clock: FixedClock) -> None:
    store, writer = FeatureStore(bank), EventWriter(bank.lake)
    with pytest.raises(NotFound):
        store.online()
    bought = event("t1", "transaction", 2 * DAY, amount_minor=1_250, currency="EUR")
    dollars = event("t2", "transaction", 2 * DAY, amount_minor=9_999, currency="USD")
    first = [bought, dollars, event("w1", "web_visit", DAY)]
    writer.write(first)
    assert store.apply(events_table(first)) == 1  # nothing was ever refreshed: the log alone answers
    row = store.online(["cus_000001"]).iloc[0]
    assert (row["spend_7d_minor"], row["purchases_7d"], row["visits_30d"], row["tenure_days"]) == (
        1250,
        1,
        1,
        2,
    )
    assert (row["preferred_window"], row["preferred_channel"]) == ("morning", None)
    assert store.refresh() == 1
    pd.testing.assert_frame_equal(store.online(), full(bank))
    late = event("t3", "transaction", 6 * DAY, late=8 * DAY, amount_minor=50, currency="EUR")
    writer.write([late])
    assert store.apply(events_table([late])) == 1
    assert store.online()["spend_7d_minor"].tolist() == [1250]  # it will be received the day after tomorrow
    clock.advance(2 * DAY)
    assert store.apply(events_table([late])) == 1
    assert store.online()["spend_30d_minor"].tolist() == [1300]
    assert OnlineStore.open(bank).row("cus_000001")["spend_30d_minor"] == 1300


def test_a_file_of_history_ends_in_the_past(bank: Workspace) -> None:
    years = timedelta(days=5000)
    at = NOW - years
    writer, store = EventWriter(bank.lake), FeatureStore(bank)
    old = [
        event(
            f"f{n}", "transaction", years + n * DAY, years, amount_minor=100, currency="EUR", source="file:9f"
        )
        for n in range(3)
    ]
    writer.write(old)
    assert present(bank, OWN_DATA) == at + timedelta(microseconds=1)
    store.refresh()
    assert store.online()["spend_7d_minor"].tolist() == [300]
    writer.write([event("now", "web_visit", timedelta(minutes=1))])
    assert present(bank, OWN_DATA) == NOW
    store.refresh()
    assert store.online()[["spend_7d_minor", "visits_7d"]].values.tolist() == [[0, 1]]


def test_training_rows_are_of_the_very_moment_of_sending(bank: Workspace) -> None:
    offer = {"offer_id": "rewards-card"}
    history = [
        event("a", "transaction", 9 * DAY, amount_minor=100, currency="EUR"),
        event("m1", "sent", 8 * DAY, **offer),
        event("m1-click", "click", 8 * DAY - timedelta(hours=1), message_id="m1", **offer),
        event(
            "b", "transaction", 8 * DAY, amount_minor=700, currency="EUR"
        ),  # the same moment: not before it
        event("c", "transaction", 9 * DAY, 4 * DAY, amount_minor=40, currency="EUR"),  # known after the first
        event("m2", "sent", 4 * DAY, **offer),
        event("m2-buy", "conversion", 3 * DAY, message_id="m2", amount_minor=5, currency="EUR", **offer),
        event("m3", "sent", DAY, **offer),  # two days to answer are not over
    ]
    EventWriter(bank.lake).write(history)
    frame = FeatureStore(bank).training_frame("rewards-card")
    assert frame["at"].tolist() == [NOW - 8 * DAY, NOW - 4 * DAY]
    assert frame["spend_30d_minor"].tolist() == [100, 840]
    assert frame["messages_30d"].tolist() == [0, 1]
    assert frame["clicks_email_90d"].tolist() == [0, 1]
    assert frame["clicked"].tolist() == [1, 0]
    assert frame["outcome"].tolist() == [0, 1]
    assert frame["window"].tolist() == ["morning", "morning"]
    assert FeatureStore(bank).training_frame("mortgage").empty


def test_the_back_end_is_named_or_local(bank: Workspace) -> None:
    EventWriter(bank.lake).write([event("w", "web_visit", DAY)])
    FeatureStore(bank).refresh()
    bank.settings = replace(bank.settings, feature_store="feats:/tmp")
    with pytest.raises(InvalidInput, match="FEATURE_STORE"):
        FeatureStore(bank).online([CUSTOMERS[0]])
