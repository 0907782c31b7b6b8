"""Columns of a record's extras must read as if each row had been encoded for itself."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.events.contracts.checks import attribute_fault
from smart_reach.engine.events.contracts.extras import attribute_columns, extras_column
from smart_reach.engine.events.contracts.fields import LIMIT
from smart_reach.engine.events.contracts.registry import CONTRACTS
from smart_reach.engine.events.contracts.text import holds, suspicious, unfit

PAYMENT = CONTRACTS["transaction"]
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8) | st.sampled_from(
    ['"', "\\", 'say "hi"', "c:\\d", "é", "\x7f", "{,", "", "a/b", "😀"]
)
numbers = st.integers(-(10**15), 10**15)
KINDS: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "country": (words, pa.string()),
    "age": (numbers, pa.int64()),
    "new": (st.booleans(), pa.bool_()),
    "score": (st.floats(-1e15, 1e15), pa.float64()),
    "zone": (words, pa.large_string()),
}


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows with some of the extras of a payment and some free attributes."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        row = {name: draw(st.none() | values) for name, (values, _) in KINDS.items()}
        declared = {"product": words, "merchant_category": words, "quantity": numbers, "reference": words}
        found.append({"free": row} | {name: draw(st.none() | values) for name, values in declared.items()})
    return found


def columns_of(found: list[dict[str, Any]], free: Any) -> dict[str, Any]:
    text = ("product", "merchant_category", "reference")
    columns: dict[str, Any] = {name: pa.array([row[name] for row in found], pa.string()) for name in text}
    return columns | {
        "quantity": pa.array([row["quantity"] for row in found], pa.int64()),
        "attributes": free,
    }


def encoded(row: dict[str, Any]) -> str | None:
    """What the row says, put together by hand."""
    declared = {name: row[name] for name in ("product", "merchant_category", "quantity", "reference")}
    said = declared | {name: row["free"][name] for name in sorted(row["free"])}
    kept = {name: value for name, value in said.items() if value is not None}
    return msgspec.json.encode(kept).decode() if kept else None


@settings(max_examples=300, deadline=None)
@given(rows())
def test_rows_put_together_by_column_read_as_rows_put_together_one_by_one(
    found: list[dict[str, Any]],
) -> None:
    expected = [encoded(row) for row in found]
    listed = [{name: value for name, value in row["free"].items() if value is not None} for row in found]
    assert extras_column(PAYMENT, columns_of(found, listed), len(found)).to_pylist() == expected
    nested = pa.array(
        [row["free"] for row in found], pa.struct([(k, kind) for k, (_, kind) in KINDS.items()])
    )
    free, doubt = attribute_columns(PAYMENT, nested)
    made = extras_column(PAYMENT, columns_of(found, free), len(found)).to_pylist()
    assert [one for one, odd in zip(made, doubt, strict=True) if not odd] == [
        one for one, odd in zip(expected, doubt, strict=True) if not odd
    ]


odd_text = st.sampled_from(["a@b.cd", "+351 912 345 678", "x" * 513, "é" * 512, "a\x00", "a\tb", "fine", ""])
odd_values = [
    (odd_text, pa.string()),
    (st.sampled_from([LIMIT, LIMIT + 1, -LIMIT - 1, 2**62, 0]), pa.int64()),
    (st.sampled_from([math.inf, math.nan, -1e16, 1.5]), pa.float64()),
    (st.lists(st.integers(0, 3), max_size=2), pa.list_(pa.int64())),
]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_attribute_with_a_fault_passes_as_a_column(data: st.DataObject) -> None:
    values, kind = data.draw(st.sampled_from(odd_values))
    name = data.draw(st.sampled_from(["country", "e_mail", "product", "Country", "x" * 65]))
    given = data.draw(st.lists(st.none() | values, min_size=1, max_size=5))
    column = pa.array([{name: value} for value in given], pa.struct([(name, kind)]))
    _, doubt = attribute_columns(PAYMENT, column.slice(1) if len(given) > 1 else column)
    looked = given[1:] if len(given) > 1 else given
    faulty = [value is not None and attribute_fault(name, value, PAYMENT) is not None for value in looked]
    assert not (np.array(faulty) & ~doubt).any()


def test_more_attributes_than_fit_are_doubted_in_those_rows_only() -> None:
    names = [f"a{n}" for n in range(61)]
    rows = [dict.fromkeys(names, 1), {**dict.fromkeys(names, 1), "a0": None}]
    _, doubt = attribute_columns(PAYMENT, pa.array(rows))
    assert doubt.tolist() == [True, False]


def test_a_slice_of_text_is_looked_at_alone() -> None:
    whole = pa.array(["a@b", "x" * 9, "", "a\x01", "fine", None])
    assert holds(whole, b"@")
    assert not holds(whole.slice(1), b"@")
    assert suspicious(whole).tolist() == [True] + [False] * 5
    assert unfit(whole, 8, 1).tolist() == [False, True, True, True, False, False]
    assert unfit(whole.slice(4), 8, 1).tolist() == [False, False]
    assert not unfit(pa.nulls(3, pa.string()), 8, 1).any()
    assert not unfit(pa.array([], pa.string()), 8, 1).any()
