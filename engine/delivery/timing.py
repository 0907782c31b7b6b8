"""When a customer may be contacted: the campaign's window and quiet hours, in the customer's own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smart_reach.engine.catalog.words import Window

QUIET_FROM = time(20)
QUIET_UNTIL = time(8)


def is_quiet(at: datetime, zone: str) -> bool:
    """Whether it is between 8 pm and 8 am where the customer lives."""
    local = at.astimezone(ZoneInfo(zone)).time()
    return local >= QUIET_FROM or local < QUIET_UNTIL


def is_open(at: datetime, zone: str, window: Window) -> bool:
    """Whether the window is open for the customer and no quiet hour forbids it."""
    local = at.astimezone(ZoneInfo(zone)).time()
    return window.start <= local < window.end and not is_quiet(at, zone)


def next_opening(at: datetime, zone: str, window: Window) -> datetime:
    """The first moment from `at` on when the window is open, in UTC; `at` itself when it is open now.

    Built from local calendar days, so a day of 23 or 25 hours moves nothing.
    """
    if is_open(at, zone, window):
        return at.astimezone(UTC)
    day = at.astimezone(ZoneInfo(zone)).date()
    for ahead in range(3):
        opening = _opening(day + timedelta(days=ahead), zone, window)
        if opening > at:
            return opening
    raise AssertionError("a window opens every day")


def _opening(day: date, zone: str, window: Window) -> datetime:
    return datetime.combine(day, max(window.start, QUIET_UNTIL), ZoneInfo(zone)).astimezone(UTC)
