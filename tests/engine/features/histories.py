"""Random pasts of a few customers, and an in-memory stand-in for the lake's reader."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import strategies as st

from smart_reach.engine.events.contract import Event, events_table
from smart_reach.engine.features.compiler import compile_sql
from smart_reach.engine.features.definitions import FeatureSet
from smart_reach.engine.features.prepare import Surroundings, prepare

NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
CUSTOMERS = ("cus_000001", "cus_000002", "cus_000003")
OFFERS = {
    "rewards-card": "card",
    "personal-loan": "loan",
    "term-deposit": "savings",
    "home-insurance": "insurance",
}
KINDS = ("sent", "open", "click", "conversion", "web_visit", "transaction", "unsubscribe", "delivered")
AROUND = Surroundings(pa.table({"offer_id": list(OFFERS), "category": list(OFFERS.values())}))

# a few round distances, so that events meet the edges of windows and each other
_ago = st.one_of(
    st.integers(-3 * 24 * 60, 500 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.sampled_from([timedelta(days=days) for days in (0, 7, 30, 90, 365)]),
)
_late = st.one_of(
    st.just(timedelta(0)), st.integers(0, 60 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
)
_records = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("holding"),
            "status": st.sampled_from(["opened", "closed"]),
            "product": st.sampled_from("ab"),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("consent"),
            "granted": st.booleans(),
            "purpose": st.sampled_from(["marketing", "service"]),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just("customer"), "segment": st.sampled_from(["x", "y"]), "age": st.integers(18, 90)}
    ),
)
_facts = st.one_of(st.sampled_from(KINDS).map(lambda kind: {"kind": kind}), _records)


@st.composite
def events(draw: st.DrawFn, *, records: bool = True) -> list[Event]:
    """Up to forty events around NOW: early and late, human and machine, streamed and imported."""
    facts = st.sampled_from(KINDS).map(lambda kind: {"kind": kind})
    return [
        _event(draw, number, draw(_facts if records else facts)) for number in range(draw(st.integers(0, 40)))
    ]


def _event(draw: st.DrawFn, number: int, fact: dict[str, Any]) -> Event:
    said = dict(fact)
    kind, occurred = said.pop("kind"), NOW - draw(_ago)
    amount = draw(st.integers(-500, 900)) if kind in ("transaction", "conversion") else None
    return Event(
        f"e{draw(st.permutations(range(3)))[0]}{number:03d}",
        draw(st.sampled_from(CUSTOMERS)),
        kind,
        occurred,
        occurred + draw(_late),
        draw(st.sampled_from(["kafka:events", "file:abc"])),
        offer_id=draw(st.sampled_from([None, *OFFERS])),
        channel=draw(st.sampled_from(["email", "push", "sms", "in_app", "social"])),
        message_id=f"m{number}",
        amount_minor=amount,
        currency=None if amount is None else draw(st.sampled_from(["EUR", "EUR", "USD"])),
        machine=draw(st.booleans()) if kind in ("open", "click") else False,
        local_hour=draw(st.integers(0, 23)),
        attributes=json.dumps(said) if said else None,
    )


def customers() -> pa.Table:
    """Three customers as the demo bank keeps them; the third joins a week before NOW."""
    count = len(CUSTOMERS)
    columns: dict[str, object] = {
        "customer_id": list(CUSTOMERS),
        "age": pa.array([40, 25, 71], pa.int32()),
        "joined_on": pa.array([date(2025, 1, 1), date(2026, 5, 31), date(2026, 11, 3)], pa.date32()),
        "primary_channel": ["push", "email", "sms"],
        "opened_at": pa.array(
            [datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC), NOW],
            pa.timestamp("us", tz="UTC"),
        ),
        "opening_balance_minor": [10_000, 0, 5],
        "monthly_inflow_minor": [5_000, 123, 7],
    }
    for name in ("segment", "region", "age_band", "job", "marital", "income_band"):
        columns[name] = ["x"] * count
    for number, name in enumerate(("card", "loan", "insurance", "savings")):
        columns[f"had_{name}"] = [number == place for place in range(count)]
    return pa.table(columns)


def reader(history: list[Event]) -> duckdb.DuckDBPyConnection:
    """A connection with `events` and `customers`, as the lake gives one."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("events", events_table(history))
    connection.register("customers", customers())
    return connection


def snapshot(
    features: FeatureSet,
    history: list[Event],
    at: datetime,
    around: Surroundings = AROUND,
    *,
    keep: bool = False,
) -> list[dict[str, Any]]:
    """Everybody's features at a moment, computed from a history."""
    with reader(history) as connection:
        prepare(connection, features, around, keep=keep)
        return connection.sql(compile_sql(features), params={"as_of": at}).to_arrow_table().to_pylist()  # type: ignore[no-any-return]
