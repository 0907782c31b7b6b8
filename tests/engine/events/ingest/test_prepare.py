"""A record that breaks a stage is found and set aside; hours are the customer's own; settings speak up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.catalog.tables import Customer
from smart_reach.engine.errors import InvalidInput, Unavailable
from smart_reach.engine.events.contract import Event, events_table
from smart_reach.engine.events.ingest.localise import Zones
from smart_reach.engine.events.ingest.prepare import Preparer, raw_of
from smart_reach.engine.events.ingest.stages import Stages, drop_keys
from smart_reach.engine.events.sources.kafka_settings import KafkaSettings
from smart_reach.engine.events.sources.source import Batch
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace
from tests.records import record

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def batch(lines: list[bytes]) -> Batch:
    return Batch({}, {"p": len(lines)}, lines=lines, places=[("p", str(row)) for row in range(len(lines))])


@settings(deadline=None)
@given(poison=st.sets(st.integers(0, 39), max_size=6))
def test_what_breaks_a_stage_is_found_by_halving(poison: set[int]) -> None:
    names = pa.array([f"e{number:07d}" for number in poison], pa.string())

    def resolve(events: pa.Table) -> pa.Table:
        if pc.any(pc.is_in(events["event_id"], names)).as_py():
            raise KeyError("a fault of ours")
        return drop_keys(events)

    some = batch([record(number) for number in range(40)])
    prepared = Preparer("test", Stages(resolve=resolve)).prepare(some, NOON)
    assert sorted(int(letter.position) for letter in prepared.letters) == sorted(poison)
    kept = [number for number in range(40) if number not in poison]
    assert prepared.events["event_id"].to_pylist() == [f"e{number:07d}" for number in kept]
    assert list(prepared.rows) == kept
    assert [raw_of(some, row)[1] for row in prepared.rows] == [record(number) for number in kept]


def test_an_outside_service_that_is_down_makes_no_letters() -> None:
    def resolve(events: pa.Table) -> pa.Table:
        raise Unavailable("down")

    with pytest.raises(Unavailable):
        Preparer("test", Stages(resolve=resolve)).prepare(batch([record(1)]), NOON)


def test_a_customer_nobody_knows_is_a_letter() -> None:
    stranger = record(1, customer_id=None, customer_key={"kind": "crm_id", "value": "C-1"})
    prepared = Preparer("test", Stages()).prepare(batch([stranger, record(2)]), NOON)
    assert [letter.position for letter in prepared.letters] == ["0"]
    assert prepared.events["event_id"].to_pylist() == ["e0000002"]


def test_hours_are_the_customers_own(workspace: Workspace) -> None:
    zones = {"a": "Asia/Tokyo", "b": "America/New_York", "c": "Not/AZone"}
    with transaction(workspace.db) as session:
        session.add_all(Customer(id=name, zone=zone) for name, zone in zones.items())
    times = [NOON + timedelta(hours=7 * step) for step in range(40)]
    rows = [
        Event(f"{name}{step}", name, "transaction", at, at, "test")
        for name in (*zones, "unknown")
        for step, at in enumerate(times)
    ]
    found = Zones(workspace.db)(events_table(rows))
    usable = zones | {"c": "UTC", "unknown": "UTC"}
    local = [row.occurred_at.astimezone(ZoneInfo(usable[row.customer_id])) for row in rows]
    assert found["local_hour"].to_pylist() == [at.hour for at in local]
    assert found["local_weekday"].to_pylist() == [at.weekday() for at in local]


def test_event_streams_needs_its_key() -> None:
    env = {"SMART_REACH_KAFKA": "broker:9093", "SMART_REACH_KAFKA_USERNAME": "token"}
    with pytest.raises(InvalidInput, match="API key"):
        KafkaSettings.from_env(env)
    settings = KafkaSettings.from_env(env | {"SMART_REACH_KAFKA_PASSWORD": "s3cret"})
    assert settings is not None
    assert "s3cret" not in repr(settings)
    client = settings.client(lambda error: None)
    assert (client["security.protocol"], client["sasl.mechanism"]) == ("SASL_SSL", "PLAIN")
    assert KafkaSettings.from_env({}) is None
