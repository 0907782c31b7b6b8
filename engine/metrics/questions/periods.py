"""Periods of the calendar: whole units, rolling ones, and what a period is compared with."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from smart_reach.engine.metrics.spec import Period


@dataclass(frozen=True)
class Anchor:
    """The day that relative words count from. `monthly`: rolling months are whole months."""

    day: date
    monthly: bool = False


def shift(day: date, months: int) -> date:
    """The same day `months` later, clipped to the month's end."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_period(year: int, month: int) -> Period:
    """A calendar month, named as such."""
    start = date(year, month, 1)
    return Period(start, date(year, month, monthrange(year, month)[1]), f"{start:%B %Y}")


def unit_period(day: date, unit: str, offset: int = 0) -> Period:
    """The calendar day, week (from Monday), month, quarter or year that holds `day`, moved by `offset`."""
    if unit == "day":
        return Period(day + timedelta(days=offset), day + timedelta(days=offset))
    if unit == "week":
        start = day - timedelta(days=day.weekday()) + timedelta(weeks=offset)
        return Period(start, start + timedelta(days=6))
    size = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(day.year, (day.month - 1) // size * size + 1, 1)
    start = shift(first, offset * size)
    return Period(start, shift(start, size) - timedelta(days=1))


def rolling(anchor: Anchor, count: int, unit: str) -> Period:
    """The last `count` units, ending on the anchor day (or with its month, for monthly data)."""
    day = anchor.day
    if unit == "fortnight":
        count, unit = count * 14, "day"
    if unit in ("day", "week"):
        return Period(day - timedelta(days=count * (7 if unit == "week" else 1) - 1), day)
    months = count * {"month": 1, "quarter": 3, "year": 12}[unit]
    if anchor.monthly:
        end = unit_period(day, "month").end
        return Period(shift(date(end.year, end.month, 1), 1 - months), end)
    return Period(shift(day, -months) + timedelta(days=1), day)


def previous(period: Period) -> Period:
    """What a period is compared with: as many whole months or weeks before, else as many days."""
    if period.start.weekday() == 0 and period.days == 7:
        return unit_period(period.start, "week", -1)
    after = period.end + timedelta(days=1)
    if period.start.day == 1 and after.day == 1:
        months = (after.year - period.start.year) * 12 + after.month - period.start.month
        return Period(shift(period.start, -months), period.start - timedelta(days=1))
    return period.before()


def to_date(day: date, unit: str) -> Period:
    """The unit that holds `day`, up to that day."""
    return Period(unit_period(day, unit).start, day)


def previous_to_date(day: date, unit: str) -> Period:
    """As many days of the unit before, so that a unit so far meets its like."""
    now, before = to_date(day, unit), unit_period(day, unit, -1)
    return Period(before.start, min(before.start + timedelta(days=now.days - 1), before.end))
