"""Messages as the live bank sees them, and the rows their answers become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.population import Array
from smart_reach.engine.demo.simulation.rows import RowBuilder, join
from smart_reach.engine.demo.simulation.truth import Contact


class DeliveredMessage(Protocol):
    """What a connector says of a message it accepted."""

    @property
    def seq(self) -> int: ...
    @property
    def message_id(self) -> str: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def offer_id(self) -> str: ...
    @property
    def campaign_id(self) -> str | None: ...
    @property
    def variant_id(self) -> str | None: ...
    @property
    def tone(self) -> str | None: ...
    @property
    def accepted_at(self) -> datetime: ...


@dataclass(frozen=True)
class Message:
    """A message, sent or held back, as columns need it."""

    message_id: str
    customer: int
    offer: int
    channel: int
    benefit: bool
    at: float
    campaign_id: str | None
    variant_id: str | None


class EventBuilder:
    """Collects rows of several kinds about the same messages."""

    def __init__(self, messages: Sequence[Message], contact: Contact, rows: RowBuilder) -> None:
        self.events: list[dict[str, Any]] = []
        self._messages = messages
        self._contact = contact
        self._rows = rows

    def add(self, kind: str, delay: Array, amount: Array | None = None, turn: int = 1) -> None:
        """Rows for the messages whose delay is not NaN."""
        index = np.flatnonzero(~np.isnan(delay))
        if not len(index):
            return
        chosen = [self._messages[place] for place in index.tolist()]
        ids = pa.array([message.message_id for message in chosen])
        money = {} if amount is None else {"amount_minor": amount[index], "currency": "EUR"}
        table = self._rows.table(
            self._contact.customer[index],
            kind,
            np.array([message.at for message in chosen]) + delay[index],
            join(ids, f":{kind}" if turn == 1 else f":{kind}:{turn}"),
            message_id=ids,
            offer_id=pa.array([world.OFFERS[message.offer] for message in chosen]),
            channel=pa.array([world.CHANNEL_IDS[message.channel] for message in chosen]),
            campaign_id=pa.array([message.campaign_id for message in chosen], pa.string()),
            variant_id=pa.array([message.variant_id for message in chosen], pa.string()),
            **money,
        )
        self.events += table.to_pylist()
