"""What a source can get wrong: each record is refused for itself, in words, and its neighbours are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.events.contracts.fields import MAX_RECORD_BYTES
from smart_reach.engine.events.contracts.registry import CONTRACTS
from smart_reach.engine.events.contracts.validate import Checked, Refused, validate, validate_table

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
PAYMENT: dict[str, Any] = {
    "type": "transaction",
    "event_id": "t-1",
    "occurred_at": "2026-11-20T12:00:00Z",
    "customer_id": "cus_000001",
    "amount_minor": 1999,
    "currency": "EUR",
}


def line(**change: Any) -> bytes:
    record = {**PAYMENT, **change}
    return json.dumps({name: value for name, value in record.items() if value is not ...}).encode()


def read(*lines: bytes, **more: Any) -> Checked:
    return validate(lines, source="test", received_at=NOW, **more)


def refused(raw: bytes) -> Refused:
    """The refusal of a record that stands between two good ones, which are kept."""
    checked = read(line(event_id="before"), raw, line(event_id="after"), positions=["7", "8", "9"])
    assert checked.events["event_id"].to_pylist() == ["before", "after"]
    assert checked.events["row"].to_pylist() == [0, 2]
    (only,) = checked.refused
    assert (only.row, only.position, only.size) == (1, "8", len(raw))
    return only


BAD = {
    "nothing": (b"", None, "empty"),
    "spaces": (b"  \r", None, "empty"),
    "cut off": (line()[:-20], None, "not valid JSON"),
    "two records in a line": (line() + line(), None, "not valid JSON"),
    "no object": (b'["transaction"]', None, "no JSON object"),
    "a number": (b"12", None, "no JSON object"),
    "invalid UTF-8": (line().replace(b"cus_", b"cus\xff"), None, "not valid UTF-8"),
    "half a character": (line().replace(b"cus_", b"cus\xc3"), None, "not valid UTF-8"),
    "a lone surrogate": (line().replace(b"cus_", b"cus\\ud800"), None, "not valid JSON"),
    "NaN": (line().replace(b"1999", b"NaN"), None, "not valid JSON"),
    "Infinity": (line().replace(b"1999", b"-Infinity"), None, "not valid JSON"),
    "a number beyond all": (line().replace(b"1999", b"1e999"), None, "not valid JSON"),
    "no type": (line(type=...), "type", "does not say its type"),
    "an unknown type": (line(type="refund"), "type", "no such type"),
    "type null": (line(type=None), "type", "does not say its type"),
    "type of a wrong type": (line(type=["transaction"]), "type", "no such type"),
    "an unknown version": (line(version=7), "version", "not known"),
    "version true": (line(version=True), "version", "not known"),
    "an unknown field": (line(ammount_minor=1), "ammount_minor", "no such field"),
    "a personal field": (line(email="a@b.cd"), "email", "no such field"),
    "no id": (line(event_id=...), "event_id", "missing"),
    "an empty id": (line(event_id=""), "event_id", "empty"),
    "an id of a wrong type": (line(event_id=7), "event_id", "a number"),
    "a long id": (line(event_id="x" * 129), "event_id", "129 characters"),
    "NUL in an id": (line(event_id="a\x00b"), "event_id", "control characters"),
    "a line end in an id": (line(event_id="a\nb"), "event_id", "control characters"),
    "a text amount": (line(amount_minor="19.99"), "amount_minor", "This is text"),
    "a broken amount": (line(amount_minor=19.99), "amount_minor", "a number"),
    "a true amount": (line(amount_minor=True), "amount_minor", "true or false"),
    "a huge amount": (line(amount_minor=10**30), "amount_minor", "too large"),
    "beyond 64 bits": (line(amount_minor=2**63), "amount_minor", "too large"),
    "a small currency": (line(currency="eur"), "currency", "no currency code"),
    "nobody": (line(customer_id=...), "customer_id", "missing"),
    "two customers": (
        line(customer_key={"kind": "crm_id", "value": "1"}),
        "customer_id",
        "exclude each other",
    ),
    "half a key": (
        line(customer_id=..., customer_key={"kind": "crm_id"}),
        "customer_key.value",
        "is text|else",
    ),
    "a key of no kind": (
        line(customer_id=..., customer_key={"kind": "CRM id", "value": "1"}),
        "customer_key.kind",
        "no kind of key",
    ),
    "an e-mail as customer": (line(customer_id="maya@example.org"), "customer_id", "e-mail"),
    "a phone in a text": (line(reference="+351 912 345 678"), "reference", "phone"),
    "a personal attribute": (line(attributes={"home_phone": 1}), "attributes.home_phone", "personal"),
    "a nested attribute": (line(attributes={"basket": {"a": 1}}), "attributes.basket", "an object"),
    "too many attributes": (line(attributes={f"a{n}": n for n in range(61)}), "attributes", "too many"),
    "no time": (line(occurred_at="yesterday"), "occurred_at", "no time"),
    "an empty time": (line(occurred_at=""), "occurred_at", "no time"),
    "no zone": (line(occurred_at="2026-11-20T12:00:00"), "occurred_at", "no zone"),
    "only a day": (line(occurred_at="2026-11-20"), "occurred_at", "no zone"),
    "a day that is none": (line(occurred_at="2026-02-30T12:00:00Z"), "occurred_at", "no time"),
    "an hour that is none": (line(occurred_at="2026-11-20T25:00:00Z"), "occurred_at", "no time"),
    "epoch zero": (line(occurred_at=0), "occurred_at", "before 1990"),
    "epoch zero in words": (line(occurred_at="1970-01-01T00:00:00Z"), "occurred_at", "before 1990"),
    "epoch seconds": (line(occurred_at=1_790_000_000), "occurred_at", "before 1990"),
    "year one": (line(occurred_at="0001-01-01T00:00:00Z"), "occurred_at", "before 1990"),
    "far ahead": (line(occurred_at="2031-01-01T00:00:00Z"), "occurred_at", "24 hours ahead"),
    "far ahead in ms": (line(occurred_at=10**17), "occurred_at", "far ahead"),
    "centuries ahead": (line(occurred_at="2999-01-01T00:00:00Z"), "occurred_at", "far ahead"),
    "year 9999": (line(occurred_at="9999-12-31T23:59:59Z"), "occurred_at", "not written|ahead"),
    "deep nesting": (b"[" * 100_000, None, "nested|not valid JSON"),
    "deep attributes": (
        line().replace(b"1999", b'1,"attributes":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        None,
        "nested",
    ),
    "a byte order mark": (b"\xef\xbb\xbf" + line(), None, "not valid JSON"),
}


@pytest.mark.parametrize(("raw", "field", "reason"), BAD.values(), ids=list(BAD))
def test_a_bad_record_is_refused_alone_and_in_words(raw: bytes, field: str | None, reason: str) -> None:
    told = refused(raw)
    assert told.field == field
    assert any(part in told.reason for part in reason.split("|")), told.reason
    assert told.remedy.endswith((".", "?")) or "…" in told.remedy
    assert "\x00" not in f"{told.value}{told.record_id}{told.customer_id}{told.reason}"


def test_a_near_miss_is_guessed() -> None:
    assert "Did you mean amount_minor?" in refused(line(ammount_minor=1)).remedy
    event = {**CONTRACTS["campaign_event"].example, "event": "opened"}
    assert "Did you mean open?" in refused(json.dumps(event).encode()).remedy


def test_what_can_be_read_of_a_refused_record_is_kept() -> None:
    told = refused(line(amount_minor="x" * 5000))
    assert (told.contract, told.record_id, told.customer_id) == ("transaction", "t-1", "cus_000001")
    assert told.value is not None
    assert len(told.value) < 200
    assert told.raw == line(amount_minor="x" * 5000)


def test_a_huge_line_is_refused_unread_and_kept_in_part() -> None:
    raw = line(reference="x" * 100_000_000)
    told = refused(raw)
    assert "1 MB" in told.remedy
    assert (told.size, len(told.raw)) == (len(raw), 64 * 1024)


def test_a_record_of_just_under_a_megabyte_is_read() -> None:
    raw = line()
    assert not read(raw + b" " * (MAX_RECORD_BYTES - len(raw))).refused
    assert read(raw + b" " * (MAX_RECORD_BYTES - len(raw) + 1)).refused


def test_of_a_key_given_twice_the_last_counts() -> None:
    doubled = line()[:-1] + b', "amount_minor": 5, "event_id": "t-2"}'
    checked = read(doubled)
    assert checked.events.select(["event_id", "amount_minor"]).to_pylist() == [
        {"event_id": "t-2", "amount_minor": 5}
    ]
    assert read(doubled[:-1] + b', "amount_minor": "x"}').refused


def test_a_poisoned_stretch_among_thousands_costs_only_itself() -> None:
    lines = [line(event_id=f"t-{number}") for number in range(70_000)]
    bad = [*range(33_000, 33_500), 0, 69_999]
    for number, place in enumerate(bad):
        lines[place] = list(BAD.values())[number % 40][0]
    checked = read(*lines)
    assert [one.row for one in checked.refused] == sorted(bad)
    assert checked.events["row"].to_pylist() == sorted(set(range(70_000)) - set(bad))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.tuples(st.integers(0, 150), st.binary(max_size=3))), max_size=5
    )
)
def test_no_bytes_raise_and_none_are_lost(drawn: list[Any]) -> None:
    """Noise, and good records with some bytes written over."""
    lines = [
        one if isinstance(one, bytes) else line()[: one[0]] + one[1] + line()[one[0] + len(one[1]) :]
        for one in drawn
    ]
    checked = read(*lines)
    rows = checked.events["row"].to_pylist() + [one.row for one in checked.refused]
    assert sorted(rows) == list(range(len(lines)))


@pytest.mark.parametrize(
    ("given_time", "micros"),
    [
        ("2026-11-20T12:00:00Z", 0),
        ("2026-11-20 13:00+01:00", 0),
        ("2026-11-20T07:00:00.250-0500", 250_000),
        ("2026-11-20T12:00:00.123456789Z", 123_456),
        (1_795_176_000_000, 0),
        (1_795_176_000_001, 1_000),
    ],
)
@pytest.mark.parametrize("others", [(), (1_700_000_000_000,), ("2026-11-20T12:00:00Z", 1_700_000_000_000)])
def test_times_are_read_alike_alone_and_among_others(
    given_time: str | int, micros: int, others: tuple[str | int, ...]
) -> None:
    checked = read(line(occurred_at=given_time), *(line(occurred_at=other) for other in others))
    assert not checked.refused
    expected = datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(microseconds=micros)
    assert checked.events["occurred_at"][0].as_py() == expected


def test_a_day_ahead_is_allowed_for_clocks_that_run_fast() -> None:
    at_most = (NOW + timedelta(days=1)).isoformat()
    assert not read(line(occurred_at=at_most)).refused
    assert read(line(occurred_at=(NOW + timedelta(days=1, seconds=1)).isoformat())).refused


def test_what_is_stored_names_no_address_and_no_query() -> None:
    visit = {
        **CONTRACTS["web_event"].example,
        "ip": "203.0.113.77",
        "page": "/a?mail=x#y",
        "referrer": "/b?c",
    }
    (row,) = read(json.dumps(visit).encode()).events.to_pylist()
    assert (row["network"], row["page"]) == ("203.0.113.0/24", "/a")
    assert json.loads(row["attributes"])["referrer"] == "/b"
    wide = read(json.dumps({**visit, "ip": "2001:db8:1:2::3"}).encode()).events
    assert wide["network"].to_pylist() == ["2001:db8:1::/48"]


def test_records_without_type_take_the_default() -> None:
    checked = read(line(type=...), line(), line(type="web_event"), default_type="transaction")
    assert [one.row for one in checked.refused] == [2]
    mixed = read(
        line(type=...), json.dumps(CONTRACTS["consent"].example).encode(), default_type="transaction"
    )
    assert mixed.events["kind"].to_pylist() == ["transaction", "consent"]


def test_wrong_calls_are_told_so() -> None:
    with pytest.raises(InvalidInput):
        validate([line()], source="test", received_at=NOW.replace(tzinfo=None))
    with pytest.raises(NotFound):
        read(line(), default_type="payment")
    with pytest.raises(InvalidInput, match="amount"):
        validate_table(pa.table({"amount": [1]}), "transaction", source="test", received_at=NOW)
    assert read().events.num_rows == 0


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2], pa.int64()),
        pa.array([1.5, 2.0], pa.float64()),
        pa.array([True, False]),
        pa.array([["a"], ["b"]]),
        pa.array([datetime(2026, 1, 1), None], pa.timestamp("us")),  # noqa: DTZ001
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "name", ["event_id", "customer_key", "attributes", "occurred_at", "quantity", "keys"]
)
def test_columns_of_a_wrong_type_refuse_row_by_row(name: str, column: pa.Array) -> None:
    contract = {"keys": "customer", "channel": "campaign_event"}.get(name, "transaction")
    names = [field.name for field in CONTRACTS[contract].fields if field.name in PAYMENT]
    table = pa.table({**{one: [PAYMENT[one]] * 2 for one in names}, name: column})
    checked = validate_table(table, contract, source="test", received_at=NOW)
    rows = checked.events["row"].to_pylist() + [one.row for one in checked.refused]
    assert sorted(rows) == [0, 1]
    if name in ("customer_key", "attributes", "keys", "channel"):
        assert checked.refused


def test_columns_of_bytes_are_refused_as_columns() -> None:
    table = pa.table(
        {**{name: [value] for name, value in PAYMENT.items() if name != "type"}, "product": [b"a"]}
    )
    with pytest.raises(InvalidInput, match="product"):
        validate_table(table, "transaction", source="test", received_at=NOW)
