"""What the lake remembers and decisions must respect: conversions, unsubscribes, earlier contacts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from smart_reach.engine.decisioning.contact.ledger import ContactLedger
from smart_reach.engine.state.base import transaction
from smart_reach.engine.state.info import WorkspaceInfo

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

# how long a look at the lake's newest snapshot holds, in real seconds
_FRESH_S = 3.0
_SYNCED = "contacts_synced_snapshot"


@dataclass(frozen=True)
class Happening:
    """A conversion (of an offer) or an unsubscribe (of everything)."""

    kind: str
    at: datetime
    offer_id: str | None = None


class History(Protocol):
    """Where happenings come from; tests bring their own."""

    def since(self, start: datetime) -> dict[str, list[Happening]]:
        """Conversions and unsubscribes after `start`, per customer, in time order."""
        ...


class LakeHistory:
    """Reads the lake's events once per snapshot. Safe to share between threads."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._lock = Lock()
        self._looked = float("-inf")
        self._snapshot: int | None = None
        self._start: datetime | None = None
        self._found: dict[str, list[Happening]] = {}

    def since(self, start: datetime) -> dict[str, list[Happening]]:
        with self._lock:
            # an earlier start than the one loaded, or a newer snapshot, needs another read
            if self._start is None or start < self._start or time.monotonic() - self._looked > _FRESH_S:
                snapshot = self._ws.lake.snapshot_id("events")
                if snapshot != self._snapshot or self._start is None or start < self._start:
                    self._found, self._start = self._read(start), start
                self._snapshot, self._looked = snapshot, time.monotonic()
            return self._found

    def _read(self, start: datetime) -> dict[str, list[Happening]]:
        found: dict[str, list[Happening]] = {}
        if self._ws.lake.snapshot_id("events") is None:
            return found
        connection = self._ws.lake.connect()
        try:
            rows = connection.execute(
                "SELECT customer_id, kind, occurred_at, offer_id FROM events "
                "WHERE kind IN ('conversion', 'unsubscribe') AND NOT machine AND occurred_at > ? "
                "ORDER BY customer_id, occurred_at, event_id",
                [start],
            ).fetchall()
        finally:
            connection.close()
        for customer_id, kind, at, offer_id in rows:
            found.setdefault(customer_id, []).append(Happening(kind, at, offer_id))
        return found


def sync_contacts(ws: Workspace, contacts: ContactLedger) -> int:
    """Bring messages that the lake knows as sent into the contact ledger (once per snapshot).

    Sent events made through the ledger carry the message id that is already its subject, so nothing counts
    twice. Returns the number of contacts added.
    """
    snapshot = str(ws.lake.snapshot_id("events"))
    if snapshot in ("None", ws.info(_SYNCED)):
        return 0
    since = ws.clock.now() - timedelta(hours=contacts.policy.longest_hours)
    connection = ws.lake.connect()
    try:
        rows = connection.execute(
            "SELECT customer_id, channel, min(occurred_at), message_id FROM events WHERE kind = 'sent' "
            "AND channel IS NOT NULL AND message_id IS NOT NULL AND occurred_at > ? "
            "GROUP BY customer_id, channel, message_id ORDER BY customer_id, message_id",
            [since],
        ).fetchall()
    finally:
        connection.close()
    with transaction(ws.db) as session:
        added = contacts.backfill(session, rows)
        session.merge(WorkspaceInfo(key=_SYNCED, value=snapshot))
    return added
