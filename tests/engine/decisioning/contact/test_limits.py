"""Quiet hours across daylight saving, and rolling caps against a brute-force oracle."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.decisioning.contact.limits import (
    Contact,
    breaks_cap,
    is_quiet,
    quiet_until,
    refusing_cap,
    send_time,
)
from smart_reach.engine.decisioning.policy import Cap, ContactPolicy
from smart_reach.engine.errors import InvalidInput

START = datetime(2026, 11, 1, tzinfo=UTC)
POLICY = ContactPolicy()
ZONES = ["Europe/Lisbon", "Europe/Madrid", "Atlantic/Azores", "America/New_York", "Australia/Lord_Howe"]


def _accept(hours: list[int], span: int, limit: int) -> list[datetime]:
    """Offer contacts one after the other, in any order of time, and keep those the rule lets pass."""
    kept: list[datetime] = []
    for hour in hours:
        at = START + timedelta(hours=hour)
        if not breaks_cap(kept, at, span, limit):
            kept.append(at)
    return kept


def _most_in_any_window(times: list[datetime], span: int) -> int:
    """The oracle: slide a half-open window (t − span, t] over every minute that could matter."""
    width = timedelta(hours=span)
    ends = [time + shift for time in times for shift in (timedelta(0), width - timedelta(minutes=1))]
    return max((sum(end - width < one <= end for one in times) for end in ends), default=0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=40), st.sampled_from([1, 24, 72]), st.integers(0, 4))
def test_no_rolling_window_ever_holds_more_than_its_cap(hours, span, limit):
    assert _most_in_any_window(_accept(hours, span, limit), span) <= limit


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=20), st.integers(0, 200), st.integers(0, 4))
def test_a_refusal_is_always_needed(hours, hour, limit):
    kept, at = _accept(hours, 24, limit), START + timedelta(hours=hour)
    assert breaks_cap(kept, at, 24, limit) == (_most_in_any_window([*kept, at], 24) > limit)


def test_midnight_does_not_start_a_new_day():
    evening = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    policy = ContactPolicy(caps=(Cap(24, 1),))
    made = [Contact("email", evening)]
    assert refusing_cap(made, "push", evening + timedelta(hours=1, minutes=1), policy) == Cap(24, 1)
    assert refusing_cap(made, "push", evening + timedelta(hours=23, minutes=59), policy) == Cap(24, 1)
    assert refusing_cap(made, "push", evening + timedelta(hours=24), policy) is None


def test_a_reservation_for_tomorrow_blocks_tonight():
    tomorrow = START + timedelta(hours=20)
    assert breaks_cap([tomorrow], START, 24, 1)
    assert not breaks_cap([tomorrow], START - timedelta(hours=4), 24, 1)


def test_zero_means_none_and_nothing_means_no_cap():
    assert refusing_cap([], "sms", START, ContactPolicy(caps=(Cap(24, 0, "sms"),))) == Cap(24, 0, "sms")
    assert refusing_cap([], "push", START, ContactPolicy(caps=(Cap(24, 0, "sms"),))) is None
    many = [Contact("sms", START)] * 50
    assert refusing_cap(many, "sms", START, ContactPolicy(caps=(Cap(24, None, "sms"),))) is None
    assert Cap(24, 0, "sms").text == "no SMS messages are allowed"
    assert Cap(24, None).text == "no cap on messages in 24 hours"


@pytest.mark.parametrize(("hours", "limit"), [(0, 1), (-1, 1), (24, -1)])
def test_impossible_caps_are_refused(hours, limit):
    with pytest.raises(InvalidInput):
        Cap(hours, limit)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 366 * 24 * 60).map(
        lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(0, 60 * minute)
    ),
    st.sampled_from(ZONES),
    st.sampled_from([(time(21), time(8)), (time(1, 30), time(2, 30)), (time(0), time(1, 30))]),
)
def test_quiet_hours_end_at_the_first_loud_minute(at, zone, hours):
    policy = ContactPolicy(quiet_start=hours[0], quiet_end=hours[1])
    end = quiet_until(policy, zone, at)
    assert not is_quiet(policy, zone, end)
    assert end == at or is_quiet(policy, zone, end - timedelta(minutes=1))
    assert timedelta(0) <= end - at <= timedelta(hours=12)


def test_quiet_hours_on_the_nights_when_the_clock_changes():
    # Lisbon: 29 March 2026 01:00 → 02:00, 25 October 2026 02:00 → 01:00
    spring = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert quiet_until(POLICY, "Europe/Lisbon", spring) == datetime(2026, 3, 29, 7, 0, tzinfo=UTC)
    assert quiet_until(POLICY, "Europe/Lisbon", autumn) == datetime(2026, 10, 25, 8, 0, tzinfo=UTC)
    inside_the_gap = ContactPolicy(quiet_start=time(0), quiet_end=time(1, 30))
    assert quiet_until(inside_the_gap, "Europe/Lisbon", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)) == (
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    )


def test_the_same_moment_is_quiet_in_one_zone_only():
    at = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert is_quiet(POLICY, "Europe/Madrid", at)
    assert not is_quiet(POLICY, "Atlantic/Azores", at)
    assert not is_quiet(ContactPolicy(quiet_start=time(8), quiet_end=time(8)), "Europe/Madrid", at)


def test_send_time_is_now_inside_the_window_and_the_next_start_outside():
    noon = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert send_time("Europe/Lisbon", "midday", noon) == noon
    assert send_time("Europe/Lisbon", "evening", noon) == datetime(2026, 3, 28, 18, 0, tzinfo=UTC)
    # tomorrow's 8 am is one hour earlier in UTC, because the clock goes forward in the night
    assert send_time("Europe/Lisbon", "morning", noon) == datetime(2026, 3, 29, 7, 0, tzinfo=UTC)


def test_an_unknown_zone_is_named():
    with pytest.raises(InvalidInput, match="Mars/Olympus"):
        is_quiet(POLICY, "Mars/Olympus", START)


def test_policies_are_data():
    again = ContactPolicy.from_json(POLICY.as_json())
    assert again == POLICY
    assert again.hash == POLICY.hash
    assert ContactPolicy(caps=(Cap(24, 2),)).hash != POLICY.hash
