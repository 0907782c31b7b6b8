"""Contributions sum to the change, exactly, whatever the groups do."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.drivers import decompose, surprise
from smart_reach.engine.metrics.service import MetricsService
from smart_reach.engine.metrics.spec import Period

CELLS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.integers(1, 10_000).flatmap(
        lambda den: st.tuples(st.integers(0, den).map(float), st.just(float(den)))
    ),
    min_size=1,
)


@given(CELLS, CELLS)
def test_a_rate_change_is_the_sum_of_its_parts(
    now: dict[str, tuple[float, float]], before: dict[str, tuple[float, float]]
) -> None:
    def rate(cells: dict[str, tuple[float, float]]) -> float:
        return sum(n for n, _ in cells.values()) / sum(d for _, d in cells.values())

    parts = decompose(now, before, ratio=True)
    assert sum(mix + change for mix, change in parts.values()) == pytest.approx(
        rate(now) - rate(before), abs=1e-12
    )


@given(CELLS, CELLS)
def test_an_amount_change_is_the_sum_of_its_parts(
    now: dict[str, tuple[float, float]], before: dict[str, tuple[float, float]]
) -> None:
    parts = decompose(now, before, ratio=False)
    want = sum(n for n, _ in now.values()) - sum(n for n, _ in before.values())
    assert sum(mix + change for mix, change in parts.values()) == pytest.approx(want)


def test_pure_mix_and_pure_rate() -> None:
    # same rates, weight moves from 10 % to 30 %
    mix = decompose({"a": (10, 100), "b": (90, 300)}, {"a": (30, 300), "b": (30, 100)}, ratio=True)
    assert all(rate == pytest.approx(0) for _, rate in mix.values())
    rate = decompose({"a": (20, 100), "b": (30, 100)}, {"a": (10, 100), "b": (30, 100)}, ratio=True)
    assert rate["a"] == (pytest.approx(0), pytest.approx(0.05))
    assert rate["b"] == (pytest.approx(0), pytest.approx(0))


@given(st.floats(0, 1), st.floats(0, 1))
def test_surprise_is_zero_only_without_change(p: float, q: float) -> None:
    assert surprise(p, q) >= -1e-12
    assert surprise(p, p) == pytest.approx(0)


def test_drivers_of_a_real_change_sum_up(demo: MetricsService) -> None:
    found = demo.drivers(
        "ctr", Period(date(2026, 10, 1), date(2026, 10, 31)), Period(date(2026, 9, 1), date(2026, 9, 30))
    )
    assert found.cuts
    for cut in found.cuts:
        assert sum(p.contribution for p in cut.parts) == pytest.approx(found.change, abs=1e-12)
        assert all(p.contribution == pytest.approx(p.mix + p.rate) for p in cut.parts)
    assert [c.score for c in found.cuts] == sorted((c.score for c in found.cuts), reverse=True)


def test_figures_that_do_not_add_up_have_no_drivers(demo: MetricsService) -> None:
    with pytest.raises(InvalidInput):
        demo.drivers(
            "reach",
            Period(date(2026, 10, 1), date(2026, 10, 31)),
            Period(date(2026, 9, 1), date(2026, 9, 30)),
        )


def test_the_answer_speaks_of_contribution(demo: MetricsService) -> None:
    answer = demo.ask("why did the click-through rate change last month?")
    assert "contribution" in answer.text
    assert "caus" not in answer.text.lower()
    assert "because" not in answer.text.lower()
