"""One contract, told four ways, must say the same: JSON Schema, the fast path, the slow path, and columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.events.contract import KINDS, check_events
from smart_reach.engine.events.contracts.checks import fault_of
from smart_reach.engine.events.contracts.fields import LIMIT, Field
from smart_reach.engine.events.contracts.personal import network_of
from smart_reach.engine.events.contracts.refusing import latest_micros
from smart_reach.engine.events.contracts.registry import CONTRACTS, Contract, json_schema
from smart_reach.engine.events.contracts.validate import Checked, validate, validate_table
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
SCHEMAS = {name: jsonschema.Draft202012Validator(json_schema(one)) for name, one in CONTRACTS.items()}
contracts = st.sampled_from(list(CONTRACTS.values()))

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
times = st.one_of(
    st.datetimes(datetime(1991, 1, 1), datetime(2026, 11, 20)).map(  # noqa: DTZ001 - zoned below
        lambda at: at.replace(tzinfo=UTC).isoformat()
    ),
    st.sampled_from(["2026-11-20T12:00:00Z", "2026-11-20 12:00+02:00", "2026-11-20T12:00:00.123456789Z"]),
    st.integers(700_000_000_000, 1_790_000_000_000),
)
scalars = st.one_of(words, st.integers(-LIMIT, LIMIT), st.booleans(), st.none(), st.floats(-1e9, 1e9))
keys = st.fixed_dictionaries({"kind": st.sampled_from(["crm_id", "web_id"]), "value": words})
attributes = st.dictionaries(st.sampled_from(["zone", "age", "segment", "shoe_size"]), scalars, max_size=3)
# What comes in place of a value: every wrong shape, and the edges of the right one.
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", " ", "x" * 65, "x" * 129, "x" * 513, "é" * 128, "a\x00b", "a\tb", "2026", "EUR", "eur"]
    ),
    st.sampled_from(["a@b.cd", "@", "+351 912 345 678", "+1", "cus_1", "1989-01-01T00:00:00Z", "now"]),
    st.sampled_from(["2026-11-20T12:00:00", "2026-11-20", "2026-11-20 12Z", "email", "EMAIL", "open", "0"]),
    words,
    st.lists(st.one_of(keys, st.none(), words), max_size=3),
    st.lists(keys, min_size=19, max_size=22),
    keys,
    attributes,
    st.dictionaries(
        st.sampled_from(["Zone", "name", "e_mail", "channel", "x" * 64, "x" * 65, "a b", "", "home_phone"]),
        st.one_of(scalars, st.lists(words, max_size=1), st.sampled_from([2 * LIMIT, "a@b.cd", "x" * 513])),
        min_size=1,
        max_size=2,
    ),
    st.sampled_from([{f"a{n}": n for n in range(count)} for count in (60, 61)]),
    st.sampled_from([{"kind": "crm_id"}, {"kind": "CRM", "value": "1"}, {"kind": "a", "value": "1", "x": 1}]),
)


def value_of(field: Field) -> st.SearchStrategy[Any]:
    """Good values of a field."""
    match field.type:
        case "id" | "text":
            return words
        case "integer":
            return st.integers(field.minimum, field.maximum)
        case "boolean":
            return st.booleans()
        case "enum":
            return st.sampled_from(field.enum)
        case "currency":
            return st.sampled_from(["EUR", "USD", "GBP"])
        case "time":
            return times
        case "address":
            return st.sampled_from(["203.0.113.9", "2001:db8::1", "::ffff:198.51.100.7"])
        case "key":
            return keys
        case "keys":
            return st.lists(keys, max_size=3)
        case "attributes":
            return attributes


@st.composite
def records(draw: st.DrawFn, contract: Contract, slips: int) -> dict[str, Any]:
    """A record of a contract with up to `slips` fields that are odd, missing or unknown."""
    made: dict[str, Any] = {"type": contract.name}
    for field in contract.fields:
        if field.required or draw(st.booleans()):
            made[field.name] = draw(value_of(field))
    if draw(st.booleans()):
        made.pop("customer_id" if draw(st.booleans()) else "customer_key", None)
    names = [*(field.name for field in contract.fields), "version", "page", "amount", "email"]
    for _ in range(draw(st.integers(0, slips))):
        name = draw(st.sampled_from(names))
        if draw(st.integers(0, 3)):
            made[name] = draw(odd)
        else:
            made.pop(name, None)
    return made


def the_schema_cannot_say(record: dict[str, Any]) -> bool:
    """Times that do not exist or lie ahead, and addresses that are none."""
    at, address = record.get("occurred_at"), record.get("ip")
    ahead = isinstance(at, int | float) and at > 1_790_000_000_000
    return ahead or (isinstance(address, str) and network_of(address) is None)


def read(lines: list[bytes]) -> Checked:
    return validate(lines, source="test", received_at=NOW)


def told(checked: Checked) -> list[tuple[str | None, ...]]:
    """What is said about the refused."""
    return [(one.field, one.value, one.reason, one.remedy) for one in checked.refused]


@settings(max_examples=400, deadline=None)
@given(data=st.data(), contract=contracts)
def test_the_schema_and_the_validator_agree(data: st.DataObject, contract: Contract) -> None:
    record = data.draw(records(contract, slips=2))
    if the_schema_cannot_say(record):
        return
    checked = read([json.dumps(record).encode()])
    fault = fault_of(record, contract, latest_micros(NOW))
    errors = [error.message for error in SCHEMAS[contract.name].iter_errors(record)]
    assert bool(checked.refused) == bool(errors), (record, checked.refused, errors)
    assert bool(checked.refused) == (fault is not None), (record, checked.refused, fault)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_neighbours_do_not_change_a_record(data: st.DataObject) -> None:
    """A batch gives what its lines give one by one, in their order, with their rows."""
    drawn = data.draw(st.lists(contracts.flatmap(lambda one: records(one, slips=1)), min_size=1, max_size=8))
    lines = [json.dumps(record).encode() for record in drawn]
    together = read(lines)
    alone = [read([line]) for line in lines]
    assert together.events.drop(["row"]).equals(pa.concat_tables([one.events for one in alone]).drop(["row"]))
    refused = [row for row, one in enumerate(alone) if one.refused]
    assert [one.row for one in together.refused] == refused
    assert together.events["row"].to_pylist() == [row for row in range(len(lines)) if row not in refused]
    reasons = [(one.field, one.reason, one.remedy) for one in together.refused]
    assert reasons == [
        (one.refused[0].field, one.refused[0].reason, one.refused[0].remedy) for one in alone if one.refused
    ]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), contract=contracts)
def test_columns_and_lines_agree(data: st.DataObject, contract: Contract) -> None:
    """Rows of a file give the events and the refusals that the same records give as JSON."""
    drawn = data.draw(st.lists(records(contract, slips=0), min_size=1, max_size=6))
    drawn = [{**one, "occurred_at": str(one["occurred_at"])} for one in drawn]
    slips = st.sampled_from(
        [
            ("occurred_at", "1970-01-01T00:00:00Z"),
            ("event_id", ""),
            ("event_id", None),
            ("event_id", "a\x00"),
            ("customer_id", "a@b.cd"),
            ("channel", "fax"),
            ("currency", "eur"),
            ("amount_minor", 2 * LIMIT),
        ]
    )
    for record in drawn:
        name, value = data.draw(slips)
        if data.draw(st.booleans()) and contract.field(name) is not None:
            record[name] = value
    names = [field.name for field in contract.fields]
    nested = [record.get("attributes") or {} for record in drawn]
    for record, inner in zip(drawn, nested, strict=True):
        record["attributes"] = {name: str(value) for name, value in inner.items() if value is not None}
    columns = {name: [record.get(name) for record in drawn] for name in names}
    table = pa.table(columns)
    lines = [json.dumps(record).encode() for record in drawn]
    by_line = read(lines)
    by_column = validate_table(table, contract.name, source="test", received_at=NOW)
    assert by_column.events.equals(by_line.events)
    assert told(by_column) == told(by_line)
    assert [one.row for one in by_column.refused] == [one.row for one in by_line.refused]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_the_example_becomes_an_event_that_the_lake_takes(contract: Contract) -> None:
    checked = read([json.dumps(contract.example).encode()])
    assert not checked.refused
    assert set(checked.events["kind"].to_pylist()) <= set(contract.kinds)
    assert set(contract.kinds) <= set(KINDS)
    check_events(checked.events.select(EVENT_SCHEMA.names))
    schema = json_schema(contract)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == {"type", "version", *(field.name for field in contract.fields)}
