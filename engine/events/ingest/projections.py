"""What events mean outside the lake: customers, consent, holdings, contacts made elsewhere.

Everything here is idempotent and does not depend on the order of events: it happens before the seal, so a
crash in between repeats it. The newest record by `occurred_at` holds, ties by event id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent_records import ConsentChange, apply_changes
from smart_reach.engine.catalog.erasures import without_erased
from smart_reach.engine.catalog.holdings import upsert_holdings
from smart_reach.engine.catalog.identity import people
from smart_reach.engine.catalog.profiles import CustomerRecord, apply_records
from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.state.base import transaction

# Contacts made outside: (customer, channel, at, message id); the contact ledger's `backfill` fits.
OnSent = Callable[[Session, list[tuple[str, str, datetime, str]]], object]

_LEAVING = ("unsubscribe", "complaint")
_MOST_KNOWN = 1_000_000
_BASE = ("event_id", "customer_id", "occurred_at")


@dataclass(frozen=True)
class ProjectionReport:
    """How many customers were new, customers changed, consent changes new, holdings seen, contacts told."""

    new_customers: int = 0
    customers: int = 0
    consents: int = 0
    holdings: int = 0
    contacts: int = 0


class Projector:
    """Applies events to PostgreSQL; one per process, used by one thread at a time.

    `default_zone`: where a customer lives of whom no record says so. `on_sent` gets contacts that others
    made, in the same transaction; repeating them must change nothing.
    """

    def __init__(
        self, db: Engine, *, default_zone: str = people.DEFAULT_ZONE, on_sent: OnSent | None = None
    ) -> None:
        self._db = db
        self._zone = default_zone
        self._on_sent = on_sent
        self._known: set[str] = set()

    def __call__(self, events: pa.Table) -> ProjectionReport:
        """Apply in a transaction of its own: the ingester's stage `project`."""
        with transaction(self._db) as session:
            report, met = _apply(session, events, self._known, self._zone, self._on_sent)
        if len(self._known) + len(met) > _MOST_KNOWN:
            self._known = set()
        self._known |= met if len(met) <= _MOST_KNOWN else set()
        return report

    def forget(self, customer_id: str) -> None:
        """The customer was erased."""
        self._known.discard(customer_id)


def apply(
    session: Session,
    events: pa.Table,
    *,
    default_zone: str = people.DEFAULT_ZONE,
    on_sent: OnSent | None = None,
) -> ProjectionReport:
    """Apply resolved events once, remembering nothing; takes effect when the session commits."""
    return _apply(session, events, frozenset(), default_zone, on_sent)[0]


def _apply(
    session: Session, events: pa.Table, known: Set[str], zone: str, on_sent: OnSent | None
) -> tuple[ProjectionReport, set[str]]:
    """Also returns the customers that exist now and were not in `known`."""
    events = without_erased(session, events)  # first: it keeps the gate from here to the commit
    if not events.num_rows:
        return ProjectionReport(), set()
    met = set(pc.unique(events["customer_id"]).to_pylist()) - known
    new = met - people.existing(session, met)
    people.add_customers(session, new, zone)
    kinds = set(pc.unique(events["kind"]).to_pylist())
    report = ProjectionReport(
        new_customers=len(new),
        customers=_customers(session, events) if "customer" in kinds else 0,
        consents=_consents(session, events) if kinds & {"consent", *_LEAVING} else 0,
        holdings=_holdings(session, events) if "holding" in kinds else 0,
        contacts=_contacts(session, events, on_sent) if on_sent and "sent" in kinds else 0,
    )
    return report, met


def _customers(session: Session, events: pa.Table) -> int:
    records = [
        CustomerRecord(row["event_id"], row["customer_id"], row["occurred_at"], row["said"])
        for row in _rows(events, ("customer",))
    ]
    return apply_records(session, records)


def _consents(session: Session, events: pa.Table) -> int:
    rows = _rows(events, ("consent", *_LEAVING), ("kind", "channel", "source"))
    return apply_changes(session, [change for row in rows for change in _changes(row)])


def _changes(row: dict[str, Any]) -> Iterator[ConsentChange]:
    """What an event says about consent. A complaint withdraws every channel, and so does leaving without
    a word about which."""
    name, customer, at = row["event_id"], row["customer_id"], row["occurred_at"]
    source, said = row["source"], row["said"]
    if row["kind"] == "consent":
        if row["channel"] in CHANNELS and isinstance(said.get("granted"), bool):
            purpose = str(said.get("purpose") or "marketing")
            yield ConsentChange(
                name, customer, row["channel"], said["granted"], at, f"record from {source}", purpose
            )
        return
    everywhere = row["kind"] == "complaint" or row["channel"] not in CHANNELS
    for channel in CHANNELS if everywhere else (row["channel"],):
        yield ConsentChange(f"{name}/{channel}", customer, channel, False, at, f"{row['kind']} from {source}")


def _holdings(session: Session, events: pa.Table) -> int:
    rows = [
        {
            "customer_id": row["customer_id"],
            "product": row["said"]["product"],
            "status": row["said"].get("status", "opened"),
            "category": row["said"].get("category"),
            "offer_id": row["offer_id"],
            "balance_minor": row["said"].get("balance_minor"),
            "currency": row["currency"],
            "changed_at": row["occurred_at"],
            "record_id": row["event_id"],
        }
        for row in _rows(events, ("holding",), ("offer_id", "currency"))
        if row["said"].get("product")
    ]
    upsert_holdings(session, rows)
    return len(rows)


def _contacts(session: Session, events: pa.Table, on_sent: OnSent) -> int:
    rows = _rows(events, ("sent",), ("channel", "message_id"))
    sent = [
        (row["customer_id"], row["channel"], row["occurred_at"], row["message_id"])
        for row in rows
        if row["channel"] is not None and row["message_id"] is not None
    ]
    if sent:
        on_sent(session, sent)
    return len(sent)


def _rows(events: pa.Table, kinds: Sequence[str], more: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """Events of these kinds as dicts; `said` is what their `attributes` hold."""
    some = events.filter(pc.is_in(events["kind"], pa.array(list(kinds))))
    decode = msgspec.json.decode
    for row in some.select([*_BASE, *more, "attributes"]).to_pylist():
        yield {**row, "said": decode(row["attributes"]) if row["attributes"] else {}}
