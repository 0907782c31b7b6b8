"""Local time of many events at once, daylight saving included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
HOUR = 3600
DAY = 86_400


class LocalTime:
    """Offsets of some zones, hour by hour, over a span of seconds since 1970.

    Zones here change their clocks on a full hour of UTC, so an hour has one offset.
    """

    def __init__(self, zones: Sequence[str], first: int, last: int) -> None:
        self._first = first // HOUR
        hours = range(self._first, last // HOUR + 2)
        self._offsets = np.array(
            [[_offset(ZoneInfo(zone), hour * HOUR) for hour in hours] for zone in zones], dtype=np.int64
        )

    def offset(self, zone: Ints, seconds: Ints) -> Ints:
        """Seconds east of UTC in force at each moment, by zone number."""
        column = np.clip(seconds // HOUR - self._first, 0, self._offsets.shape[1] - 1)
        return self._offsets[zone, column]

    def hour_and_weekday(self, zone: Ints, seconds: Ints) -> tuple[Ints, Ints]:
        """Local hour 0–23 and weekday (0 = Monday) of each moment."""
        local = seconds + self.offset(zone, seconds)
        return local // HOUR % 24, (local // DAY + 3) % 7  # 1 January 1970 was a Thursday

    def utc(self, zone: Ints, local: Ints) -> Ints:
        """UTC seconds of local wall-clock seconds; a skipped hour maps to the hour after it."""
        guess = local - self.offset(zone, local)
        return local - self.offset(zone, guess)


def _offset(zone: ZoneInfo, seconds: int) -> int:
    delta = datetime.fromtimestamp(seconds, UTC).astimezone(zone).utcoffset()
    return 0 if delta is None else int(delta.total_seconds())
