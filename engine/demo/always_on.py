"""The bank's own campaigns while the cockpit is open: they go on like those of the history.

Chance is drawn a day ahead from the seed (`simulation/campaigns.py`). When a message's moment comes, its
customer is checked: consent, and at most one message in 24 hours and three in seven days, the bank's and
the product's together. What passes becomes rows of `demo_pending`, together with its answers, in the
transaction that moves the cursor; so it reaches the lake exactly once, like every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import current_consent
from smart_reach.engine.catalog.tables import Campaign
from smart_reach.engine.demo.contacts import Contacts
from smart_reach.engine.demo.messages import EventBuilder, Message
from smart_reach.engine.demo.replies import Replies
from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.answers import Answers, answer, answer_without_message
from smart_reach.engine.demo.simulation.campaigns import Drawn, PastCampaign, draw_day
from smart_reach.engine.demo.simulation.population import Array, Population, customer_id
from smart_reach.engine.demo.simulation.rows import RowBuilder
from smart_reach.engine.demo.simulation.truth import Contact, pick
from smart_reach.engine.demo.simulation.zones import DAY, LocalTime
from smart_reach.engine.demo.store import campaign_values

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

Sent = tuple[str, str, datetime, str]  # customer, channel, at, message id
OnSent = Callable[[Session, Iterable[Sent]], object]

_KEPT_DAYS = 2


@dataclass(frozen=True)
class _Due:
    """One message whose moment has come; `place` is its row in the drawn campaign."""

    at: int
    drawn: Drawn
    place: int

    @property
    def customer(self) -> int:
        return int(self.drawn.customer[self.place])

    @property
    def campaign(self) -> PastCampaign:
        return self.drawn.campaign

    @property
    def message_id(self) -> str:
        return f"{self.campaign.id}-{customer_id(self.customer)}"


class AlwaysOn:
    """Runs the campaigns of the days after the history. The caller holds the live bank's lock."""

    def __init__(self, workspace: Workspace, replies: Replies, on_sent: OnSent | None = None) -> None:
        self._replies = replies
        self._on_sent = on_sent
        self._contacts = Contacts(workspace)
        self._days: dict[int, tuple[RowBuilder, list[Drawn]]] = {}

    @cached_property
    def _people(self) -> Population:
        return self._replies.truth.population

    def between(self, session: Session, after: int, until: int) -> list[dict[str, Any]]:
        """Events of the messages sent in (after, until] microseconds, with the answers they will cause."""
        due = self._due(after, until)
        if not due:
            return []
        self._keep_campaigns(session, due)
        accepted = self._replies.accepted(session, np.array([one.customer for one in due]))
        due, recent = self._allowed(session, due, accepted, until)
        if not due:
            return []
        events = self._events(due, recent, accepted)
        if self._on_sent is not None:
            self._on_sent(session, [_sent(one) for one in due if not self._people.holdout[one.customer]])
        return events

    def _due(self, after: int, until: int) -> list[_Due]:
        """In the order of sending. Windows of every zone lie within one day of UTC."""
        found = []
        start = int(self._people.start)
        for day in range((after // 1_000_000 - start) // DAY, (until // 1_000_000 - start) // DAY + 1):
            for drawn in self._day(day)[1]:
                places = np.flatnonzero((drawn.at > after) & (drawn.at <= until))
                found += [_Due(int(drawn.at[place]), drawn, int(place)) for place in places]
        return sorted(found, key=lambda one: (one.at, one.message_id))

    def _day(self, day: int) -> tuple[RowBuilder, list[Drawn]]:
        if day not in self._days:
            moment = int(self._people.start) + day * DAY
            rows = RowBuilder(self._people, LocalTime(world.ZONES, moment - 2 * DAY, moment + 5 * DAY))
            for old in sorted(self._days)[: -_KEPT_DAYS + 1]:
                del self._days[old]
            self._days[day] = rows, draw_day(self._people, rows, day)
        return self._days[day]

    def _keep_campaigns(self, session: Session, due: Sequence[_Due]) -> None:
        """A row for each campaign that began; those of earlier days are finished."""
        campaigns = {one.campaign.id: one.campaign for one in due}
        values = [campaign_values(one, self._people, "active") for one in campaigns.values()]
        new = session.scalars(
            insert(Campaign).on_conflict_do_nothing(index_elements=[Campaign.id]).returning(Campaign.id),
            values,
        ).all()
        if new:
            first = min(value["created_at"] for value in values)
            session.execute(
                update(Campaign)
                .where(Campaign.proposal_id.like("history-cmp_l%"), Campaign.created_at < first)
                .where(Campaign.status == "active")
                .values(status="finished")
            )

    def _allowed(
        self, session: Session, due: Sequence[_Due], accepted: Array, until: int
    ) -> tuple[list[_Due], list[int]]:
        """Those that consent and the caps let pass, and how many messages each had over seven days."""
        people = [customer_id(one.customer) for one in due]
        channels = {one.campaign.channel for one in due}
        consent = {number: self._consenting(session, due, number) for number in channels}
        known = self._contacts.of(session, people, due[0].at, until)
        kept, recent = [], []
        for one, name in zip(due, people, strict=True):
            if name not in consent[one.campaign.channel] or accepted[one.customer, one.campaign.offer]:
                continue
            week = self._contacts.place(known, name, one.at, one.message_id)
            if week is not None:
                kept.append(one)
                recent.append(week)
        return kept, recent

    def _consenting(self, session: Session, due: Sequence[_Due], channel: int) -> set[str]:
        asked = [customer_id(one.customer) for one in due if one.campaign.channel == channel]
        rows: Mapping[str, Any] = current_consent(session, asked, world.CHANNEL_IDS[channel])
        return {name for name, row in rows.items() if row.granted}

    def _events(self, due: Sequence[_Due], recent: Sequence[int], accepted: Array) -> list[dict[str, Any]]:
        contact = self._contact(due, recent, accepted)
        draws = np.array([one.drawn.draws[one.place] for one in due])
        kept = self._people.holdout[contact.customer]
        events = []
        for held, mask in ((False, ~kept), (True, kept)):
            index = np.flatnonzero(mask)
            if len(index):
                messages = [_message(due[place], held) for place in index.tolist()]
                answers = self._held_out if held else self._answered
                events += answers(messages, pick(contact, mask), draws[mask], self._rows(due))
        return events

    def _answered(
        self, messages: Sequence[Message], contact: Contact, draws: Array, rows: RowBuilder
    ) -> list[dict[str, Any]]:
        answers = answer(self._replies.truth, contact, draws)
        builder = EventBuilder(messages, contact, rows)
        builder.add("sent", np.zeros(len(messages)))
        for kind in Answers.KINDS:
            money = self._replies.amounts(contact, answers.amount_factor) if kind == "conversion" else None
            builder.add(kind, getattr(answers, kind), money)
        for kind in ("open", "click"):
            builder.add(kind, getattr(answers, f"machine_{kind}"), turn=2)
        return builder.events

    def _held_out(
        self, messages: Sequence[Message], contact: Contact, draws: Array, rows: RowBuilder
    ) -> list[dict[str, Any]]:
        delay, factor = answer_without_message(self._replies.truth, contact, draws)
        builder = EventBuilder(messages, contact, rows)
        builder.add("held_out", np.zeros(len(messages)))
        builder.add("conversion", delay, self._replies.amounts(contact, factor))
        return builder.events

    def _contact(self, due: Sequence[_Due], recent: Sequence[int], accepted: Array) -> Contact:
        customer = np.array([one.customer for one in due])
        offer = np.array([one.campaign.offer for one in due])
        at = np.array([one.at for one in due])
        _, weekday = self._rows(due).local.hour_and_weekday(self._people.zone[customer], at // 1_000_000)
        return Contact(
            customer=customer,
            offer=offer,
            channel=np.array([one.campaign.channel for one in due]),
            window=np.array([one.campaign.window for one in due]),
            benefit=np.array([one.drawn.benefit[one.place] for one in due]),
            day=(at / 1e6 - float(self._people.start)) / DAY,
            weekday=weekday,
            recent=np.array(recent),
            held=self._replies.holds(customer, world.OFFER_CATEGORY[offer], accepted),
            accepted=accepted[customer, offer],
        )

    def _rows(self, due: Sequence[_Due]) -> RowBuilder:
        """Local time reaches five days beyond each day, further than any one call does in steps of hours."""
        return self._day(due[-1].campaign.day)[0]


def _message(one: _Due, held: bool) -> Message:
    benefit = bool(one.drawn.benefit[one.place])
    campaign = one.campaign
    variant = None if held else f"{campaign.id}-{world.TONES[1] if benefit else world.TONES[0]}"
    return Message(
        one.message_id,
        one.customer,
        campaign.offer,
        campaign.channel,
        benefit,
        one.at / 1e6,
        campaign.id,
        variant,
    )


def _sent(one: _Due) -> Sent:
    at = datetime.fromtimestamp(one.at / 1e6, UTC)
    return customer_id(one.customer), world.CHANNEL_IDS[one.campaign.channel], at, one.message_id
