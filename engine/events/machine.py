"""The machine filter: was it a person who opened or clicked, or a scanner on the way to the person?

The verdict is stored beside the raw event, never instead of it. Signals, each enough on its own:

- `seconds-after-delivery`: an open or click within `FAST_SECONDS` of delivery; people take longer to
  notice, find and read a message (Mautic and Braze filter by time since sending in the same way).
- `burst`: the message was clicked again within a second by something that had clicked it before.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FAST_SECONDS = 5.0
_BURST_MICROS = 1_000_000
ENGAGEMENT = pa.array(["open", "click"])


def judge(rows: pa.Table, delivered: dict[str, int]) -> pa.Table:
    """The rows with `machine` and `machine_signals` filled in for opens and clicks.

    `delivered`: microseconds since 1970 at which messages of earlier batches were delivered; deliveries
    inside `rows` (which has all event columns) are used as well. A verdict that came with the event is kept.
    """
    engaged = np.flatnonzero(pc.is_in(rows["kind"], ENGAGEMENT).to_numpy(zero_copy_only=False))
    if not len(engaged):
        return rows
    times = pc.cast(rows["occurred_at"], pa.int64()).to_numpy()
    known = delivered | deliveries(rows)
    messages = rows["message_id"].take(pa.array(engaged)).to_pylist()
    kinds = rows["kind"].take(pa.array(engaged)).to_pylist()
    since = np.array([times[i] - known.get(m, -(2**62)) for i, m in zip(engaged, messages, strict=True)])
    fast = (since >= 0) & (since <= FAST_SECONDS * 1e6)
    burst = _bursts(messages, kinds, times[engaged])
    machine = rows["machine"].to_numpy(zero_copy_only=False).copy()
    signals = rows["machine_signals"].to_pylist()
    for place in np.flatnonzero(fast | burst):
        row = engaged[place]
        machine[row] = True
        reasons = [signals[row]] if signals[row] else []
        reasons += ["seconds-after-delivery"] * bool(fast[place]) + ["burst"] * bool(burst[place])
        signals[row] = ",".join(dict.fromkeys(reasons))
    place = rows.schema.get_field_index("machine")
    rows = rows.set_column(place, rows.schema.field(place), pa.array(machine))
    place = rows.schema.get_field_index("machine_signals")
    return rows.set_column(place, rows.schema.field(place), pa.array(signals, pa.string()))


def deliveries(rows: pa.Table) -> dict[str, int]:
    """Message id → microseconds of delivery, for the deliveries in a batch."""
    done = rows.filter(pc.equal(rows["kind"], "delivered"))
    moments = pc.cast(done["occurred_at"], pa.int64()).to_pylist()
    return dict(zip(done["message_id"].to_pylist(), moments, strict=True))


def _bursts(messages: list[str | None], kinds: list[str], times: np.ndarray) -> np.ndarray:
    """Clicks that follow another click of the same message within a second."""
    found = np.zeros(len(messages), bool)
    last: dict[str, tuple[int, int]] = {}
    for place in np.argsort(times, kind="stable"):
        message = messages[place]
        if kinds[place] != "click" or message is None:
            continue
        earlier = last.get(message)
        if earlier is not None and times[place] - earlier[0] <= _BURST_MICROS:
            found[place] = found[earlier[1]] = True
        last[message] = (int(times[place]), int(place))
    return found
