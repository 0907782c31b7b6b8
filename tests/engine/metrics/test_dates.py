"""The date grammar as one table with a fixed today (Friday 20 November 2026)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.metrics.questions.dates import find_dates
from smart_reach.engine.metrics.questions.parser import anchor_for
from smart_reach.engine.metrics.questions.periods import Anchor, previous, rolling, shift, unit_period
from smart_reach.engine.metrics.spec import Period

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "2026-11-20", "2026-11-20"),
        ("yesterday", "2026-11-19", "2026-11-19"),
        ("last 7 days", "2026-11-14", "2026-11-20"),
        ("the past 14 days", "2026-11-07", "2026-11-20"),
        ("over the last two weeks", "2026-11-07", "2026-11-20"),
        ("last 3 months", "2026-08-21", "2026-11-20"),
        ("past couple of weeks", "2026-11-07", "2026-11-20"),
        ("last fortnight", None, None),
        ("the past fortnight", "2026-11-07", "2026-11-20"),
        ("last 2 quarters", "2026-05-21", "2026-11-20"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("over the last month", "2026-10-21", "2026-11-20"),
        ("past month", "2026-10-21", "2026-11-20"),
        ("last quarter", "2026-07-01", "2026-09-30"),
        ("previous quarter", "2026-07-01", "2026-09-30"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("this week", "2026-11-16", "2026-11-20"),
        ("this month so far", "2026-11-01", "2026-11-20"),
        ("this quarter", "2026-10-01", "2026-11-20"),
        ("this year", "2026-01-01", "2026-11-20"),
        ("mtd", "2026-11-01", "2026-11-20"),
        ("qtd", "2026-10-01", "2026-11-20"),
        ("ytd", "2026-01-01", "2026-11-20"),
        ("year to date", "2026-01-01", "2026-11-20"),
        ("in may 2010", "2010-05-01", "2010-05-31"),
        ("in may", "2026-05-01", "2026-05-31"),
        ("in december", "2025-12-01", "2025-12-31"),
        ("in 2009", "2009-01-01", "2009-12-31"),
        ("q2 2010", "2010-04-01", "2010-06-30"),
        ("in q4", "2026-10-01", "2026-12-31"),
        ("since march", "2026-03-01", "2026-11-20"),
        ("since 3 may 2010", "2010-05-03", "2026-11-20"),
        ("between march and may 2010", "2010-03-01", "2010-05-31"),
        ("from march to june 2010", "2010-03-01", "2010-06-30"),
        ("from november to february 2010", "2009-11-01", "2010-02-28"),
        ("between 2026-10-01 and 2026-10-15", "2026-10-01", "2026-10-15"),
        ("from 1 oct 2026 to 15 oct 2026", "2026-10-01", "2026-10-15"),
        ("on 3rd of may 2010", "2010-05-03", "2010-05-03"),
        ("may 3 2010", "2010-05-03", "2010-05-03"),
        ("on 25 december", "2025-12-25", "2025-12-25"),
        ("on 31 feb 2010", None, None),
    ],
)
def test_a_phrase_means_these_days(text: str, start: str | None, end: str | None) -> None:
    found = [f for f in find_dates(text, Anchor(TODAY)) if f.period]
    if start is None or end is None:
        assert not any(f.start == 0 and f.end == len(text) for f in found)
        return
    assert len(found) == 1
    assert found[0].period is not None
    assert (found[0].period.start.isoformat(), found[0].period.end.isoformat()) == (start, end)


@pytest.mark.parametrize(
    ("text", "period", "comparison"),
    [
        ("week on week", ("2026-11-09", "2026-11-15"), ("2026-11-02", "2026-11-08")),
        ("wow", ("2026-11-09", "2026-11-15"), ("2026-11-02", "2026-11-08")),
        ("month over month", ("2026-10-01", "2026-10-31"), ("2026-09-01", "2026-09-30")),
        ("compared with last month", ("2026-11-01", "2026-11-20"), ("2026-10-01", "2026-10-20")),
        ("vs last week", ("2026-11-16", "2026-11-20"), ("2026-11-09", "2026-11-13")),
    ],
)
def test_a_comparison_means_two_periods(
    text: str, period: tuple[str, str], comparison: tuple[str, str]
) -> None:
    (found,) = find_dates(text, Anchor(TODAY))
    assert found.period is not None
    assert found.comparison is not None
    assert (str(found.period.start), str(found.period.end)) == period
    assert (str(found.comparison.start), str(found.comparison.end)) == comparison


def test_monthly_data_snaps_rolling_months() -> None:
    period = rolling(Anchor(date(2010, 11, 25), monthly=True), 3, "month")
    assert (period.start, period.end) == (date(2010, 9, 1), date(2010, 11, 30))


@pytest.mark.parametrize(
    ("newest", "expected", "moved"),
    [
        (date(2026, 11, 19), TODAY, False),
        (date(2010, 11, 25), date(2010, 11, 25), True),
        (None, TODAY, False),
    ],
)
def test_old_data_moves_the_anchor(newest: date | None, expected: date, moved: bool) -> None:
    anchor, was_moved = anchor_for(newest, TODAY, False)
    assert (anchor.day, was_moved) == (expected, moved)


DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))


@given(DAYS, st.sampled_from(["day", "week", "month", "quarter", "year"]), st.integers(-30, 30))
def test_units_tile_the_calendar(day: date, unit: str, offset: int) -> None:
    here, after = unit_period(day, unit, offset), unit_period(day, unit, offset + 1)
    assert (after.start - here.end).days == 1
    assert unit_period(day, unit).start <= day <= unit_period(day, unit).end


@given(DAYS, st.integers(0, 400))
def test_the_previous_period_touches_and_never_overlaps(day: date, length: int) -> None:
    period = Period(day, date.fromordinal(day.toordinal() + length))
    before = previous(period)
    assert (period.start - before.end).days == 1
    assert period.before().days == period.days


@given(DAYS, st.integers(-120, 120))
def test_shift_lands_in_the_right_month(day: date, months: int) -> None:
    moved = shift(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day <= day.day
