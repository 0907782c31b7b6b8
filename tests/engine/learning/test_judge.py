"""Comparing arms: z, sample ratio, guardrails, harm, intervals, assignment."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.learning.assignment import assign, in_holdout
from smart_reach.engine.learning.judge import (
    ArmOutcome,
    broken_guardrail,
    contest,
    harm,
    sample_ratio_p,
    wilson,
    z_value,
)


def test_the_z_of_a_known_table() -> None:
    # 60/1000 against 40/1000: pooled p = .05, z = .02 / sqrt(.05 · .95 · 2/1000)
    assert z_value(ArmOutcome("b", 1000, 1000, 60), ArmOutcome("a", 1000, 1000, 40)) == pytest.approx(
        2.05196, abs=1e-4
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=5))
def test_a_contest_compares_with_every_rival(counts: list[tuple[int, int]]) -> None:
    arms = [ArmOutcome(f"v{n}", h + m, h + m, h) for n, (h, m) in enumerate(counts)]
    seen = contest(arms)
    best = next(arm for arm in arms if arm.arm == seen.best)
    assert best.rate == max(arm.rate for arm in arms)
    assert seen.best != seen.rival
    assert all(z_value(best, arm) >= seen.z for arm in arms if arm is not best)


def test_sample_ratio() -> None:
    assert sample_ratio_p([ArmOutcome("a", 1000, 0, 0), ArmOutcome("b", 1010, 0, 0)]) > 0.5
    assert sample_ratio_p([ArmOutcome("a", 1000, 0, 0), ArmOutcome("b", 1200, 0, 0)]) < 0.001
    assert sample_ratio_p([ArmOutcome("a", 0, 0, 0), ArmOutcome("b", 0, 0, 0)]) == 1.0


def test_guardrails_speak_of_the_winner_only() -> None:
    calm = ArmOutcome("a", 1000, 1000, 40, opt_outs=5, complaints=0)
    loud = ArmOutcome("b", 1000, 1000, 90, opt_outs=20, complaints=0)
    assert "opt-outs" in str(broken_guardrail([calm, loud], "b"))
    assert broken_guardrail([calm, loud], "a") is None
    few = ArmOutcome("b", 1000, 1000, 90, opt_outs=5, complaints=3)
    assert broken_guardrail([calm, few], "b") is None
    angry = ArmOutcome("b", 1000, 1000, 90, opt_outs=5, complaints=8)
    assert "complaints" in str(broken_guardrail([calm, angry], "b"))


def test_harm_needs_evidence() -> None:
    good = ArmOutcome("a", 13_000, 13_000, 520)
    assert harm(ArmOutcome("b", 13_000, 13_000, 350), good)
    assert not harm(ArmOutcome("b", 13_000, 13_000, 500), good)
    assert not harm(ArmOutcome("b", 0, 0, 0), good)


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_rate(hits: int, misses: int) -> None:
    low, high = wilson(hits, hits + misses)
    assert 0.0 <= low <= high <= 1.0
    if hits + misses:
        assert low - 1e-12 <= hits / (hits + misses) <= high + 1e-12


def test_assignment_is_stable_even_and_independent() -> None:
    units = [f"cus_{n:06d}" for n in range(6000)]
    arms = [assign("EXP-0001", unit, ["a", "b", "c"]) for unit in units]
    assert arms == [assign("EXP-0001", unit, ["a", "b", "c"]) for unit in units]
    assert all(1850 < count < 2150 for count in Counter(arms).values())
    other = [assign("EXP-0002", unit, ["a", "b", "c"]) for unit in units]
    assert 1850 < sum(one == two for one, two in zip(arms, other, strict=True)) < 2150
    kept = [in_holdout("CMP-0001", unit, 0.1) for unit in units]
    assert 520 < sum(kept) < 680
    share = sum(a == "a" for a, k in zip(arms, kept, strict=True) if k) / sum(kept)
    assert 0.26 < share < 0.41
