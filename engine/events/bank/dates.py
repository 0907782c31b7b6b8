"""Dates for a file that gives only month and weekday, but whose rows are in time order from May 2008.

A year begins where the month goes back. Inside a month each run of equal weekdays is one working day:
the next day of that name after the run before. Where a month has more runs than days, the rest share its
last day; order is kept, and the weekday of those rows is then only nearly right. Calls of one day are
spread in file order over 9 am to 6 pm in Lisbon.
"""

from __future__ import annotations

import itertools
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.bank.rules import MONTHS, WEEKDAYS

ZONE = "Europe/Lisbon"
_FIRST_YEAR = 2008
_MOST_YEARS = 10
_OPENS, _HOURS = 9, 9


def contact_times(name: str, months: Sequence[str], weekdays: Sequence[str]) -> list[datetime]:
    """One UTC time a row, never falling. `InvalidInput` when the rows cannot be in time order."""
    days: list[date] = []
    year, last_month, previous = _FIRST_YEAR, 0, date.min
    runs = itertools.groupby(range(len(months)), key=lambda row: (months[row], weekdays[row]))
    for (month_name, weekday_name), rows in runs:
        members = list(rows)
        month = MONTHS.index(month_name) + 1
        if month < last_month:
            year += 1
        if year - _FIRST_YEAR >= _MOST_YEARS:
            raise InvalidInput(
                f"{name}, row {members[0] + 1}, column month",
                month_name,
                f"Month goes back for the {_MOST_YEARS}th time: the rows are not in time order, and without"
                " it they have no date. Use bank-additional-full.csv as published, not a shuffled copy.",
            )
        last_month = month
        previous = _next_day(previous, year, month, WEEKDAYS.index(weekday_name))
        days += [previous] * len(members)
    return _spread(days)


def _next_day(previous: date, year: int, month: int, weekday: int) -> date:
    first = date(year, month, 1)
    last = date(year, month, monthrange(year, month)[1])
    day = max(first, previous + timedelta(days=1)) if previous > first else first
    day += timedelta(days=(weekday - day.weekday()) % 7)
    return day if day <= last else max(previous, last)


def _spread(days: Sequence[date]) -> list[datetime]:
    zone = ZoneInfo(ZONE)
    times: list[datetime] = []
    for day, group in itertools.groupby(days):
        size = len(list(group))
        opening = datetime.combine(day, time(_OPENS), zone)
        step = timedelta(hours=_HOURS) / size
        times += [(opening + step * (place + 0.5)).astimezone(UTC) for place in range(size)]
    return times
