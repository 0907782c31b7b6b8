"""Mapping files: what they can say, and how a slip is named."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.sources.mapper import Made, Mapper
from smart_reach.engine.events.sources.mapping import parse_mapping, plain_mapping

HEAD = """name: shop
records:
  - type: transaction
    fields:
      event_id: {text: "shop-{$row}"}
      occurred_at: {column: at, zone: Europe/London}
      customer_key: {kind: crm_id, value: {column: who}}
      currency: {constant: GBP}
"""


def made_of(fields: str, rows: dict[str, Any], head: str = HEAD) -> Made:
    table = pa.table({"at": pa.array(["2026-06-01 10:00:00"] * len(next(iter(rows.values())))), **rows})
    if "who" not in rows:
        table = table.append_column("who", pa.array(["c1"] * table.num_rows))
    mapper = Mapper(parse_mapping(head + fields, "shop.yaml"), table.schema, "shop.csv", "d" * 64)
    try:
        return mapper.make(table, 0)
    finally:
        mapper.close()


def values(fields: str, rows: dict[str, Any], name: str) -> list[Any]:
    made = made_of(fields, rows)
    assert made.unmade == []
    return made.tables[0][2][name].to_pylist()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (HEAD.replace("fields:", "feilds:"), 4, "Did you mean 'fields'?"),
        (HEAD.replace("type: transaction", "type: transactoin"), 3, "Did you mean 'transaction'?"),
        (HEAD.replace("currency:", "curency:"), 8, "Did you mean 'currency'?"),
        (HEAD.replace("constant: GBP", "constnat: GBP"), 8, "Did you mean 'constant'?"),
        (HEAD.replace("Europe/London", "Europe/Londn"), 6, "Europe/London"),
        (HEAD.replace("{$row}", "{$rows}"), 5, "{$row}"),
        (HEAD.replace("{column: at, zone: Europe/London}", "at"), 6, "{column: NAME}"),
        (HEAD.replace("{constant: GBP}", "{constant: GBP, column: c}"), 8, "exactly one of"),
        (HEAD.replace("{constant: GBP}", "{constant: GBP, zone: UTC}"), 8, "a time"),
        (HEAD + "      amount_minor: {column: p, scale: 3}\n", 9, "1, 10, 100"),
        (HEAD + "      amount_minor: {multiply: [a]}\n", 9, "two columns"),
        (HEAD + "    when: {column: a, above: x}\n", 9, "a number"),
        (HEAD + "    when: {column: a, is: nothing}\n", 9, "empty, present"),
        (HEAD + "    when: {column: a}\n", 9, "exactly one of"),
        (HEAD + "      currency: {constant: EUR}\n", 9, "twice"),
        (HEAD.replace("{constant: GBP}", "&x {constant: GBP}"), 8, "in full"),
        (HEAD.replace("{constant: GBP}", "!!python/name:os.system x"), 8, "in full"),
        (HEAD + "      product: {column: p\n", 10, "Correct the YAML"),
        ("name: x\nrecords:\n  - {type: transaction}\n", 3, "`fields` is missing"),
        ("version: 2\n" + HEAD, 1, "version 1"),
    ],
)
def test_a_slip_is_named_with_its_line_and_the_remedy(text: str, line: int, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_mapping(text, "shop.yaml")
    assert f"shop.yaml, line {line}" in caught.value.field
    assert said in caught.value.message


@pytest.mark.parametrize("text", ["", "[]", "- a", "42", "a: b: c", "\x00", "{" * 2000])
def test_what_is_no_mapping_is_refused_without_a_crash(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_mapping(text, "shop.yaml")


def test_a_column_that_the_file_has_not_got_is_named() -> None:
    with pytest.raises(InvalidInput, match="Did you mean 'price'"):
        made_of("      product: {column: pirce}\n", {"price": ["1"]})


@settings(deadline=None)
@given(
    quantity=st.integers(-10_000, 10_000),
    price=st.decimals(-1_000_000, 1_000_000, places=4, allow_nan=False),
    typed=st.booleans(),
)
def test_money_is_exact(quantity: int, price: Decimal, typed: bool) -> None:
    rows: dict[str, Any] = {"q": [quantity], "p": [float(price) if typed else str(price)]}
    fields = "      amount_minor: {multiply: [q, p], scale: 100, round: half_up}\n"
    wanted = (quantity * price * 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert values(fields, rows, "amount_minor") == [int(wanted)]


def test_cents_that_are_no_whole_number_are_refused_unless_the_mapping_rounds() -> None:
    rows = {"p": ["2.55", "0.001", "x", "", "1e2", "9" * 40]}
    made = made_of("      amount_minor: {column: p, scale: 100}\n", rows)
    assert [one.row for one in made.unmade] == [1, 2, 5]
    assert [one.value for one in made.unmade][:2] == ["0.001", "x"]
    assert "round: half_up" in made.unmade[0].reason
    assert made.tables[0][2]["amount_minor"].to_pylist() == [255, None, 10000]
    assert made.tables[0][1].to_pylist() == [0, 3, 4]
    assert values("      amount_minor: {column: p, scale: 100, decimal: comma}\n", {"p": ["1.234,50"]},
                  "amount_minor") == [123450]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "value", "wanted"),
    [
        ("{column: t, zone: Europe/London}", "2026-07-01 10:00", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("{column: t, zone: Europe/London}", "2026-07-01T10:00Z", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("{column: t}", "2026-07-01T10:00+02:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("{column: t, format: epoch_s}", "1782900000", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("{column: t, format: epoch_ms}", 1782900000000, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (
            "{column: t, format: '%d.%m. %H:%M %Y', zone: UTC}",
            "1.7. 9:00 2026",
            datetime(2026, 7, 1, 9, tzinfo=UTC),
        ),
        ("{column: t, zone: Europe/London}", datetime(2026, 7, 1, 10), datetime(2026, 7, 1, 9, tzinfo=UTC)),  # noqa: DTZ001
        # the hour that the clocks leave out and the one they repeat
        ("{column: t, zone: Europe/London}", "2026-03-29 01:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("{column: t}", "2026-07-01 10:00", None),
        ("{column: t, zone: UTC}", "yesterday", None),
        ("{column: t, format: '%d.%m.%Y', zone: UTC}", "2026-07-01", None),
    ],
)
def test_times_are_read_in_their_zone(spec: str, value: Any, wanted: datetime | None) -> None:
    head = HEAD.replace("{column: at, zone: Europe/London}", spec)
    made = made_of("", {"t": [value]}, head)
    if wanted is None:
        assert made.unmade[0].field == "occurred_at"
        return
    assert made.unmade == []
    assert made.tables[0][2]["occurred_at"].to_pylist() == [wanted]


def test_ids_are_the_same_whatever_the_type_of_the_column() -> None:
    for column in (pa.array([17850.0, None]), pa.array([17850, None]), pa.array([" 17850 ", ""])):
        keys = values("      amount_minor: {constant: 1}\n", {"who": column}, "customer_key")
        assert keys == [{"kind": "crm_id", "value": "17850"}, None]
    hashed = "      reference: {hash: [a, b]}\n"
    full = values(hashed, {"a": ["x", "x"], "b": ["y", None]}, "reference")
    assert full == values(hashed, {"a": ["x", " x"], "b": ["y ", ""]}, "reference")
    assert full[0] != full[1]


def test_lookups_conditions_and_skips() -> None:
    head = "skip:\n  - {reason: tests, when: {column: k, starts_with: test}}\n" + HEAD
    fields = "      product: {column: k, lookup: {a: Apple, b: Pear}}\n    when: {column: n, at_least: 2}\n"
    made = made_of(fields, {"k": ["a", "b", "z", "test1", None], "n": [2, 1, 3, 9, 5]}, head)
    assert made.skipped == {"tests": 1}
    assert made.tables[0][2]["product"].to_pylist() == ["Apple", None]
    assert [(one.row, one.value) for one in made.unmade] == [(2, "z")]


def test_quotes_in_names_and_values_stay_data() -> None:
    evil = 'a"; DROP TABLE piece; --'
    head = HEAD.replace("{constant: GBP}", '{constant: "G\'; SELECT 1"}')
    fields = "      product: {column: 'a\"; DROP TABLE piece; --'}\n"
    made = made_of(fields, {evil: ["'; x"]}, head)
    assert made.tables[0][2]["product"].to_pylist() == ["'; x"]
    assert made.tables[0][2]["currency"].to_pylist() == ["G'; SELECT 1"]


def test_a_file_whose_columns_are_fields_needs_no_mapping() -> None:
    found = plain_mapping("customer", ["event_id", "occurred_at", "customer_key.crm_id", "attributes.region"])
    assert found.columns() == ["event_id", "occurred_at", "customer_key.crm_id", "attributes.region"]
    with pytest.raises(InvalidInput, match="Did you mean 'occurred_at'"):
        plain_mapping("customer", ["ocurred_at"])
