"""Anomalies: found when planted, quiet on ordinary data, silent below the floors."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from smart_reach.engine.metrics.anomalies import daily_arrays, detect
from smart_reach.engine.metrics.service import MetricsService

DROP_DAY = 70  # as in conftest.py: clicks of this day are gone


def series(seed: int, days: int = 90, cases: int = 800) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    den = rng.poisson(cases, days).astype(float)
    p = 0.08 * (1 + 0.2 * np.sin(np.arange(days) * 2 * np.pi / 7)) * rng.normal(1, 0.05, days)
    return rng.binomial(den.astype(int), np.clip(p, 0.001, 0.9)).astype(float), den


@pytest.mark.parametrize("seed", range(6))
def test_a_planted_drop_is_found(seed: int) -> None:
    num, den = series(seed)
    num[60] = round(num[60] * 0.3)
    found = detect(num, den)
    assert 60 in [index for index, *_ in found]
    _index, value, expected, z = next(item for item in found if item[0] == 60)
    assert value < expected
    assert z < 0


def test_ordinary_series_are_quiet() -> None:
    alarms = sum(len(detect(*series(seed))) for seed in range(1000, 1030))
    assert alarms <= 13  # 7.4 series-years at 1.1 false alarms each: 8 expected, 13 is the 97th percentile


def test_small_numbers_raise_nothing() -> None:
    num, den = series(1, cases=20)
    num[60] = 0
    assert not detect(num, den)


def test_counts_and_gaps() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(200, 60).astype(float)
    counts[40] = 600
    found = [index for index, *_ in detect(counts, None)]
    assert 40 in found
    assert len(found) <= 2
    num, den = series(2)
    num[30], den[30] = 0, 0
    assert 30 not in [index for index, *_ in detect(num, den)]


def test_too_short_a_history_says_nothing() -> None:
    num, den = series(1, days=14)
    assert detect(num, den) == []


def test_days_without_rows_are_zero() -> None:
    days, num, den = daily_arrays(
        [(date(2026, 1, 1), 1, 2), (date(2026, 1, 3), 3, 4)], date(2026, 1, 1), date(2026, 1, 3)
    )
    assert [d.day for d in days] == [1, 2, 3]
    assert num.tolist() == [1, 0, 3]
    assert den.tolist() == [2, 0, 4]


def test_the_bank_s_planted_anomaly_is_reported(demo: MetricsService) -> None:
    found = demo.anomalies("ctr")

    start = date(2026, 8, 23)
    assert found
    assert date.fromordinal(start.toordinal() + DROP_DAY) in [a.at for a in found]
    assert min(a.z for a in found) < -3.5
    answer = demo.ask("any anomalies in click-through rate?")
    assert answer.table
    assert "below" in answer.text
