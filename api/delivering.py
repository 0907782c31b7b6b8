"""Puts delivery together: dispatcher with its last checks, and events on their way to the lake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Customer
from smart_reach.engine.decisioning.contact_ledger import ContactLedger
from smart_reach.engine.delivery.dispatcher import Dispatcher
from smart_reach.engine.delivery.loopback import loopback_connectors
from smart_reach.engine.delivery.pending import EventRow, flush_events
from smart_reach.engine.events.contract import Event
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.workspace import Workspace
from smart_reach.tools.knowledge import render_variant


def build_dispatcher(ws: Workspace, probe: Callable[[str], None] = lambda point: None) -> Dispatcher:
    """The dispatcher of a workspace; every channel leads to the loopback connector for now."""
    return Dispatcher(
        ws.db,
        loopback_connectors(ws.db, ws.clock),
        ws.clock,
        Ledger(ws.clock).append,
        render=render_variant,
        guard=ContactLedger(ws.clock),
        approved=approved_payload,
        probe=probe,
    )


def event_of(row: EventRow, zone: ZoneInfo, received_at: datetime) -> Event:
    """A queued event as the lake keeps it, with the hour on the customer's own clock."""
    local = row["occurred_at"].astimezone(zone)
    return Event(
        **row, received_at=received_at, local_hour=local.hour, local_weekday=local.weekday()
    )


class Flusher:
    """Carries queued events into the lake, exactly once."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._writer = EventWriter(ws.lake)

    def __call__(self) -> int:
        """Write what is queued; returns how many events went."""
        return flush_events(self._ws.db, self._write)

    def _write(self, rows: Sequence[EventRow], *, fresh: bool) -> int:
        now, zones = self._ws.clock.now(), self._zones(rows)
        events = [event_of(row, zones[row["customer_id"]], now) for row in rows]
        return self._writer.write(events, fresh=fresh)

    def _zones(self, rows: Sequence[EventRow]) -> dict[str, ZoneInfo]:
        ids = {row["customer_id"] for row in rows}
        with Session(self._ws.db) as session:
            found = session.execute(select(Customer.id, Customer.zone).where(Customer.id.in_(ids))).tuples()
            return {customer: ZoneInfo(zone) for customer, zone in found}
