"""The customers of the demo bank, as arrays: what the bank knows of them and what only the truth knows."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smart_reach.engine.canonical import stable_unit
from smart_reach.engine.demo.simulation import world

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Population:
    """One entry a customer; codes index the tuples of `world`. Days count from the history's start."""

    seed: Array
    start: Array  # seconds since 1970 of day 0
    segment: Array
    region: Array
    age: Array
    income: Array
    job: Array
    marital: Array
    tenure_days: Array  # at day 0; negative: joins that many days later
    held: Array  # (n, 4) categories held at day 0
    balance: Array  # minor units when its events begin
    holdout: Array
    primary_channel: Array
    consent: Array  # (n, 5) at day 0
    # hidden from every feature
    window: Array
    engagement: Array
    activity: Array  # transactions a day
    curiosity: Array  # web visits a day
    scanned: Array
    churn_day: Array
    slip_day: Array
    spell_start: Array  # (n, 4) by category
    spell_days: Array
    spell_strength: Array
    taste: Array  # (n, 12)
    persuadable: Array
    # state at the end of the history
    accepted: Array  # (n, 12)

    @property
    def size(self) -> int:
        return len(self.segment)

    @property
    def zone(self) -> Array:
        """Zone number of each customer."""
        zones: Array = world.REGION_ZONE[self.region]
        return zones

    def ids(self) -> list[str]:
        return [customer_id(number) for number in range(self.size)]

    def spell(self, index: Array, category: Array, day: Array) -> Array:
        """Strength of shopping for a category on a day; 0 outside a spell. Spells return every 190 days."""
        start, length = self.spell_start[index, category], self.spell_days[index, category]
        active = (day - start) % 190.0 < length
        return np.asarray(np.where(active, self.spell_strength[index, category], 0.0))

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{field.name: getattr(self, field.name) for field in fields(self)})
        path.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> Population:
        with np.load(path) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})


def customer_id(number: int) -> str:
    """`cus_000001` for customer number 0."""
    return f"cus_{number + 1:06d}"


def customer_number(identifier: str) -> int:
    """The number behind `cus_000001`: 0."""
    return int(identifier.removeprefix("cus_")) - 1


def make_population(size: int, days: int, start: int, seed: int) -> Population:
    """Draw the customers; the same arguments give the same arrays."""
    rng = np.random.default_rng([seed, 1])
    segment = rng.choice(len(world.SEGMENTS), size, p=world.SEGMENT_SHARE)
    low, high = np.array(world.SEGMENT_AGE).T
    income = _pick_by_row(rng, np.array(world.SEGMENT_INCOME)[segment])
    tenure = rng.exponential(np.array(world.SEGMENT_TENURE_MONTHS)[segment] * 30.4).astype(int) + 20
    joins_late = rng.random(size) < 0.06
    spells = rng.random((size, 4)) < 0.10
    activity = np.array(world.SEGMENT_ACTIVITY)[segment] * rng.lognormal(-0.12, 0.5, size)
    return Population(
        seed=np.array(seed),
        start=np.array(start),
        segment=segment,
        region=rng.choice(len(world.REGIONS), size, p=world.REGION_SHARE),
        age=rng.integers(low[segment], high[segment]),
        income=income,
        job=_jobs(rng, segment),
        marital=_pick_by_row(rng, np.where((segment < 2)[:, None], (0.75, 0.2, 0.05), (0.2, 0.62, 0.18))),
        tenure_days=np.where(joins_late, -rng.integers(0, max(days - 10, 1), size), tenure),
        held=rng.random((size, 4)) < np.array(world.SEGMENT_HOLDS)[segment],
        balance=(np.array(world.MONTHLY_INCOME_MINOR)[income] * rng.lognormal(0.3, 0.9, size)).astype(int),
        holdout=np.array([stable_unit("holdout", customer_id(n)) < world.HOLDOUT_SHARE for n in range(size)]),
        primary_channel=_channels(rng, segment),
        consent=rng.random((size, 5)) < world.CONSENT_SHARE,
        window=_windows(rng, segment),
        engagement=rng.standard_normal(size),
        activity=activity,
        curiosity=0.05 * rng.lognormal(-0.18, 0.6, size) * (1 + (segment < 3)),
        scanned=rng.random(size) < world.SCANNED_SHARE,
        churn_day=np.where(
            rng.random(size) < world.CHURN_SHARE, rng.uniform(-world.LEAD_DAYS, days, size), np.inf
        ),
        slip_day=np.where(rng.random(size) < world.SLIPPING_SHARE, days - rng.uniform(5, 40, size), np.inf),
        spell_start=np.where(spells, rng.uniform(-40, days + 60, (size, 4)), 0.0),
        spell_days=np.where(spells, rng.uniform(35, 70, (size, 4)), 0.0),
        spell_strength=rng.uniform(0.8, 1.1, (size, 4)),
        taste=rng.standard_normal((size, len(world.OFFERS))),
        persuadable=rng.standard_normal(size),
        accepted=np.zeros((size, len(world.OFFERS)), bool),
    )


def _pick_by_row(rng: np.random.Generator, shares: Array) -> Array:
    """One column number a row, with that row's probabilities."""
    edges = np.cumsum(shares, axis=1)
    return np.asarray((rng.random(len(shares))[:, None] > edges).sum(axis=1).clip(0, shares.shape[1] - 1))


def _jobs(rng: np.random.Generator, segment: Array) -> Array:
    drawn = rng.integers(1, 6, len(segment))
    drawn = np.where((segment == 3) & (rng.random(len(segment)) < 0.6), 4, drawn)
    return np.asarray(np.where(segment == 0, 0, np.where(segment == 4, 6, drawn)))


def _channels(rng: np.random.Generator, segment: Array) -> Array:
    shares = np.array(
        [
            (0.10, 0.38, 0.07, 0.27, 0.18),
            (0.25, 0.33, 0.08, 0.22, 0.12),
            (0.38, 0.22, 0.14, 0.18, 0.08),
            (0.45, 0.18, 0.08, 0.25, 0.04),
            (0.52, 0.05, 0.33, 0.07, 0.03),
        ]
    )
    return _pick_by_row(rng, shares[segment])


def _windows(rng: np.random.Generator, segment: Array) -> Array:
    shares = np.array(
        [
            (0.10, 0.22, 0.28, 0.40),
            (0.18, 0.20, 0.14, 0.48),
            (0.24, 0.18, 0.20, 0.38),
            (0.34, 0.20, 0.20, 0.26),
            (0.44, 0.26, 0.20, 0.10),
        ]
    )
    return _pick_by_row(rng, shares[segment])
