"""Bounds against published values, their properties, and what they promise in simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.learning.bounds import obf_bounds, obf_spending, sequence_margin
from smart_reach.engine.learning.judge import ArmOutcome, contest


def test_five_equal_looks_give_the_published_bounds() -> None:
    assert obf_bounds([0.2, 0.4, 0.6, 0.8, 1.0], 0.025) == pytest.approx(
        [4.877, 3.357, 2.680, 2.290, 2.031], abs=5e-4
    )


def test_one_look_is_the_fixed_sample_test() -> None:
    assert obf_bounds([1.0], 0.025) == pytest.approx([1.959964], abs=1e-6)


def test_a_look_too_early_has_no_bound() -> None:
    bounds = obf_bounds([0.01, 1.0], 0.025)
    assert bounds[0] == math.inf
    assert bounds[1] == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("fractions", [[], [0.0, 1.0], [0.5, 0.5], [0.6, 0.4], [0.5, 1.2]])
def test_fractions_must_rise_within_one(fractions: list[float]) -> None:
    with pytest.raises(InvalidInput):
        obf_bounds(fractions, 0.025)


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(1, 20), min_size=1, max_size=5), st.sampled_from([0.01, 0.025, 0.05]))
def test_unequal_looks_spend_exactly_alpha(twentieths: set[int], alpha: float) -> None:
    """Checked against simulated Brownian paths, not against the recursion itself."""
    fractions = [step / 20 for step in sorted(twentieths | {20})]
    bounds = obf_bounds(fractions, alpha)
    assert bounds[:1] == obf_bounds(fractions[:1], alpha)  # later looks change nothing before
    draws = np.random.default_rng(5).standard_normal((40_000, len(fractions)))
    paths = np.cumsum(draws * np.sqrt(np.diff([0.0, *fractions])), axis=1) / np.sqrt(fractions)
    crossed = (paths >= np.array(bounds)).any(axis=1).mean()
    assert crossed == pytest.approx(alpha, abs=4.5 * math.sqrt(alpha / 40_000))


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_spending_rises_to_alpha(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= obf_spending(low, 0.05) <= obf_spending(high, 0.05) <= 0.05


def simulate(runs: int, rates: tuple[float, ...], size: int, bounds: list[float]) -> tuple[int, int]:
    """(runs in which any arm was promoted, runs in which the last arm was), `len(bounds)` looks."""
    random, promoted, right = np.random.default_rng(3), 0, 0
    for _ in range(runs):
        hits = np.cumsum(random.binomial(size, rates, (len(bounds), len(rates))), axis=0)
        for number, bound in enumerate(bounds):
            count = size * (number + 1)
            seen = contest([ArmOutcome(str(a), count, count, int(h)) for a, h in enumerate(hits[number])])
            if seen.z >= bound:
                promoted += 1
                right += seen.best == str(len(rates) - 1)
                break
    return promoted, right


@pytest.mark.parametrize("arms", [2, 4])
def test_equal_variants_are_promoted_with_probability_alpha_at_most(arms: int) -> None:
    runs, alpha = 2500, 0.05
    bounds = obf_bounds([0.2, 0.4, 0.6, 0.8, 1.0], alpha / arms)
    promoted, _ = simulate(runs, (0.04,) * arms, 1500, bounds)
    assert promoted / runs <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)
    if arms == 2:
        naive, _ = simulate(runs, (0.04,) * arms, 1500, [1.645] * 5)
        assert naive / runs > 0.12  # peeking without bounds fails the same test


def test_a_real_difference_is_found_and_the_right_arm_wins() -> None:
    bounds = obf_bounds([0.2, 0.4, 0.6, 0.8, 1.0], 0.025)
    promoted, right = simulate(400, (0.04, 0.05), 1600, bounds)
    assert promoted > 0.75 * 400
    assert right >= promoted - 2


def test_the_confidence_sequence_holds_at_all_times() -> None:
    random, alpha, runs, length = np.random.default_rng(9), 0.05, 400, 3000
    steps = random.standard_normal((runs, length)).cumsum(axis=1) / np.arange(1, length + 1)
    margins = np.array([sequence_margin(count, 1.0, alpha) for count in range(1, length + 1)])
    missed = (steps[:, 50:] - margins[50:] > 0.0).any(axis=1).mean()
    assert missed <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)
    assert sequence_margin(0, 1.0, alpha) == math.inf
    assert sequence_margin(4000, 1.0, alpha) < sequence_margin(1000, 1.0, alpha) < 0.12
