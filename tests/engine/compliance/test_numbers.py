"""Quantities are found in every disguise and read right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.compliance.folding import fold
from smart_reach.engine.compliance.numbers import quantities


@pytest.mark.parametrize(
    ("text", "values", "unit"),
    [
        ("19.9%", {19.9}, "percent"),
        ("19,9 %", {19.9}, "percent"),
        ("1.5 per cent", {1.5}, "percent"),
        ("twenty percent", {20.0}, "percent"),
        ("nineteen point nine percent", {19.9}, "percent"),
        ("one hundred and five euros", {105.0}, "EUR"),
        ("€1,000", {1000.0}, "EUR"),
        ("€1.000", {1000.0, 1.0}, "EUR"),
        ("1 000 €", {1000.0}, "EUR"),
        ("€1.234,56", {1234.56}, "EUR"),
        ("€2m", {2e6}, "EUR"),
        ("2 million euros", {2e6}, "EUR"),
        ("$50", {50.0}, "USD"),
        ("60-month", {60.0}, "month"),
        ("six months", {6.0}, "month"),
        ("10 lounge visits", {10.0}, "visit"),
        ("no annual fee", {0.0}, "zero"),
        ("without any charges", {0.0}, "zero"),
        ("31 December 2026", {20261231.0}, "date"),
        ("Dec 31st", {1231.0}, "date"),
        ("apr 19.9%", {19.9}, "percent"),
        ("2026-12-31", {20261231.0}, "date"),
        ("１９．９％", {19.9}, "percent"),
        ("١٩٪", {19.0}, None),
        ("²", {2.0}, None),
        ("❶", {1.0}, None),
        ("Ⅳ", {4.0}, None),
        ("五", {5.0}, None),
        ("1\u200b9%", {19.0}, "percent"),
        ("1<b>9</b>%", {19.0}, "percent"),
        ("&#49;&#57;&percnt;", {19.0}, "percent"),
        ("twеnty", {20.0}, None),  # with a Cyrillic е
        ("t w e n t y", set(), None),
        ("double", set(), None),
        ("half", set(), None),
        ("%", set(), "percent"),
    ],
)
def test_one_quantity_is_read(text: str, values: set[float], unit: str | None) -> None:
    found = quantities(fold(text).text)
    assert len(found) == 1
    assert found[0].values == values
    assert found[0].unit == unit


@pytest.mark.parametrize("text", ["all in one place", "someone", "No one", "weight", "often", "ease"])
def test_words_that_are_no_quantity(text: str) -> None:
    assert quantities(fold(text).text) == ()


def test_a_range_shares_its_unit() -> None:
    assert [(q.values, q.unit) for q in quantities("12 to 60 months")] == [
        ({12.0}, "month"),
        ({60.0}, "month"),
    ]
    assert [q.unit for q in quantities("1-2%")] == ["percent", "percent"]


@given(st.text(max_size=60))
def test_no_digit_is_ever_left_out(text: str) -> None:
    folded = fold(text)
    covered = {i for q in quantities(folded.text) for i in range(q.start, q.end)}
    assert {i for i, c in enumerate(folded.text) if c.isdigit()} <= covered


@given(st.text(max_size=60))
def test_folding_keeps_the_way_back(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(a <= b for a, b in zip(folded.starts, folded.starts[1:], strict=False))
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))
