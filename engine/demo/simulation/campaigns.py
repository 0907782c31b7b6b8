"""The bank's always-on campaigns: which run on a day, how many they choose, when they send.

The history and the live bank share this, so that the days after the history are like the days in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.answers import DRAWS
from smart_reach.engine.demo.simulation.population import Array, Population
from smart_reach.engine.demo.simulation.rows import RowBuilder
from smart_reach.engine.demo.simulation.zones import DAY

REACH = 0.062  # share of all customers that one campaign chooses
_WEEKEND, _WORKDAY = 0.55, 1.1
_WINDOW_START = np.array([8, 11, 14, 18])
_WINDOW_HOURS = np.array([3, 3, 4, 2])
_OTHER_CHANNELS = (1, 3, 2, 4, 1, 3)  # what runs beside the daily e-mail campaign
_TWO_TONES = 0.6
# offers the bank's own rules keep from a segment: (segment, offer)
_NEVER = world.ACCEPT_SEGMENT < -1.5
# The live bank keeps the caps of the contact policy; it chooses this much more, as so many are skipped.
_SPARE = 1.20


@dataclass(frozen=True)
class PastCampaign:
    """One always-on campaign; `id` is also in its events."""

    id: str
    offer: int
    channel: int
    window: int
    day: int
    tones: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """A live campaign with everything chance decides about it; one entry a customer."""

    campaign: PastCampaign
    customer: Array
    at: Array  # microseconds since 1970 of sending, or of not sending to the holdout
    benefit: Array
    draws: Array  # (n, DRAWS)


def plan(days: int, seed: int) -> list[PastCampaign]:
    """Two campaigns a day: one by e-mail, one elsewhere; offers and windows in shuffled turns."""
    rng = np.random.default_rng([seed, 2])
    offers = np.concatenate([rng.permutation(len(world.OFFERS)) for _ in range(2 * days // 12 + 2)])
    campaigns = []
    for number in range(2 * days):
        day, second = divmod(number, 2)
        tones = world.TONES if rng.random() < _TWO_TONES else ("plain",)
        campaigns.append(
            PastCampaign(
                f"cmp_h{number + 1:03d}",
                int(offers[number]),
                _channel(day, second),
                int(rng.integers(4)),
                day,
                tones,
            )
        )
    return campaigns


def plan_day(day: int, seed: int) -> list[PastCampaign]:
    """The two campaigns of a day after the history; depends on the seed and the day alone."""
    half = len(world.OFFERS) // 2
    turn, place = divmod(day, half)
    offers = np.random.default_rng([seed, 6, turn]).permutation(len(world.OFFERS))
    rng = np.random.default_rng([seed, 7, day])
    return [
        PastCampaign(
            f"cmp_l{2 * day + second + 1:04d}",
            int(offers[2 * place + second]),
            _channel(day, second),
            int(rng.integers(4)),
            day,
            world.TONES if rng.random() < _TWO_TONES else ("plain",),
        )
        for second in (0, 1)
    ]


def audience_size(people: Population, day: int, rng: np.random.Generator) -> float:
    """How many customers one campaign of a day chooses: fewer at the weekend."""
    weekday = (int(people.start) // DAY + day + 3) % 7
    return REACH * people.size * (_WEEKEND if weekday >= 5 else _WORKDAY) * float(rng.uniform(0.7, 1.3))


def open_to(people: Population, campaign: PastCampaign, consent: Array, accepted: Array) -> Array:
    """Mask of the customers a campaign may choose. `consent`: (n, channels); `accepted`: (n, offers)."""
    may = consent[:, campaign.channel] & ~accepted[:, campaign.offer]
    may &= ~_NEVER[people.segment, campaign.offer] & (campaign.day > -people.tenure_days)
    return np.asarray(may)


def send_times(
    people: Population, rows: RowBuilder, campaign: PastCampaign, chosen: Array, rng: np.random.Generator
) -> Array:
    """Seconds since 1970 within the campaign's window of each customer's own day."""
    hours = _WINDOW_START[campaign.window] + rng.random(len(chosen)) * _WINDOW_HOURS[campaign.window]
    local = int(people.start) + campaign.day * DAY + (hours * 3600).astype(np.int64)
    utc = rows.local.utc(rows.zone(chosen), local)
    return np.asarray(utc + np.round(rng.random(len(chosen)), 3))


def draw_day(people: Population, rows: RowBuilder, day: int) -> list[Drawn]:
    """The campaigns of a day after the history: the same in every process and after every restart.

    Who withdrew or was contacted lately is not known here; the caller skips those when their time comes.
    """
    drawn = []
    for second, campaign in enumerate(plan_day(day, int(people.seed))):
        rng = np.random.default_rng([int(people.seed), 8, day, second])
        candidates = np.flatnonzero(open_to(people, campaign, people.consent, people.accepted))
        size = min(int(_SPARE * audience_size(people, day, rng)), len(candidates))
        chosen = rng.choice(candidates, size, replace=False)
        at = send_times(people, rows, campaign, chosen, rng)
        benefit = rng.integers(0, len(campaign.tones), size) == 1
        draws = rng.random((size, DRAWS))
        drawn.append(Drawn(campaign, chosen, np.round(at * 1e6).astype(np.int64), benefit, draws))
    return drawn


def _channel(day: int, second: int) -> int:
    return _OTHER_CHANNELS[day % len(_OTHER_CHANNELS)] if second else 0
