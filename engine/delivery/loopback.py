"""The loopback connector: keeps what it is given, as a mail provider would, in its own table and commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.clock import Clock
from smart_reach.engine.delivery.messages import Connector, OutgoingMessage, Receipt
from smart_reach.engine.delivery.tables import LoopbackMessage

_LOCK = 726_417_002


@dataclass(frozen=True)
class DeliveredMessage(OutgoingMessage):
    """A message the connector holds. `seq` rises in the order of acceptance."""

    seq: int
    accepted_at: datetime
    attempts: int


class LoopbackConnector:
    """Accepts every message exactly once. Its transactions are its own: what it accepted stays accepted
    although the dispatcher dies before it can write that down."""

    def __init__(self, db: Engine, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def send(self, message: OutgoingMessage) -> Receipt:
        """Keep the message; a repeat changes nothing but the count of attempts."""
        return self.send_many([message])[message.message_id]

    def send_many(self, messages: Sequence[OutgoingMessage]) -> Mapping[str, Receipt]:
        """`send` for messages of different ids, in one transaction: all are accepted or none is."""
        if not messages:
            return {}
        now = self._clock.now()
        rows = [
            {**vars(message), "receipt_id": _receipt_id(message), "accepted_at": now, "attempts": 1}
            for message in messages
        ]
        kept = LoopbackMessage
        statement = insert(kept).on_conflict_do_update(
            index_elements=["message_id"], set_={"attempts": kept.attempts + 1}
        )
        columns = (kept.message_id, kept.receipt_id, kept.accepted_at, kept.attempts)
        with self._db.begin() as connection:
            # In a line, so that `since` never meets a number whose predecessor is still uncommitted.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            found = connection.execute(statement.returning(*columns), rows).all()
        return {row.message_id: Receipt(row.receipt_id, row.accepted_at, row.attempts > 1) for row in found}

    def find(self, message_id: str) -> Receipt | None:
        """The receipt of a message accepted before."""
        with Session(self._db) as session:
            row = session.scalar(select(LoopbackMessage).where(LoopbackMessage.message_id == message_id))
        return None if row is None else Receipt(row.receipt_id, row.accepted_at, True)

    def since(self, seq: int, limit: int = 1000) -> Sequence[DeliveredMessage]:
        """Messages accepted after number `seq`, in order."""
        query = select(LoopbackMessage).where(LoopbackMessage.seq > seq).order_by(LoopbackMessage.seq)
        with Session(self._db) as session:
            return [_value(row) for row in session.scalars(query.limit(limit))]

    def sample(self, campaign_id: str, limit: int = 20) -> Sequence[DeliveredMessage]:
        """The newest messages of a campaign, for the preview."""
        query = select(LoopbackMessage).where(LoopbackMessage.campaign_id == campaign_id)
        with Session(self._db) as session:
            return [
                _value(row)
                for row in session.scalars(query.order_by(LoopbackMessage.seq.desc()).limit(limit))
            ]


def loopback_connectors(db: Engine, clock: Clock) -> Mapping[str, Connector]:
    """The registry by channel: one loopback connector serves them all for now."""
    connector = LoopbackConnector(db, clock)
    return dict.fromkeys(CHANNELS, connector)


def message_json(message: DeliveredMessage) -> dict[str, Any]:
    """An item of GET /api/proposals/{id}/messages."""
    return {
        "message_id": message.message_id,
        "customer_id": message.customer_id,
        "variant": message.variant_id,
        "channel": message.channel,
        "subject": message.subject,
        "body": message.body,
        "cta": message.cta,
        "url": message.url,
        "accepted_at": message.accepted_at.isoformat(),
    }


def _receipt_id(message: OutgoingMessage) -> str:
    return f"loop_{content_hash(message.message_id)[:16]}"


def _value(row: LoopbackMessage) -> DeliveredMessage:
    return DeliveredMessage(**{name: getattr(row, name) for name in DeliveredMessage.__dataclass_fields__})
