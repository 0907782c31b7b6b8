"""Measures and calibration against known numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.models.calibration import (
    Calibrator,
    Intervals,
    choose_calibrator,
    fit_isotonic,
    fit_sigmoid,
    sigmoid,
)
from smart_reach.engine.models.measure import (
    auc,
    average_precision,
    expected_calibration_error,
    measure,
    reliability,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=40))
def test_auc_is_the_share_of_pairs_in_order(rows):
    y = np.array([one for one, _ in rows])
    score = np.array([two for _, two in rows], dtype=float)
    pairs = [(a > b) + 0.5 * (a == b) for a in score[y] for b in score[~y]]
    assert auc(y, score) == pytest.approx(np.mean(pairs) if pairs else 0.5)


def test_perfect_calibration_has_no_error():
    y = np.tile([1, 0, 0, 0], 500)
    assert expected_calibration_error(y, np.full(2000, 0.25)) == pytest.approx(0)
    assert expected_calibration_error(y, np.full(2000, 0.65)) == pytest.approx(0.4)


def test_bins_hold_every_row_once():
    rng = np.random.default_rng(1)
    p = rng.random(997).round(2)
    y = (rng.random(997) < p).astype(int)
    bins = reliability(y, p)
    assert sum(part.count for part in bins) == 997
    assert sum(part.positives for part in bins) == y.sum()
    assert all(part.low <= part.rate <= part.high for part in bins)


def test_one_class_is_measured_without_a_crash():
    result = measure(np.zeros(10), np.full(10, 0.1))
    assert (result.auc, result.average_precision, result.positives) == (0.5, 0.0, 0)
    assert average_precision(np.ones(3), np.ones(3)) == 1.0


def test_calibrated_forecasts_are_left_alone():
    rng = np.random.default_rng(2)
    p = rng.beta(2, 6, 6000)
    chosen, sentence = choose_calibrator((rng.random(6000) < p).astype(int), p)
    assert chosen.kind == "none"
    assert "Not recalibrated" in sentence


def test_miscalibrated_forecasts_are_mended():
    rng = np.random.default_rng(3)
    p = rng.beta(2, 6, 6000)
    y = (rng.random(6000) < p).astype(int)
    skewed = p**3
    chosen, _ = choose_calibrator(y, skewed)
    assert chosen.kind in ("sigmoid", "isotonic")
    assert expected_calibration_error(y, chosen(skewed)) < expected_calibration_error(y, skewed) / 3


def test_few_outcomes_are_no_ground_for_recalibration():
    chosen, sentence = choose_calibrator(np.tile([0, 1], 20), np.full(40, 0.1))
    assert chosen.kind == "none"
    assert "too few" in sentence


@pytest.mark.parametrize("fit", [fit_sigmoid, fit_isotonic])
def test_calibrators_survive_json(fit):
    rng = np.random.default_rng(4)
    p = rng.random(500)
    calibrator = fit((rng.random(500) < p).astype(int), p)
    again = Calibrator.from_json(calibrator.as_json())
    np.testing.assert_array_equal(again(p), calibrator(p))


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_intervals_hold_the_propensity(values):
    rng = np.random.default_rng(5)
    p = rng.beta(1, 8, 2000)
    intervals = Intervals.fit((rng.random(2000) < p).astype(int), p)
    again = Intervals.from_json(intervals.as_json())
    low, high = again(np.array(values))
    assert (low <= values).all()
    assert (high >= values).all()
    assert ((low >= 0) & (high <= 1)).all()


def test_sigmoid_of_zero():
    assert sigmoid(np.array([0.0]))[0] == 0.5
