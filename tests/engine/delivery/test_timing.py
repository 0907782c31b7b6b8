"""Windows and quiet hours in the customer's zone, over the changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.catalog.words import WINDOWS
from smart_reach.engine.delivery.timing import is_open, is_quiet, next_opening

ZONES = ["Europe/Lisbon", "Europe/London", "Atlantic/Azores", "America/New_York", "Australia/Lord_Howe"]


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001
    st.sampled_from(ZONES),
    st.sampled_from(sorted(WINDOWS)),
)
def test_the_next_opening_is_open_soon_and_the_first(naive: datetime, zone: str, window_id: str) -> None:
    at, window = naive.replace(tzinfo=UTC), WINDOWS[window_id]
    opening = next_opening(at, zone, window)
    assert opening >= at
    assert opening - at < timedelta(hours=26)
    assert is_open(opening, zone, window)
    assert not is_quiet(opening, zone)
    if opening > at:
        local = opening.astimezone(ZoneInfo(zone))
        assert local.time() == window.start
        assert not is_open(opening - timedelta(seconds=1), zone, window)
        step = (opening - at) / 7
        assert not any(is_open(at + step * number, zone, window) for number in range(7))


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        # Lisbon, the night of the change to summer time: 8 am comes an hour earlier in UTC
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 7, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 8, tzinfo=UTC)),
        (datetime(2026, 11, 20, 9, tzinfo=UTC), datetime(2026, 11, 20, 9, tzinfo=UTC)),
    ],
)
def test_known_mornings_in_lisbon(at: datetime, opening: datetime) -> None:
    assert next_opening(at, "Europe/Lisbon", WINDOWS["morning"]) == opening
