"""What customers do about the messages the product sends, and what the holdout does without one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.words import window_of
from smart_reach.engine.demo.build import margins
from smart_reach.engine.demo.messages import DeliveredMessage, EventBuilder, Message
from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.answers import DRAWS, Answers, answer, answer_without_message
from smart_reach.engine.demo.simulation.population import Array, customer_number
from smart_reach.engine.demo.simulation.rows import SOURCE, RowBuilder
from smart_reach.engine.demo.simulation.truth import Contact, Truth, is_benefit, load_truth
from smart_reach.engine.demo.simulation.zones import DAY, LocalTime
from smart_reach.engine.demo.tables import DemoPending
from smart_reach.engine.lakehouse.schemas import EVENTS

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

# A held_out event may reach the lake after others that were received later; reading twice does no harm.
_OVERLAP_MICROS = 3_600_000_000


class Replies:
    """Draws answers; the same message gets the same answers whenever it is asked."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._snapshot: int | None = None
        self._seen: set[str] = set()

    @cached_property
    def truth(self) -> Truth:
        return load_truth(self._workspace)

    @cached_property
    def _margins(self) -> Array:
        return margins(self._workspace)

    def to_messages(self, session: Session, delivered: Sequence[DeliveredMessage]) -> list[dict[str, Any]]:
        """Events that these messages will cause. Those to strangers or about unknown offers cause none."""
        messages = [
            Message(
                item.message_id,
                customer_number(item.customer_id),
                world.OFFERS.index(item.offer_id),
                world.CHANNEL_IDS.index(item.channel),
                is_benefit(item.tone or ""),
                item.accepted_at.timestamp(),
                item.campaign_id,
                item.variant_id,
            )
            for item in delivered
            if self._known(item.customer_id, item.offer_id, item.channel)
        ]
        if not messages:
            return []
        contact, rows = self._contact(session, messages), self._rows(messages)
        answers = answer(self.truth, contact, self._draws(messages))
        builder = EventBuilder(messages, contact, rows)
        for kind in Answers.KINDS:
            amount = self.amounts(contact, answers.amount_factor) if kind == "conversion" else None
            builder.add(kind, getattr(answers, kind), amount)
        for kind in ("open", "click"):
            builder.add(kind, getattr(answers, f"machine_{kind}"), turn=2)
        return builder.events

    def to_holdout(self, session: Session, after: int, now: datetime) -> tuple[list[dict[str, Any]], int]:
        """Conversions of customers held out since `after` (microseconds), and the position reached."""
        snapshot = self._workspace.lake.snapshot_id(EVENTS)
        if snapshot == self._snapshot:
            return [], after
        found = self._held_out(after)
        self._snapshot = snapshot
        if not found:
            return [], after
        messages = [
            Message(
                row[0],
                customer_number(row[1]),
                world.OFFERS.index(row[2]),
                world.CHANNEL_IDS.index(row[3] or "email"),
                False,
                row[5] / 1e6,
                row[4],
                None,
            )
            for row in found
            if self._known(row[1], row[2], row[3] or "email")
        ]
        position = max(after, *(row[6] for row in found))
        if not messages:
            return [], position
        contact, rows = self._contact(session, messages), self._rows(messages)
        delay, factor = answer_without_message(self.truth, contact, self._draws(messages))
        builder = EventBuilder(messages, contact, rows)
        builder.add("conversion", delay, self.amounts(contact, factor))
        return builder.events, position

    def wrote(self) -> None:
        """Told after the live bank's own write, which holds nobody out: no need to look again."""
        handle = self._workspace.lake.load(EVENTS).current_snapshot()
        if handle is not None and handle.parent_snapshot_id == self._snapshot:
            self._snapshot = handle.snapshot_id

    def _held_out(self, after: int) -> list[tuple[Any, ...]]:
        """Rows not looked at by this process yet."""
        since = datetime.fromtimestamp(after / 1e6, UTC) - timedelta(days=1)
        if not self._workspace.lake.files(EVENTS, since):
            return []
        with self._workspace.lake.connect(tables=(EVENTS,), since=since) as connection:
            rows: list[tuple[Any, ...]] = connection.execute(
                "SELECT message_id, customer_id, offer_id, channel, campaign_id, epoch_us(occurred_at),"
                " epoch_us(received_at) FROM events WHERE kind = 'held_out'"
                " AND source <> ? AND received_at > to_timestamp(?) ORDER BY message_id",
                [SOURCE, (after - _OVERLAP_MICROS) / 1e6],
            ).fetchall()
        fresh = [row for row in rows if row[0] not in self._seen]
        self._seen = {row[0] for row in rows}
        return fresh

    def _known(self, customer_id: str, offer_id: str | None, channel: str) -> bool:
        digits = customer_id.removeprefix("cus_")
        inside = digits.isdigit() and 1 <= int(digits) <= self.truth.population.size
        return inside and offer_id in world.OFFERS and channel in world.CHANNEL_IDS

    def _rows(self, messages: Sequence[Message]) -> RowBuilder:
        times = [message.at for message in messages]
        local = LocalTime(world.ZONES, int(min(times)) - DAY, int(max(times)) + 4 * DAY)
        return RowBuilder(self.truth.population, local)

    def _contact(self, session: Session, messages: Sequence[Message]) -> Contact:
        people = self.truth.population
        customer = np.array([message.customer for message in messages])
        offer = np.array([message.offer for message in messages])
        at = np.array([message.at for message in messages])
        hour, weekday = self._rows(messages).local.hour_and_weekday(
            people.zone[customer], at.astype(np.int64)
        )
        accepted = self.accepted(session, customer)
        category = world.OFFER_CATEGORY[offer]
        return Contact(
            customer=customer,
            offer=offer,
            channel=np.array([message.channel for message in messages]),
            window=np.array([world.WINDOW_IDS.index(window_of(int(value))) for value in hour]),
            benefit=np.array([message.benefit for message in messages]),
            day=(at - float(people.start)) / DAY,
            weekday=weekday,
            recent=self._recent(messages),
            held=self.holds(customer, category, accepted),
            accepted=accepted[customer, offer],
        )

    def accepted(self, session: Session, customer: Array) -> Array:
        """(n, offers): what was accepted in the history or since, answers still to come included."""
        accepted = self.truth.population.accepted.copy()
        wanted = {f"cus_{number + 1:06d}" for number in customer.tolist()}
        rows = session.execute(
            select(DemoPending.customer_id, DemoPending.offer_id).where(
                DemoPending.customer_id.in_(sorted(wanted)), DemoPending.kind == "conversion"
            )
        )
        for customer_id, offer_id in rows:
            if offer_id in world.OFFERS:
                accepted[customer_number(customer_id), world.OFFERS.index(offer_id)] = True
        return np.asarray(accepted)

    def holds(self, customer: Array, category: Array, accepted: Array) -> Array:
        """Whether each customer holds something of a category, given what was accepted."""
        same_category = world.OFFER_CATEGORY[None, :] == category[:, None]
        got = (accepted[customer] & same_category).any(axis=1)
        return np.asarray(self.truth.population.held[customer, category] | got)

    def _recent(self, messages: Sequence[Message]) -> Array:
        """Messages each customer got over the seven days before."""
        first = min(message.at for message in messages)
        since = datetime.fromtimestamp(first, UTC) - timedelta(days=7)
        if not self._workspace.lake.files(EVENTS, since):
            return np.zeros(len(messages), np.int64)
        with self._workspace.lake.connect(tables=(EVENTS,), since=since) as connection:
            counts = dict(
                connection.execute(
                    "SELECT customer_id, count(*) FROM events WHERE kind = 'sent'"
                    " AND occurred_at >= to_timestamp(?) AND occurred_at < to_timestamp(?) GROUP BY 1",
                    [since.timestamp(), first - 1.0],
                ).fetchall()
            )
        return np.array([counts.get(f"cus_{message.customer + 1:06d}", 0) for message in messages])

    def _draws(self, messages: Sequence[Message]) -> Array:
        seed = int(self.truth.population.seed)
        return np.array([_uniforms(f"{seed}:{message.message_id}") for message in messages])

    def amounts(self, contact: Contact, factor: Array) -> Array:
        """Minor units that conversions are worth."""
        return np.asarray(np.round(self._margins[contact.offer] * factor)).astype(np.int64)


def _uniforms(key: str) -> Array:
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big")).random(DRAWS)
