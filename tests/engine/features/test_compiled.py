"""Compiled features: no future, no past that was not known, and the values that the events give by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contract import Event
from smart_reach.engine.features.bank_features import BANK_MARKETING
from smart_reach.engine.features.compiler import compile_sql
from smart_reach.engine.features.definitions import FeatureDefinition, FeatureSet, count, helper, number
from smart_reach.engine.features.demo_features import DEMO
from smart_reach.engine.features.own_features import OWN_DATA
from smart_reach.engine.features.prepare import Surroundings, prepare
from tests.engine.features.histories import AROUND, CUSTOMERS, NOW, events, reader, snapshot
from tests.engine.features.oracle import PREPARE, SNAPSHOT

moments = st.one_of(
    st.just(NOW), st.integers(-48 * 60, 300 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
)
few = settings(max_examples=15, deadline=None)


def known(features: FeatureSet, event: Event, at: datetime) -> bool:
    """The rule, said a second time: it had happened, and it had been received (or came as history)."""
    imported = features.population == "events" and event.source.startswith("file:")
    return event.occurred_at < at and (imported or event.received_at <= at)


@few
@given(history=events(), at=moments)
@pytest.mark.parametrize("features", [DEMO, OWN_DATA], ids=lambda one: str(one.kind))
def test_a_feature_never_sees_what_was_not_known(
    features: FeatureSet, history: list[Event], at: datetime
) -> None:
    past = [event for event in history if known(features, event, at)]
    assert snapshot(features, history, at) == snapshot(features, past, at)


@few
@given(history=events(records=False), at=moments)
def test_the_demo_keeps_its_values(history: list[Event], at: datetime) -> None:
    """Against the query by hand that these definitions took the place of."""
    with reader(history) as connection:
        connection.register("offer_categories", AROUND.categories)
        connection.execute(PREPARE)
        before = connection.sql(SNAPSHOT, params={"as_of": at}).to_arrow_table()
    with reader(history) as connection:
        prepare(connection, DEMO, AROUND)
        after = connection.sql(compile_sql(DEMO), params={"as_of": at}).to_arrow_table()
    assert after.schema.equals(before.schema)
    assert after.to_pylist() == before.to_pylist()


@few
@given(history=events(), wanted=st.lists(st.tuples(st.sampled_from(CUSTOMERS), moments), max_size=6))
@pytest.mark.parametrize("features", [DEMO, OWN_DATA], ids=lambda one: str(one.kind))
def test_many_moments_at_once_are_each_moment_alone(
    features: FeatureSet, history: list[Event], wanted: list[tuple[str, datetime]]
) -> None:
    stamp = pa.timestamp("us", tz="UTC")
    spine = pa.table(
        {
            "customer_id": pa.array([one for one, _ in wanted], pa.string()),
            "as_of": pa.array([at for _, at in wanted], stamp),
        }
    )
    with reader(history) as connection:
        prepare(connection, features, AROUND)
        connection.register("wanted", spine)
        connection.execute(
            "CREATE TEMP TABLE spine AS SELECT DISTINCT person, as_of"
            " FROM wanted JOIN people USING (customer_id)"
        )
        rows = connection.sql(compile_sql(features, "spine")).to_arrow_table().to_pylist()
    got = {(row["customer_id"], row["as_of"]): row for row in rows}
    for customer, at in wanted:
        alone = {row["customer_id"]: row for row in snapshot(features, history, at)}
        if customer in alone:
            assert got[customer, at] == alone[customer]


@few
@given(history=events(), at=moments)
def test_own_data_by_hand(history: list[Event], at: datetime) -> None:
    """Counts, sums, standings and newest values against plain loops."""
    around = Surroundings(AROUND.categories, "EUR")
    rows = {row["customer_id"]: row for row in snapshot(OWN_DATA, history, at, around, keep=True)}
    mine = [event for event in history if known(OWN_DATA, event, at) and not event.machine]
    assert set(rows) == {event.customer_id for event in mine}
    for customer, row in rows.items():
        made = by_hand(mine, customer, at)
        assert {name: row[name] for name in made} == made


def by_hand(known_events: list[Event], customer: str, at: datetime) -> dict[str, Any]:
    mine = sorted(
        (event for event in known_events if event.customer_id == customer),
        key=lambda event: (event.occurred_at, event.event_id),
    )

    def within(kind: str, days: int) -> list[Event]:
        return [one for one in mine if one.kind == kind and one.occurred_at >= at - timedelta(days=days)]

    def amount(event: Event) -> int:
        return event.amount_minor or 0 if event.currency == "EUR" else 0

    products = {json.loads(e.attributes or "{}")["product"]: e for e in mine if e.kind == "holding"}
    consents: dict[str | None, bool] = {}
    for one in mine:
        said = json.loads(one.attributes or "{}")
        if one.kind == "unsubscribe" or (one.kind == "consent" and said["purpose"] == "marketing"):
            consents[one.channel] = said.get("granted", False)
    people = [json.loads(e.attributes or "{}") for e in mine if e.kind == "customer"]
    return {
        **{
            f"spend_{days}d_minor": sum(map(amount, within("transaction", days))) for days in (7, 30, 90, 365)
        },
        **{f"visits_{days}d": len(within("web_visit", days)) for days in (7, 30, 90, 365)},
        "purchases_30d": sum(amount(one) > 0 for one in within("transaction", 30)),
        "refunds_365d": sum(amount(one) < 0 for one in within("transaction", 365)),
        "opens_30d": len(within("open", 30)),
        "clicks_push_90d": sum(one.channel == "push" for one in within("click", 90)),
        "opt_outs_365d": len(within("unsubscribe", 365)),
        "holdings": sum('"opened"' in (event.attributes or "") for event in products.values()),
        "consents": sum(consents.values()),
        "segment": people[-1]["segment"] if people else None,
        "age": people[-1]["age"] if people else None,
    }


def test_of_two_at_the_same_time_the_greater_id_is_the_newest() -> None:
    """Whatever the order they came in: a replay may bring them the other way round."""
    at = NOW - timedelta(days=1)
    said = {"a": ("opened", "x"), "b": ("closed", "y")}
    rows = [
        Event(f"{kind}-{name}", CUSTOMERS[0], kind, at, at, "s", attributes=json.dumps(fact))
        for name, (status, segment) in said.items()
        for kind, fact in (
            ("holding", {"product": "p", "status": status}),
            ("customer", {"segment": segment}),
        )
    ]
    for history in (rows, rows[::-1]):
        row = snapshot(OWN_DATA, history, NOW)[0]
        assert (row["holdings"], row["segment"]) == (0, "y")


def test_only_some_customers_are_the_same_rows() -> None:
    history = [
        Event(f"e{n}", CUSTOMERS[n % 3], "transaction", NOW - timedelta(days=n + 1),
              NOW - timedelta(days=n), "s",
              amount_minor=100 * n, currency="EUR", channel="push") for n in range(9)
    ]  # fmt: skip
    for features in (DEMO, OWN_DATA):
        everybody = {row["customer_id"]: row for row in snapshot(features, history, NOW)}
        with reader(history) as connection:
            prepare(connection, features, AROUND, only=[CUSTOMERS[1], "nobody"], keep=False)
            rows = connection.sql(compile_sql(features), params={"as_of": NOW}).to_arrow_table().to_pylist()
        assert rows == [everybody[CUSTOMERS[1]]]
        parted: list[dict[str, Any]] = []
        for part in range(3):
            with reader(history) as connection:
                prepare(connection, features, AROUND, part=(part, 3))
                parted += (
                    connection.sql(compile_sql(features), params={"as_of": NOW}).to_arrow_table().to_pylist()
                )
        assert {row["customer_id"]: row for row in parted} == everybody


def test_definitions_say_what_is_wrong() -> None:
    with pytest.raises(InvalidInput, match="come with its file"):
        compile_sql(BANK_MARKETING)
    circle = FeatureSet("x", (number("a", "a", value="b + 1"), number("b", "b", value="a")))
    with pytest.raises(InvalidInput, match="circle"):
        compile_sql(circle)
    with pytest.raises(InvalidInput, match="own name"):
        FeatureSet("x", (number("a", "a"), number("a", "b")))
    with pytest.raises(InvalidInput, match="condition on events"):
        FeatureDefinition("a", "number", "a", "a", "count")
    with pytest.raises(InvalidInput, match="needs a value"):
        helper("a", "latest", "kind = 'open'")
    with pytest.raises(InvalidInput, match="needs a key"):
        replace(count("a", "a", "kind = 'open'", 7), aggregation="standing", value="true")
    with pytest.raises(InvalidInput, match="three capital letters"):
        Surroundings(AROUND.categories, "'; --")
