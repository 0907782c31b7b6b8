"""Pure rules of contact: local windows, quiet hours, rolling caps. No database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from smart_reach.engine.catalog.words import WINDOWS
from smart_reach.engine.decisioning.policy import Cap, ContactPolicy
from smart_reach.engine.errors import InvalidInput

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Contact:
    """One contact made or reserved."""

    channel: str
    at: datetime


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The zone's rules; raises InvalidInput for a name that the tz database does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput("zone", name, "Use a name of the tz database, such as Europe/Lisbon.") from error


def is_quiet(policy: ContactPolicy, zone: str, at: datetime) -> bool:
    """Whether the customer's clock stands in the quiet hours [start, end), which may cross midnight."""
    local = at.astimezone(zone_of(zone)).time()
    start, end = policy.quiet_start, policy.quiet_end
    if start == end:
        return False
    return start <= local < end if start < end else local >= start or local < end


def quiet_until(policy: ContactPolicy, zone: str, at: datetime) -> datetime:
    """The first minute from `at` on that is not quiet, in UTC; `at` itself when it is not.

    It walks real minutes, so a clock that jumps or repeats an hour is right by construction.
    """
    if not is_quiet(policy, zone, at):
        return at.astimezone(UTC)
    start = at.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    return _first_loud(policy.quiet_start.isoformat(), policy.quiet_end.isoformat(), zone, start)


@lru_cache(maxsize=4096)
def _first_loud(quiet_start: str, quiet_end: str, zone: str, start: datetime) -> datetime:
    policy = ContactPolicy.from_json(
        ContactPolicy().as_json() | {"quiet_start": quiet_start, "quiet_end": quiet_end}
    )
    at = start
    while is_quiet(policy, zone, at):
        at += _MINUTE
    return at


@lru_cache(maxsize=4096)
def send_time(zone: str, window_id: str, at: datetime) -> datetime:
    """When an action of this window would go out: now when the window is open, else at its next start."""
    window = WINDOWS[window_id]
    rules = zone_of(zone)
    local = at.astimezone(rules)
    if window.start <= local.time() < window.end:
        return at.astimezone(UTC)
    day = local.date() if local.time() < window.start else local.date() + timedelta(days=1)
    return datetime.combine(day, window.start, tzinfo=rules).astimezone(UTC)


def breaks_cap(times: Iterable[datetime], at: datetime, hours: int, limit: int) -> bool:
    """Whether one more contact at `at` makes any rolling window (t − hours, t] hold more than `limit`.

    Later contacts count too: a reservation for tomorrow must not be overtaken by one for tonight.
    """
    span = timedelta(hours=hours)
    near = sorted([time for time in times if at - span < time < at + span] + [at])
    return any(sum(1 for other in near if end - span < other <= end) > limit for end in near if end >= at)


def refusing_cap(
    contacts: Sequence[Contact], channel: str, at: datetime, policy: ContactPolicy
) -> Cap | None:
    """The first cap that a contact through `channel` at `at` would break."""
    for cap in policy.caps:
        if cap.limit is None or cap.channel not in (None, channel):
            continue
        times = [contact.at for contact in contacts if cap.channel in (None, contact.channel)]
        if breaks_cap(times, at, cap.hours, cap.limit):
            return cap
    return None
