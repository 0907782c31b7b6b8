"""What the tiles are counted from: days and arms of messages, purchases, and feature snapshots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

Z90 = 1.6448536269514722
Z95 = 1.96


@dataclass(frozen=True)
class Day:
    """Counts of one local day of treated messages (or of contacts)."""

    day: date
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    unsubscribed: int = 0
    complained: int = 0
    bounced: int = 0
    revenue: int = 0
    held: int = 0
    held_converted: int = 0
    held_revenue: int = 0
    reach: int = 0


@dataclass(frozen=True)
class Arm:
    """Totals of one arm in one stretch. `revenue_sq`: sum of squared revenue a message, for the interval.

    `opened` and `clicked` are what the page counts; by people alone and with machines stand beside them.
    """

    sent: int = 0
    reach: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    unsubscribed: int = 0
    complained: int = 0
    bounced: int = 0
    opened_by_people: int = 0
    clicked_by_people: int = 0
    opened_raw: int = 0
    clicked_raw: int = 0
    revenue: float = 0.0
    revenue_sq: float = 0.0


@dataclass(frozen=True)
class Totals:
    """Treated and holdout arms of the shown days and of the days before."""

    now: Arm
    held: Arm
    before: Arm
    held_before: Arm


@dataclass(frozen=True)
class Bought:
    """Purchases of one stretch: buyers, transactions, their amount in minor units."""

    buyers: int = 0
    transactions: int = 0
    spend: int = 0


@dataclass(frozen=True)
class Purchases:
    """Purchases now, in the stretch before, and of each shown local day."""

    now: Bought
    before: Bought
    days: dict[date, Bought]


def incremental(treated: Arm, held: Arm, z: float = Z90) -> tuple[float, float, float] | None:
    """Revenue above what the same messages would have brought at the holdout's mean, with an interval.

    n_t(x̄_t − x̄_h) ± z·n_t·√(s²_t/n_t + s²_h/n_h) (Welch), minor units. None without enough holdout.
    """
    if treated.sent < 2 or held.sent < 10:
        return None
    estimate = treated.sent * (treated.revenue / treated.sent - held.revenue / held.sent)
    spread = math.sqrt(_variance(treated) / treated.sent + _variance(held) / held.sent)
    half = z * treated.sent * spread
    return estimate, estimate - half, estimate + half


def _variance(arm: Arm) -> float:
    return max(0.0, (arm.revenue_sq - arm.revenue**2 / arm.sent) / (arm.sent - 1))
