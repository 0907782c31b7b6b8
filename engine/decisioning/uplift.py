"""Uplift seen so far: conversion of those who got an offer's messages against its holdout."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

_Z = 1.959963984540054
MIN_HOLDOUT = 50


@dataclass(frozen=True)
class Uplift:
    """Difference of two conversion rates with Newcombe's 95 % interval, or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    treated: int
    held_out: int
    note: str

    def as_json(self) -> dict[str, Any]:
        interval = None if self.value is None else [self.low, self.high]
        display = "not measured yet"
        if self.value is not None:
            display = f"{100 * self.value:+.1f} pp".replace("-", "−")
        return {
            "value": self.value,
            "interval": interval,
            "display": display,
            "treated": self.treated,
            "held_out": self.held_out,
            "note": self.note,
        }


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a rate."""
    p, z2 = successes / trials, _Z * _Z
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z / (1 + z2 / trials) * sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    return centre - half, centre + half


def difference(k1: int, n1: int, k0: int, n0: int) -> tuple[float, float, float]:
    """p1 − p0 with Newcombe's (1998, method 10) 95 % interval."""
    p1, p0 = k1 / n1, k0 / n0
    (l1, u1), (l0, u0) = wilson(k1, n1), wilson(k0, n0)
    gap = p1 - p0
    low = gap - sqrt((p1 - l1) ** 2 + (u0 - p0) ** 2)
    high = gap + sqrt((u1 - p1) ** 2 + (p0 - l0) ** 2)
    return gap, low, high


def measured_uplift(ws: Workspace, offer_id: str, channel: str) -> Uplift:
    """From the lake's messages of this offer and channel; holdout rows of the offer on any channel."""
    n1, k1, n0, k0 = _counts(ws, offer_id, channel)
    if n0 < MIN_HOLDOUT or n1 < MIN_HOLDOUT:
        note = f"Not enough past contacts to measure it: {n1} treated, {n0} held out ({MIN_HOLDOUT} needed)."
        return Uplift(None, None, None, n1, n0, note)
    value, low, high = difference(k1, n1, k0, n0)
    note = f"{k1} of {n1} treated against {k0} of {n0} held out converted."
    return Uplift(value, low, high, n1, n0, note)


def _counts(ws: Workspace, offer_id: str, channel: str) -> tuple[int, int, int, int]:
    if ws.lake.snapshot_id("events") is None:
        return 0, 0, 0, 0
    connection = ws.lake.connect()
    try:
        row = connection.execute(
            "SELECT count(*) FILTER (sent AND channel = ?), "
            "count(*) FILTER (sent AND channel = ? AND converted), "
            "count(*) FILTER (held_out), count(*) FILTER (held_out AND converted) "
            "FROM messages WHERE offer_id = ?",
            [channel, channel, offer_id],
        ).fetchone()
    finally:
        connection.close()
    return (0, 0, 0, 0) if row is None else (int(row[0]), int(row[1]), int(row[2]), int(row[3]))
