"""Looks at whole columns of text at once, in their bytes: whether any value could be wrong at all."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.events.contracts.fields import CONTROL_PATTERN

Mask = np.ndarray[Any, np.dtype[np.bool_]]
_CONTROL: Final = CONTROL_PATTERN.replace("\\u00", "\\x")  # as Arrow's engine writes it
_FIRST_PRINTABLE: Final = 0x20


def mask(values: pa.Array) -> Mask:
    """A column of true and false as NumPy's; null is false."""
    found: Mask = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return found


def holds(values: pa.Array, characters: bytes) -> bool:
    """Whether one of these ASCII characters stands anywhere in the column."""
    data = _bytes(values)
    return any(bool((data == one).any()) for one in characters)


def suspicious(values: pa.Array) -> Mask:
    """Rows that could be an e-mail address or a telephone number."""
    if not holds(values, b"@+"):
        return np.zeros(len(values), bool)
    return mask(pc.match_substring_regex(values, "[@+]"))


def unfit(values: pa.Array, longest: int, shortest: int) -> Mask:
    """Text that is too long, too short or holds control characters."""
    odd = np.zeros(len(values), bool)
    if not len(values):
        return odd
    sizes = np.diff(_offsets(values))
    if sizes.max() > longest:  # in bytes, which are never fewer than characters
        odd |= mask(pc.greater(pc.utf8_length(values), longest))
    if shortest and not sizes.all():
        odd |= mask(pc.less(pc.utf8_length(values), shortest))
    if (_bytes(values) < _FIRST_PRINTABLE).any():
        odd |= mask(pc.match_substring_regex(values, _CONTROL))
    return odd


def _offsets(values: pa.Array) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Where each value of a text column (`pa.string()`) begins and ends in its bytes."""
    start = np.frombuffer(values.buffers()[1], np.int32)
    return start[values.offset : values.offset + len(values) + 1]


def _bytes(values: pa.Array) -> np.ndarray[Any, np.dtype[np.uint8]]:
    data = values.buffers()[2]
    if data is None or not len(values) or values.null_count == len(values):
        return np.zeros(0, np.uint8)
    offsets = _offsets(values)
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
