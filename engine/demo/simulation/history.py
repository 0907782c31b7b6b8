"""The demo bank's past: ninety days of campaigns with a holdout, and what customers answered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.answers import DRAWS, Answers, answer, answer_without_message
from smart_reach.engine.demo.simulation.campaigns import PastCampaign, audience_size, open_to, send_times
from smart_reach.engine.demo.simulation.population import Array, Population
from smart_reach.engine.demo.simulation.rows import RowBuilder, join
from smart_reach.engine.demo.simulation.truth import Contact, Truth, pick
from smart_reach.engine.demo.simulation.zones import DAY


@dataclass
class Withdrawal:
    """A customer who unsubscribed: number, channel code, seconds since 1970."""

    customer: int
    channel: int
    at: float


@dataclass
class Past:
    """What `simulate_campaigns` leaves behind."""

    population: Population
    campaigns: list[PastCampaign] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)


class _State:
    """What changes from day to day."""

    def __init__(self, population: Population) -> None:
        size = population.size
        self.consent = population.consent.copy()
        self.held = population.held.copy()
        self.accepted = population.accepted.copy()
        self.sent = np.zeros((size, 8), np.int64)  # messages by day, ring

    def recent(self, day: int) -> Array:
        self.sent[:, day % 8] = 0
        return np.asarray(self.sent.sum(axis=1))


class Simulation:
    """Runs campaigns day by day; each sees the consent, holdings and fatigue the earlier ones left."""

    def __init__(
        self, population: Population, builder: RowBuilder, margins: Array, days: int, now: float, seed: int
    ) -> None:
        self.past = Past(population)
        self._truth = Truth(population)
        self._people = population
        self._rows = builder
        self._margins = margins
        self._days = days
        self._now = now
        self._state = _State(population)
        self._rng = np.random.default_rng([seed, 3])

    def run(self, campaign: PastCampaign) -> None:
        """Choose the audience, send, let it answer."""
        chosen = self._audience(campaign)
        sent_at = send_times(self._people, self._rows, campaign, chosen, self._rng)
        chosen, sent_at = chosen[sent_at < self._now], sent_at[sent_at < self._now]
        if not len(chosen):
            return
        contact = self._contact(campaign, chosen, sent_at)
        draws = self._rng.random((len(chosen), DRAWS))
        kept = self._people.holdout[chosen]
        self._send(campaign, pick(contact, ~kept), sent_at[~kept], draws[~kept])
        self._hold(campaign, pick(contact, kept), sent_at[kept], draws[kept])
        self.past.campaigns.append(campaign)

    def finish(self) -> Past:
        """The past with the population's state at its end."""
        self.past.population = replace(self._people, accepted=self._state.accepted)
        return self.past

    def _audience(self, campaign: PastCampaign) -> Array:
        people, state = self._people, self._state
        candidates = np.flatnonzero(open_to(people, campaign, state.consent, state.accepted))
        size = int(audience_size(people, campaign.day, self._rng))
        return np.asarray(self._rng.choice(candidates, min(size, len(candidates)), replace=False))

    def _contact(self, campaign: PastCampaign, chosen: Array, sent_at: Array) -> Contact:
        size = len(chosen)
        tone = self._rng.integers(0, len(campaign.tones), size)
        _, weekday = self._rows.local.hour_and_weekday(self._rows.zone(chosen), sent_at.astype(np.int64))
        return Contact(
            customer=chosen,
            offer=np.full(size, campaign.offer),
            channel=np.full(size, campaign.channel),
            window=np.full(size, campaign.window),
            benefit=tone == 1,
            day=(sent_at - float(self._people.start)) / DAY,
            weekday=weekday,
            recent=self._state.recent(campaign.day)[chosen],
            held=self._state.held[chosen, world.OFFER_CATEGORY[campaign.offer]],
            accepted=self._state.accepted[chosen, campaign.offer],
        )

    def _send(self, campaign: PastCampaign, contact: Contact, sent_at: Array, draws: Array) -> None:
        outage = campaign.channel == 0 and self._days - campaign.day in world.ANOMALY_DAYS_BACK
        answers = answer(self._truth, contact, draws, world.ANOMALY_KEEPS if outage else 1.0)
        message_ids = join(f"{campaign.id}-", self._rows.customer_ids(contact.customer))
        tones = pa.array(["plain", "benefit-led"]).take(pa.array(contact.benefit.astype(np.int8)))
        given = self._given(campaign) | {"variant_id": join(f"{campaign.id}-", tones)}
        self._add(contact.customer, "sent", sent_at, message_ids, given)
        for kind in Answers.KINDS:
            amount = self._amounts(contact, answers.amount_factor) if kind == "conversion" else None
            self._add(contact.customer, kind, sent_at + getattr(answers, kind), message_ids, given, amount)
        for kind in ("open", "click"):
            moments = sent_at + getattr(answers, f"machine_{kind}")
            self._add(contact.customer, kind, moments, message_ids, given, turn=2)
        self._state.sent[contact.customer, campaign.day % 8] += 1
        self._remember(contact, answers.conversion)
        leaving = np.flatnonzero(~np.isnan(answers.unsubscribe))
        self._state.consent[contact.customer[leaving], campaign.channel] = False
        self.past.withdrawals += [
            Withdrawal(int(contact.customer[i]), campaign.channel, float(sent_at[i] + answers.unsubscribe[i]))
            for i in leaving
        ]

    def _hold(self, campaign: PastCampaign, contact: Contact, at: Array, draws: Array) -> None:
        delay, factor = answer_without_message(self._truth, contact, draws)
        message_ids = join(f"{campaign.id}-", self._rows.customer_ids(contact.customer))
        given = self._given(campaign)
        self._add(contact.customer, "held_out", at, message_ids, given)
        amounts = self._amounts(contact, factor)
        self._add(contact.customer, "conversion", at + delay, message_ids, given, amounts)
        self._remember(contact, delay)

    def _remember(self, contact: Contact, conversion: Array) -> None:
        bought = np.flatnonzero(~np.isnan(conversion))
        self._state.accepted[contact.customer[bought], contact.offer[bought]] = True
        self._state.held[contact.customer[bought], world.OFFER_CATEGORY[contact.offer[bought]]] = True

    def _amounts(self, contact: Contact, factor: Array) -> Array:
        return np.asarray(np.round(self._margins[contact.offer] * factor)).astype(np.int64)

    def _given(self, campaign: PastCampaign) -> dict[str, object]:
        return {
            "campaign_id": campaign.id,
            "offer_id": world.OFFERS[campaign.offer],
            "channel": world.CHANNEL_IDS[campaign.channel],
        }

    def _add(
        self,
        customer: Array,
        kind: str,
        moments: Array,
        message_ids: pa.Array,
        given: dict[str, object],
        amounts: Array | None = None,
        turn: int = 1,
    ) -> None:
        """Rows for the messages where the moment exists (is not NaN); `turn`: the how-manieth of its kind."""
        index = np.flatnonzero(~np.isnan(moments))
        if not len(index):
            return
        taken = {k: v.take(pa.array(index)) if isinstance(v, pa.Array) else v for k, v in given.items()}
        ids = message_ids.take(pa.array(index))
        suffix = f":{kind}" if turn == 1 else f":{kind}:{turn}"
        money = {} if amounts is None else {"amount_minor": amounts[index], "currency": "EUR"}
        self.past.tables.append(
            self._rows.table(
                customer[index], kind, moments[index], join(ids, suffix), message_id=ids, **taken, **money
            )
        )
