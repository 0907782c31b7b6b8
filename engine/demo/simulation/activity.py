"""What customers do without being asked: card transactions and visits to the bank's pages."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.population import Array, Population
from smart_reach.engine.demo.simulation.rows import RowBuilder, join, offer_names
from smart_reach.engine.demo.simulation.zones import DAY

_SPEND_WEEKDAY = np.array([0.9, 0.92, 0.95, 1.0, 1.15, 1.25, 0.83])
_VISIT_WEEKDAY = np.array([1.1, 1.12, 1.08, 1.05, 0.95, 0.78, 0.92])
_SPEND_HOURS = np.array([1, 1, 1, 0, 0, 1, 3, 7, 10, 10, 12, 14, 17, 16, 13, 12, 13, 15, 17, 16, 12, 8, 5, 2])
_VISIT_HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 10, 11, 10, 9, 9, 9, 10, 12, 13, 14, 13, 9, 5])
_IN_OWN_WINDOW = 0.55  # share of visits in the customer's preferred window
_SPELL_VISITS = 0.45  # extra visits a day to the pages of what the customer is shopping for
_AMOUNT_MEDIAN = np.array([1_400, 2_600, 6_200])  # minor units by income band


class Activity:
    """Draws organic events for whole days or parts of one."""

    def __init__(self, population: Population, builder: RowBuilder) -> None:
        self._people = population
        self._rows = builder

    def level(self, day: float) -> Array:
        """How active each customer is: 0 before joining and after leaving, fading while slipping."""
        people = self._people
        fading = np.exp(-np.maximum(day - people.slip_day, 0.0) / 14.0)
        here = (day >= -people.tenure_days) & (day < people.churn_day)
        return np.asarray(fading * here)

    def day(self, rng: np.random.Generator, day: int, tag: str, share: float = 1.0) -> list[pa.Table]:
        """Events of one calendar day (UTC number since the start); `share` of a day's rate."""
        level = self.level(day) * share
        weekday = (int(self._people.start) // DAY + day + 3) % 7
        return [
            self._transactions(rng, day, level * _SPEND_WEEKDAY[weekday], tag),
            self._visits(rng, day, level * _VISIT_WEEKDAY[weekday], tag),
        ]

    def _transactions(self, rng: np.random.Generator, day: int, level: Array, tag: str) -> pa.Table:
        who = _repeat(rng, self._people.activity * level)
        seconds = self._moments(rng, who, day, _clock_hours(rng, len(who), _SPEND_HOURS))
        amount = _AMOUNT_MEDIAN[self._people.income[who]] * rng.lognormal(0, 0.8, len(who))
        return self._rows.table(
            who,
            "transaction",
            seconds,
            _ids(tag, "t", len(who)),
            amount_minor=np.maximum(amount, 50).astype(np.int64),
            currency="EUR",
        )

    def _visits(self, rng: np.random.Generator, day: int, level: Array, tag: str) -> pa.Table:
        browsing = _repeat(rng, self._people.curiosity * level)
        offer = np.where(
            rng.random(len(browsing)) < 0.35, rng.integers(0, len(world.OFFERS), len(browsing)), -1
        )
        who, offers = [browsing], [offer]
        everyone = np.arange(self._people.size)
        for category in range(len(world.CATEGORIES)):
            strength = self._people.spell(everyone, np.full(len(everyone), category), np.array(float(day)))
            shopping = _repeat(rng, _SPELL_VISITS * strength * level)
            choices = np.flatnonzero(category == world.OFFER_CATEGORY)
            who.append(shopping)
            offers.append(rng.choice(choices, len(shopping)))
        visitor, page = np.concatenate(who), np.concatenate(offers)
        own = rng.random(len(visitor)) < _IN_OWN_WINDOW
        hours = np.where(own, self._window_hours(rng, visitor), _clock_hours(rng, len(visitor), _VISIT_HOURS))
        return self._rows.table(
            visitor,
            "web_visit",
            self._moments(rng, visitor, day, hours),
            _ids(tag, "v", len(visitor)),
            offer_id=offer_names(page),
        )

    def _window_hours(self, rng: np.random.Generator, who: Array) -> Array:
        starts = np.array([8, 11, 14, 18])[self._people.window[who]]
        lengths = np.array([3, 3, 4, 2])[self._people.window[who]]
        return np.asarray(starts + rng.random(len(who)) * lengths)

    def _moments(self, rng: np.random.Generator, who: Array, day: int, hours: Array) -> Array:
        """UTC seconds of local hours on a calendar day."""
        local = int(self._people.start) + day * DAY + (hours * 3600).astype(np.int64)
        utc = self._rows.local.utc(self._rows.zone(who), local)
        return np.asarray(utc + np.round(rng.random(len(who)), 3))


def _repeat(rng: np.random.Generator, rate: Array) -> Array:
    """Customer numbers, each as often as a Poisson draw says."""
    return np.repeat(np.arange(len(rate)), rng.poisson(rate))


def _clock_hours(rng: np.random.Generator, size: int, shape: Array) -> Array:
    return np.asarray(rng.choice(24, size, p=shape / shape.sum()) + rng.random(size))


def _ids(tag: str, letter: str, size: int) -> pa.Array:
    return join(f"{letter}-{tag}-", pa.array(np.arange(size)).cast(pa.string()))
