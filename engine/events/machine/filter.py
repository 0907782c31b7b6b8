"""The verdict on opens and clicks, with its signals, stored beside the raw event, never instead of it.

Each of these signals is enough for the verdict `machine`:

- `seconds-after-delivery`: within `FAST_SECONDS` of delivery; people take longer to notice, find and read a
  message (Mautic and Braze filter by time since sending in the same way).
- `burst`: the message was clicked again within a second by something that had clicked it before.
- `several-links`: `LINKS` different links of one message within `LINKS_SECONDS`; scanners try them all.
- `scanner-agent`: the user agent names a scanner, a preview or an HTTP library.
- `scanner-network`: the address belongs to a mail gateway.
- `cloud-click`: clicked from a cloud provider's network within `CLOUD_SECONDS` of delivery, and nobody had
  opened the message so far. (From a cloud network alone follows nothing: people use VPNs.)
- `privacy-prefetch`: an open by Apple Mail Privacy Protection, which fetches pictures of unread mail too.

This one is noted and leaves the verdict at `person`:

- `image-proxy`: an open through Gmail's or Yahoo's picture proxy, which fetches when somebody reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.events.machine.lists import agent_class, network_class

FAST_SECONDS: Final = 5.0
LINKS: Final = 3
LINKS_SECONDS: Final = 10.0
CLOUD_SECONDS: Final = 600.0
ENGAGEMENT = pa.array(["open", "click"])
MACHINE_SIGNALS: Final = (
    "seconds-after-delivery",
    "burst",
    "several-links",
    "scanner-agent",
    "scanner-network",
    "cloud-click",
    "privacy-prefetch",
)
PERSON_SIGNALS: Final = ("image-proxy",)
_BURST_MICROS: Final = 1_000_000
_UNKNOWN: Final = -(2**62)

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Earlier:
    """Of earlier batches: when messages were delivered (microseconds since 1970), and which were opened."""

    delivered: Mapping[str, int] = field(default_factory=dict)
    opened: Collection[str] = frozenset()


def judge(rows: pa.Table, earlier: Earlier) -> pa.Table:
    """The rows with `machine` and `machine_signals` filled in for opens and clicks.

    Deliveries and opens inside `rows` (which has all event columns) are used beside the earlier ones. A
    verdict that came with the event is kept.
    """
    engaged = np.flatnonzero(pc.is_in(rows["kind"], ENGAGEMENT).to_numpy(zero_copy_only=False))
    if not len(engaged):
        return rows
    delivered = {**earlier.delivered, **deliveries(rows)}
    found = _signals(rows.take(pa.array(engaged)), Earlier(delivered, earlier.opened))
    verdict = np.logical_or.reduce([found[name] for name in MACHINE_SIGNALS])
    seen = np.logical_or.reduce(list(found.values()))
    if not seen.any():
        return rows
    machine = rows["machine"].to_numpy(zero_copy_only=False).copy()
    machine[engaged[verdict]] = True
    told = rows["machine_signals"].to_pylist()
    for place in np.flatnonzero(seen).tolist():
        row = engaged[place]
        names = told[row].split(",") if told[row] else []
        names += [name for name, mask in found.items() if mask[place]]
        told[row] = ",".join(dict.fromkeys(names))
    rows = _with(rows, "machine", pa.array(machine))
    return _with(rows, "machine_signals", pa.array(told, pa.string()))


def deliveries(rows: pa.Table) -> dict[str, int]:
    """Message id → microseconds of delivery, for the deliveries in a batch."""
    done = rows.filter(pc.equal(rows["kind"], "delivered"))
    moments = pc.cast(done["occurred_at"], pa.int64()).to_pylist()
    return dict(zip(done["message_id"].to_pylist(), moments, strict=True))


def openings(rows: pa.Table) -> set[str]:
    """The messages that were opened in a batch."""
    return set(rows.filter(pc.equal(rows["kind"], "open"))["message_id"].drop_null().to_pylist())


def _signals(engaged: pa.Table, earlier: Earlier) -> dict[str, Mask]:
    """Signal → the opens and clicks that show it."""
    coded = engaged["message_id"].combine_chunks().dictionary_encode()
    message = np.asarray(pc.fill_null(coded.indices, -1)).astype(np.int64)
    at = np.asarray(pc.cast(engaged["occurred_at"], pa.int64()))
    click = np.asarray(pc.equal(engaged["kind"], "click").to_numpy(zero_copy_only=False))
    names = coded.dictionary.to_pylist()
    moments = np.array([earlier.delivered.get(name, _UNKNOWN) for name in names] + [_UNKNOWN])
    before = np.array([name in earlier.opened for name in names] + [False])
    since = np.where(moments[message] == _UNKNOWN, _UNKNOWN, at - moments[message])
    agent = _classes(engaged["user_agent"], agent_class)
    network = _classes(engaged["network"], network_class)
    opened = before[message] | np.isin(message, message[~click])
    soon = (since >= 0) & (since <= CLOUD_SECONDS * 1e6)
    return {
        "seconds-after-delivery": (since >= 0) & (since <= FAST_SECONDS * 1e6),
        "burst": _bursts(message, at, click),
        "several-links": _sweeps(message, at, click, engaged),
        "scanner-agent": agent == "scanner",
        "scanner-network": network == "scanner",
        "cloud-click": click & (network == "cloud") & ~opened & soon,
        "privacy-prefetch": ~click & (agent == "prefetch"),
        "image-proxy": ~click & (agent == "proxy"),
    }


def _classes(values: pa.ChunkedArray, of: Callable[[str], str | None]) -> np.ndarray[Any, Any]:
    """The class of each value; every different value is looked up once."""
    coded = values.combine_chunks().dictionary_encode()
    classes = [of(value) or "" for value in coded.dictionary.to_pylist()]
    found: np.ndarray[Any, Any] = np.array([*classes, ""])[np.asarray(pc.fill_null(coded.indices, -1))]
    return found


def _bursts(message: Numbers, at: Numbers, click: Mask) -> Mask:
    """Clicks that follow another click of the same message within a second, and the ones they follow."""
    found = np.zeros(len(message), bool)
    places = np.flatnonzero(click & (message >= 0))
    order = places[np.lexsort((at[places], message[places]))]
    close = (np.diff(message[order]) == 0) & (np.diff(at[order]) <= _BURST_MICROS)
    found[order[1:][close]] = True
    found[order[:-1][close]] = True
    return found


def _sweeps(message: Numbers, at: Numbers, click: Mask, engaged: pa.Table) -> Mask:
    """Clicks on several links of one message within seconds. Only messages clicked so often are looked at."""
    found = np.zeros(len(message), bool)
    places = np.flatnonzero(click & (message >= 0))
    names, counts = np.unique(message[places], return_counts=True)
    for name in names[counts >= LINKS].tolist():
        of_message = places[message[places] == name]
        of_message = of_message[np.argsort(at[of_message], kind="stable")]
        links = _links(engaged.take(pa.array(of_message)))
        found[of_message[_within(links, at[of_message])]] = True
    return found


def _within(links: Sequence[str | None], at: Numbers) -> Mask:
    """Clicks, in order of time, of which `LINKS` different links lie within `LINKS_SECONDS`."""
    inside: Counter[str | None] = Counter()
    marks = np.zeros(len(links) + 1, np.int64)
    first = 0
    for last, link in enumerate(links):
        inside[link] += 1
        while at[last] - at[first] > LINKS_SECONDS * 1e6:
            inside[links[first]] -= 1
            if not inside[links[first]]:
                del inside[links[first]]
            first += 1
        if len(inside) - (None in inside) >= LINKS:
            marks[first] += 1
            marks[last + 1] -= 1
    covered: Mask = np.cumsum(marks[:-1]) > 0
    return covered


def _links(clicks: pa.Table) -> list[str | None]:
    """What was clicked: the link's id, else its address."""
    found: list[str | None] = []
    for page, text in zip(clicks["page"].to_pylist(), clicks["attributes"].to_pylist(), strict=True):
        told = msgspec.json.decode(text) if text else {}
        found.append(str(told["link_id"]) if isinstance(told, dict) and told.get("link_id") else page)
    return found


def _with(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(place), values)
