"""Times as records give them: read one by one or a column at a time, and what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.events.contracts.fields import EARLIEST_MS, LATEST_YEAR_MS, TIME_PATTERN
from smart_reach.engine.lakehouse.schemas import UTC_MICROS

DAY_MICROS: Final = 86_400_000_000
# Stands for what is no time; before every time, so that every range refuses it.
NO_TIME: Final = -(2**62)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MISSING: Final = "A missing time? Give when it happened."
_EXPECTED: Final = "Give ISO 8601 with its zone, such as 2026-11-20T12:00:00Z, or epoch milliseconds."
_ZONED: Final = "(Z|[+-][0-9][0-9]:?[0-9][0-9])$"
_time = re.compile(TIME_PATTERN)
Micros = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a record, where, and what to do."""

    field: str | None
    value: Any
    reason: str
    remedy: str


def moment(value: str | int) -> int | None:
    """µs since 1970 of a time as a record gives it; None when it is no time."""
    if isinstance(value, int):
        return value * 1000 if EARLIEST_MS <= value <= LATEST_YEAR_MS else None
    if not _time.fullmatch(value):
        return None
    # Python reads six digits of a second; what is finer is cut off.
    text = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", value)
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (at - _EPOCH) // timedelta(microseconds=1)


def times(values: Sequence[str | int]) -> Micros:
    """µs since 1970, and a value before every time where it is none."""
    try:
        return times_of(pa.array(values, pa.string()))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _one_by_one(values)  # whole numbers


def times_of(text: pa.Array) -> Micros:
    """The same of a text column."""
    try:
        if _usual(text):
            return np.asarray(text.cast(UTC_MICROS).cast(pa.int64()))
    except pa.ArrowInvalid:
        pass  # one of them is no time
    return _one_by_one(text.to_pylist())


def _usual(text: pa.Array) -> bool:
    """Whether all are written with minutes, and with Z or hours and minutes as the zone.

    Arrow would read "2026-11-20 12Z" and "2026-11-20T12:00+02" as well, which are no times here.
    """
    shortest = pc.min(pc.binary_length(text)).as_py()
    if shortest is None or shortest < len("2026-11-20T12:00Z"):
        return False
    if pc.all(pc.equal(pc.utf8_slice_codeunits(text, -1), "Z")).as_py():
        return True
    if shortest <= len("2026-11-20T12+02:00"):
        return False
    return bool(pc.all(pc.match_substring_regex(text, _ZONED)).as_py())


def _one_by_one(values: Sequence[str | int]) -> Micros:
    found = [moment(value) for value in values]
    return np.array([NO_TIME if at is None else at for at in found], np.int64)


def time_fault(name: str, value: str | int, latest: int) -> Fault | None:
    """What is wrong with a time; `latest` is the µs since 1970 that it may not pass."""
    at = moment(value)
    if at is None:
        return _no_time(name, value)
    if at < EARLIEST_MS * 1000:
        return Fault(name, value, "The time is before 1990.", _MISSING)
    if at > latest:
        return Fault(
            name, value, "The time is more than 24 hours ahead.", "Check the clock and the unit (ms)."
        )
    return None


def _no_time(name: str, value: str | int) -> Fault:
    if isinstance(value, int):
        early = value < EARLIEST_MS
        remedy = "Give epoch milliseconds, not seconds." if value > 0 else _MISSING
        return Fault(name, value, "The time is before 1990." if early else "The time is far ahead.", remedy)
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return Fault(name, value, "It is no time.", _EXPECTED)
    if read.year < 1990:
        return Fault(name, value, "The time is before 1990.", _MISSING)
    if read.year > 2099:
        return Fault(name, value, "The time is far ahead.", "Check the clock that gave it.")
    if read.tzinfo is None:
        return Fault(name, value, "The time has no zone.", _EXPECTED)
    return Fault(name, value, "The time is not written as expected.", _EXPECTED)
