"""What the Overview is narrowed to, and the stretch of time that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.questions.periods import Anchor
from smart_reach.engine.metrics.spec import Period


@dataclass(frozen=True)
class OverviewFilters:
    """What the page is narrowed to; the values are bound as parameters.

    `raw` counts the opens and clicks of machines too; `snapshot` reads the lake as it was then.
    """

    days: int = 14
    offer: str | None = None
    channel: str | None = None
    segment: str | None = None
    raw: bool = False
    snapshot: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 366:
            raise InvalidInput("days", self.days, "Use 1 to 366 days.")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> OverviewFilters:
        """From query parameters; empty text means no filter."""
        days = given.get("days") or 14
        if not str(days).isdigit():
            raise InvalidInput("days", days, "Use a whole number of days.")
        snapshot = given.get("snapshot") or None
        if snapshot is not None and not str(snapshot).isdigit():
            raise InvalidInput("snapshot", snapshot, "Use the id of a snapshot of the events.")
        return cls(
            int(days),
            given.get("offer") or None,
            given.get("channel") or None,
            given.get("segment") or None,
            raw=str(given.get("raw") or "") in ("1", "true", "True"),
            snapshot=None if snapshot is None else int(snapshot),
        )


@dataclass(frozen=True)
class Span:
    """The shown days and the same stretch before them. Both end at the same time of day."""

    period: Period
    previous: Period
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.period.days)

    @property
    def bounds(self) -> dict[str, datetime]:
        """The shown stretch, to bind."""
        return {"start": self.start, "end": self.end}


def span_of(anchor: Anchor, as_of: datetime, days: int, zone: str) -> Span:
    """The last `days` local days up to `as_of`."""
    start = anchor.day - timedelta(days=days - 1)
    period = Period(start, anchor.day)
    midnight = datetime(start.year, start.month, start.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Span(period, period.before(), midnight, as_of)
