"""Own grammar for dates in questions: deterministic, anchored on a given day."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from smart_reach.engine.english import MONTHS, ONE_TO_TWELVE
from smart_reach.engine.metrics.questions.periods import (
    Anchor,
    month_period,
    previous_to_date,
    rolling,
    shift,
    to_date,
    unit_period,
)
from smart_reach.engine.metrics.spec import Grain, Period

_MONTH = "|".join(MONTHS) + "|" + "|".join(m[:3] for m in MONTHS if m != "may") + "|sept"
NUMBERS = {
    **ONE_TO_TWELVE,
    "a": 1,
    "couple": 2,
    "couple of": 2,
    "a couple of": 2,
    "few": 3,
    "twenty": 20,
    "thirty": 30,
    "sixty": 60,
    "ninety": 90,
}
_N = r"(\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + ")"
_UNIT = r"(day|week|fortnight|month|quarter|year)s?"
_DAY = (
    rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})(?: \d{{4}})?"
    rf"|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?(?: \d{{4}})?)"
)
_POINT = rf"(?:{_DAY}|(?:{_MONTH})(?: \d{{4}})?|(?:19|20)\d{{2}}|today|yesterday)"


@dataclass(frozen=True)
class Found:
    """A date phrase: characters [start, end) of the normalised text."""

    start: int
    end: int
    period: Period | None = None
    comparison: Period | None = None
    compare_previous: bool = False
    grain: Grain | None = None
    vague: bool = False  # lately, now: gives way to any other date
    problem: str | None = None  # why the words name no period; `period` is then the nearest that works


def _month_number(text: str) -> int:
    return next(i for i, name in enumerate(MONTHS, 1) if name.startswith(text[:3]))


def point(text: str, anchor: Anchor) -> Period | None:
    """The period that one date expression names; a month or day without a year is the newest past one."""
    today = anchor.day
    if text in ("today", "yesterday"):
        return unit_period(today, "day", 0 if text == "today" else -1)
    if match := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := re.fullmatch(r"(19|20)\d{2}", text):
        return unit_period(date(int(text), 1, 1), "year")
    name = re.search(rf"\b({_MONTH})\b", text)
    if name is None:
        return None
    month = _month_number(name[1])
    year_match = re.search(r"\b(\d{4})\b", text)
    day_match = re.search(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", text)
    year = int(year_match[1]) if year_match else today.year
    if day_match:
        found = _day(year, month, int(day_match[1]))
        if found and not year_match and found.start > today:
            found = _day(year - 1, month, int(day_match[1]))
        return found
    if not year_match and month > today.month:
        year -= 1
    return month_period(year, month)


def _day(year: int, month: int, day: int) -> Period | None:
    try:
        value = date(year, month, day)
    except ValueError:
        return None
    return Period(value, value)


def _count(text: str) -> int:
    return int(text) if text.isdigit() else NUMBERS[text]


Handler = Callable[[re.Match[str], Anchor], Found | None]


def _found(match: re.Match[str], period: Period | None, **more: object) -> Found:
    return Found(match.start(), match.end(), period, **more)  # type: ignore[arg-type]


def _between(match: re.Match[str], anchor: Anchor) -> Found | None:
    """From A to B; a year given once counts for both, and a start without one lies before the end."""
    first, second = match[1], match[2]
    year = re.search(r"\b(?:19|20)\d{2}\b", second)
    bare = re.search(r"\b(?:19|20)\d{2}\b", first) is None and first not in ("today", "yesterday")
    start = point(f"{first} {year[0]}" if year and bare else first, anchor)
    end = point(second, anchor)
    if start is None or end is None:
        return None
    if start.start > end.end and bare and (start.days > 1 or start.start.month != end.start.month):
        start = Period(shift(start.start, -12), shift(start.end, -12))
    if start.start <= end.end:
        return _found(match, Period(start.start, end.end))
    problem = f"The period from {start.dates} to {end.dates} ends before it starts. Which days do you mean?"
    return _found(match, Period(end.start, start.end), problem=problem)


def _rolling(match: re.Match[str], anchor: Anchor) -> Found:
    """The last n units; none of them is no period."""
    count, unit = _count(match[1] or match[2]), match[3]
    if count < 1:
        problem = f"The last 0 {unit}s hold no day. How far back do you mean?"
        return _found(match, rolling(anchor, RECENT_DAYS, "day"), problem=problem)
    return _found(match, rolling(anchor, count, unit))


RECENT_DAYS = 14


def _recent(match: re.Match[str], anchor: Anchor) -> Found:
    """Words for nowadays, all read alike; monthly data has its newest month."""
    count, unit = (1, "month") if anchor.monthly else (RECENT_DAYS, "day")
    return _found(match, rolling(anchor, count, unit), vague=True)


def _since(match: re.Match[str], anchor: Anchor) -> Found | None:
    start = point(match[1], anchor)
    return _found(match, Period(start.start, anchor.day)) if start and start.start <= anchor.day else None


def _point(match: re.Match[str], anchor: Anchor) -> Found | None:
    period = point(match[1], anchor)
    return _found(match, period) if period else None


def _quarter(match: re.Match[str], anchor: Anchor) -> Found:
    number, year = int(match[1]), int(match[2]) if match[2] else anchor.day.year
    if not match[2] and date(year, number * 3 - 2, 1) > anchor.day:
        year -= 1
    return _found(match, unit_period(date(year, number * 3 - 2, 1), "quarter"))


def _pair(match: re.Match[str], anchor: Anchor) -> Found:
    """Week on week: the newest whole unit against the one before it."""
    unit = {"w": "week", "m": "month", "q": "quarter", "y": "year", "d": "day"}[match[0][0]]
    end_of_now = unit_period(anchor.day, unit)
    offset = 0 if end_of_now.end == anchor.day else -1
    period = unit_period(anchor.day, unit, offset)
    return _found(match, period, comparison=unit_period(anchor.day, unit, offset - 1))


def _versus_last(match: re.Match[str], anchor: Anchor) -> Found:
    """… compared with last month: this month so far against as many days of the last."""
    unit = match[1]
    return _found(
        match,
        to_date(anchor.day, unit),
        comparison=previous_to_date(anchor.day, unit),
        compare_previous=True,
    )


_VS = r"(?:vs|versus|compared with|compared to|compare to|against|relative to|over|from)"
_GRAINS: dict[str, Grain] = {
    "daily": "day",
    "day by day": "day",
    "weekly": "week",
    "week by week": "week",
    "monthly": "month",
    "month by month": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
}
_ANY = r"(?:day|week|month|quarter|year)"
_RULES: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(pattern), handler)
    for pattern, handler in [
        (
            rf"\b{_ANY} (?:on|over|vs|versus) {_ANY}\b|\b[wmqyd]o[wmqyd]\b",
            _pair,
        ),
        (
            rf"\b{_VS} (?:the )?(?:previous|prior|preceding|past|same) (?:period|one|time)(?: before)?\b"
            rf"|\b{_VS} (?:the )?(?:period|{_ANY}|days|one) before\b"
            rf"|\b(?:with|to|and) the (?:period|{_ANY}|days|one) before\b",
            lambda m, a: _found(m, None, compare_previous=True),
        ),
        (
            rf"\b(?:(?:the )?(?:last|past|previous|prior|trailing) {_N}"
            rf"|(?:the )?{_N} (?:last|past|previous)) {_UNIT}\b",
            _rolling,
        ),
        (
            r"\b(?:(?:over|in|during|within|for) the last|(?:the )?past)"
            r" (day|week|fortnight|month|quarter|year)\b",
            lambda m, a: _found(m, rolling(a, 1, m[1])),
        ),
        (rf"\b{_VS} (?:the )?(?:last|previous|prior) (week|month|quarter|year)\b", _versus_last),
        (
            r"\b(?:the )?(?:last|previous|prior) (week|month|quarter|year)\b",
            lambda m, a: _found(m, unit_period(a.day, m[1], -1)),
        ),
        (
            r"\b(?:this|the current|current) (week|month|quarter|year)(?: so far| to date)?\b",
            lambda m, a: _found(m, to_date(a.day, m[1])),
        ),
        (r"\b(week|month|quarter|year) to date\b", lambda m, a: _found(m, to_date(a.day, m[1]))),
        (
            r"\b([wmqy])td\b",
            lambda m, a: _found(
                m, to_date(a.day, {"w": "week", "m": "month", "q": "quarter", "y": "year"}[m[1]])
            ),
        ),
        (rf"\b(?:between|from) ({_POINT}) (?:and|to|until|till|through) ({_POINT})\b", _between),
        (rf"\b({_POINT}) (?:to|until|till|through) ({_POINT})\b", _between),
        (rf"\b(?:since|from|starting|as of|after) ({_POINT})(?: on| onwards| onward)?\b", _since),
        (r"\b(?:in |for |during )?q([1-4])(?: (?:of )?(\d{4}))?\b", _quarter),
        (rf"\b(?:in |on |for |during |of |throughout )?({_POINT})\b", _point),
        (
            r"\b(?:all time|ever|since the (?:start|beginning)|(?:overall|whole|entire) period|so far"
            r"|to date)\b",
            lambda m, a: _found(m, Period(date(2000, 1, 1), a.day, "all")),
        ),
        (r"\b(?:" + "|".join(_GRAINS) + r")\b", lambda m, a: _found(m, None, grain=_GRAINS[m[0]])),
        (
            r"\b(?:by|per|each|every|a|split by|for each) (day|week|quarter|year)s?\b",
            lambda m, a: _found(m, None, grain=m[1]),
        ),
        (r"\b(?:per|each|every|for each) (month)s?\b", lambda m, a: _found(m, None, grain="month")),
        (
            # where data is monthly, "by month" asks for the month of the year, which is a dimension there
            r"\b(?:by|split by) months?\b",
            lambda m, a: None if a.monthly else _found(m, None, grain="month"),
        ),
        (
            r"\b(?:lately|recently|currently|nowadays|(?:right |just |as of |until )?now|these days|of late"
            r"|at the moment|at present|in recent (?:days|times))\b",
            _recent,
        ),
    ]
]


def find_dates(text: str, anchor: Anchor) -> list[Found]:
    """Every date phrase of the normalised text, without overlaps, in order of appearance."""
    found: list[Found] = []
    for pattern, handler in _RULES:
        for match in pattern.finditer(text):
            if any(match.start() < f.end and f.start < match.end() for f in found):
                continue
            item = handler(match, anchor)
            if item is not None:
                found.append(item)
    dated = any(f.period and not f.vague for f in found)
    found = [replace(f, period=None) if f.vague and dated else f for f in found]
    return sorted(found, key=lambda f: f.start)
