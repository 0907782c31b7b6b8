"""The contact ledger: exact reservations under concurrency.

Every reserve or commit of a customer's contact holds that customer's advisory lock until the transaction
ends, so two dispatchers, or a dispatcher and a decision, see each other's contacts. A transaction that
touches several customers must take them in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from smart_reach.engine.catalog.words import require_channel
from smart_reach.engine.clock import Clock
from smart_reach.engine.decisioning.contact import Contact, refusing_cap
from smart_reach.engine.decisioning.policy import ContactPolicy
from smart_reach.engine.decisioning.tables import ContactReservation
from smart_reach.engine.errors import Conflict, NotFound

_LOCK_SPACE = 726_417


@dataclass(frozen=True)
class Refusal:
    """Why a contact may not be made now."""

    rule: str
    reason: str


class ContactLedger:
    """Reserves, commits and releases contacts so that the caps of the policy always hold."""

    def __init__(self, clock: Clock, policy: ContactPolicy | None = None) -> None:
        self._clock = clock
        self.policy = policy or ContactPolicy()

    def lock(self, session: Session, customer_id: str) -> None:
        """Hold this customer's contacts until the transaction ends."""
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(customer_id, _LOCK_SPACE))))

    def reserve(
        self, session: Session, customer_id: str, channel: str, at: datetime, subject: str
    ) -> int | Refusal:
        """Take a place for one contact at `at`; the id of the reservation, or the reason against it.

        Repeating a subject returns its reservation, so that a crashed dispatcher can simply try again; one
        that expired or was released is checked anew.
        """
        require_channel(channel)
        self.lock(session, customer_id)
        now = self._clock.now()
        row = session.scalar(select(ContactReservation).where(ContactReservation.subject == subject))
        if row is not None and (row.customer_id, row.channel) != (customer_id, channel):
            raise Conflict(f"The subject {subject} already stands for another contact.")
        if row is not None and (row.state == "committed" or (_alive(row, now) and row.at == at)):
            return row.id
        refused = self._refusal(session, customer_id, channel, at, except_id=row.id if row else None)
        if refused is not None:
            return refused
        if row is None:
            row = ContactReservation(
                customer_id=customer_id, channel=channel, subject=subject, created_at=now
            )
            session.add(row)
        row.at, row.state = at, "reserved"
        row.expires_at = max(now, at) + timedelta(minutes=self.policy.hold_minutes)
        session.flush()
        return row.id

    def commit(self, session: Session, reservation_id: int) -> None:
        """The contact was made. Raises Conflict when the place was lost meanwhile. Repeatable."""
        row = self._locked(session, reservation_id)
        if row.state == "committed":
            return
        if not _alive(row, self._clock.now()):
            refused = self._refusal(session, row.customer_id, row.channel, row.at, except_id=row.id)
            if refused is not None:
                raise Conflict(f"Reservation {row.id} ended and its place is taken: {refused.reason}")
        row.state, row.expires_at = "committed", None
        session.flush()

    def release(self, session: Session, reservation_id: int) -> None:
        """The contact will not be made; its place is free again. Repeatable; a made contact stays."""
        row = self._locked(session, reservation_id)
        if row.state == "committed":
            raise Conflict(f"Reservation {row.id} is a contact that was made; it cannot be released.")
        row.state, row.expires_at = "released", None
        session.flush()

    def contacts(
        self,
        session: Session,
        customer_ids: Sequence[str] | None,
        *,
        at: datetime | None = None,
        except_id: int | None = None,
    ) -> dict[str, list[Contact]]:
        """Committed and live reserved contacts that matter from `at` (now) on, in time order."""
        now = self._clock.now()
        since = min(now, at or now) - timedelta(hours=self.policy.longest_hours)
        query = (
            select(ContactReservation.customer_id, ContactReservation.channel, ContactReservation.at)
            .where(ContactReservation.at > since, _counts(now))
            .order_by(ContactReservation.customer_id, ContactReservation.at, ContactReservation.id)
        )
        if customer_ids is not None:
            query = query.where(ContactReservation.customer_id.in_(list(customer_ids)))
        if except_id is not None:
            query = query.where(ContactReservation.id != except_id)
        found: dict[str, list[Contact]] = {}
        for customer_id, channel, at in session.execute(query):
            found.setdefault(customer_id, []).append(Contact(channel, at))
        return found

    def backfill(self, session: Session, rows: Iterable[tuple[str, str, datetime, str]]) -> int:
        """Record contacts made before this ledger: (customer, channel, at, subject). Known ones are kept."""
        now = self._clock.now()
        values = [
            {
                "customer_id": customer_id,
                "channel": channel,
                "at": at,
                "subject": subject,
                "state": "committed",
                "created_at": now,
                "expires_at": None,
            }
            for customer_id, channel, at, subject in rows
        ]
        before = session.scalar(select(func.count()).select_from(ContactReservation)) or 0
        for start in range(0, len(values), 5000):
            session.execute(
                pg_insert(ContactReservation).on_conflict_do_nothing(index_elements=["subject"]),
                values[start : start + 5000],
            )
        return (session.scalar(select(func.count()).select_from(ContactReservation)) or 0) - before

    def _locked(self, session: Session, reservation_id: int) -> ContactReservation:
        customer_id = session.scalar(
            select(ContactReservation.customer_id).where(ContactReservation.id == reservation_id)
        )
        if customer_id is None:
            raise NotFound(f"There is no reservation {reservation_id}.")
        self.lock(session, customer_id)
        return session.get_one(ContactReservation, reservation_id, populate_existing=True)

    def _refusal(
        self, session: Session, customer_id: str, channel: str, at: datetime, *, except_id: int | None
    ) -> Refusal | None:
        found = self.contacts(session, [customer_id], at=at, except_id=except_id)
        contacts = found.get(customer_id, [])
        cap = refusing_cap(contacts, channel, at, self.policy)
        if cap is None:
            return None
        return Refusal("cap", f"The contact policy allows {cap.text}, and that is reached.")


def _alive(row: ContactReservation, now: datetime) -> bool:
    return row.state == "reserved" and (row.expires_at is None or row.expires_at > now)


def _counts(now: datetime) -> ColumnElement[bool]:
    return or_(
        ContactReservation.state == "committed",
        and_(ContactReservation.state == "reserved", ContactReservation.expires_at > now),
    )
