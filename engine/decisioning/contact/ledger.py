"""The contact ledger: exact reservations under concurrency.

Every reserve or commit of a customer's contact holds that customer's advisory lock until the transaction
ends, so two dispatchers, or a dispatcher and a decision, see each other's contacts. A transaction that
touches several customers must take them in the order of their ids: `lock_many` for all of them first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, DateTime, String, and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from smart_reach.engine.catalog.arrays import PAGE, rows_of
from smart_reach.engine.catalog.words import require_channel
from smart_reach.engine.clock import Clock
from smart_reach.engine.decisioning.contact.limits import Contact, refusing_cap
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
        self.lock_many(session, [customer_id])

    def lock_many(self, session: Session, customer_ids: Collection[str]) -> None:
        """Hold the contacts of these customers until the transaction ends, taken in the order of ids."""
        ids = literal(sorted(set(customer_ids)), ARRAY(String))
        # A function in FROM hands its rows out in the array's order, so the locks are taken in it too.
        one = func.unnest(ids).table_valued("id").render_derived()
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(one.c.id, _LOCK_SPACE))))

    def reserve(
        self, session: Session, customer_id: str, channel: str, at: datetime, subject: str
    ) -> int | Refusal:
        """Take a place for one contact at `at`; the id of the reservation, or the reason against it.

        Repeating a subject returns its reservation, so that a crashed dispatcher can simply try again; one
        that expired or was released is checked anew.
        """
        return self.reserve_many(session, [(customer_id, channel, subject)], at)[subject]

    def reserve_many(
        self, session: Session, wanted: Sequence[tuple[str, str, str]], at: datetime
    ) -> Mapping[str, int | Refusal]:
        """`reserve` for (customer, channel, subject), one after the other in this order; by subject."""
        if not wanted:
            return {}
        for channel in {channel for _, channel, _ in wanted}:
            require_channel(channel)
        customers = {customer_id for customer_id, _, _ in wanted}
        self.lock_many(session, customers)
        now = self._clock.now()
        known = _of_subjects(session, [subject for _, _, subject in wanted])
        taken = self._taken(session, customers, at)
        answers: dict[str, ContactReservation | Refusal] = {}
        for customer_id, channel, subject in wanted:
            row = known.get(subject)
            if row is None or not _stands(row, customer_id, channel, at, now):
                places = taken.setdefault(customer_id, {})
                if refused := self._refusal(places, channel, at, subject):
                    answers[subject] = refused
                    continue
                row = row or _new(session, customer_id, channel, subject, now)
                row.at, row.state = at, "reserved"
                row.expires_at = max(now, at) + timedelta(minutes=self.policy.hold_minutes)
                places[subject], known[subject] = Contact(channel, at), row
            answers[subject] = row
        session.flush()
        return {subject: a if isinstance(a, Refusal) else a.id for subject, a in answers.items()}

    def commit(self, session: Session, reservation_id: int) -> None:
        """The contact was made. Raises Conflict when the place was lost meanwhile. Repeatable."""
        for reason in self.commit_many(session, [reservation_id]).values():
            raise Conflict(reason)

    def commit_many(self, session: Session, reservation_ids: Collection[int]) -> Mapping[int, str]:
        """The contacts were made. Returns those whose place was lost meanwhile, with the reason."""
        lost: dict[int, str] = {}
        now = self._clock.now()
        for row in self._locked(session, reservation_ids):
            if row.state == "committed":
                continue
            if not _alive(row, now):
                places = self._taken(session, [row.customer_id], row.at).get(row.customer_id, {})
                if refused := self._refusal(places, row.channel, row.at, row.subject):
                    lost[row.id] = f"Reservation {row.id} ended and its place is taken: {refused.reason}"
                    continue
            row.state, row.expires_at = "committed", None
        session.flush()
        return lost

    def release(self, session: Session, reservation_id: int) -> None:
        """The contact will not be made; its place is free again. Repeatable; a made contact stays."""
        self.release_many(session, [reservation_id])

    def release_many(self, session: Session, reservation_ids: Collection[int]) -> None:
        """`release` for many; Conflict when one of them is a contact that was made."""
        for row in self._locked(session, reservation_ids):
            if row.state == "committed":
                raise Conflict(f"Reservation {row.id} is a contact that was made; it cannot be released.")
            row.state, row.expires_at = "released", None
        session.flush()

    def contacts(
        self, session: Session, customer_ids: Sequence[str] | None, *, at: datetime | None = None
    ) -> dict[str, list[Contact]]:
        """Committed and live reserved contacts that matter from `at` (now) on, in time order."""
        taken = self._taken(session, customer_ids, at)
        return {customer_id: list(places.values()) for customer_id, places in taken.items()}

    def backfill(self, session: Session, rows: Iterable[tuple[str, str, datetime, str]]) -> int:
        """Record contacts made before this ledger: (customer, channel, at, subject). Known ones are kept."""
        now, known = self._clock.now(), sorted(rows, key=lambda row: row[3])
        added = 0
        for start in range(0, len(known), PAGE):
            people, channels, moments, subjects = zip(*known[start : start + PAGE], strict=True)
            columns: dict[str, tuple[TypeEngine[Any], Sequence[Any]]] = {
                "customer_id": (String(), people),
                "channel": (String(), channels),
                "at": (DateTime(timezone=True), moments),
                "subject": (String(), subjects),
            }
            values = rows_of(columns).add_columns(literal("committed"), literal(now, DateTime(timezone=True)))
            new = pg_insert(ContactReservation).from_select([*columns, "state", "created_at"], values)
            new = new.on_conflict_do_nothing(index_elements=["subject"])
            added += len(session.execute(new.returning(ContactReservation.id)).all())
        return added

    def _taken(
        self, session: Session, customer_ids: Collection[str] | None, at: datetime | None
    ) -> dict[str, dict[str, Contact]]:
        """Customer → subject → contact."""
        now = self._clock.now()
        since = min(now, at or now) - timedelta(hours=self.policy.longest_hours)
        row = ContactReservation
        query = (
            select(row.customer_id, row.subject, row.channel, row.at)
            .where(row.at > since, _counts(now))
            .order_by(row.customer_id, row.at, row.id)
        )
        if customer_ids is not None:
            query = query.where(row.customer_id.in_(list(customer_ids)))
        found: dict[str, dict[str, Contact]] = {}
        for customer_id, subject, channel, when in session.execute(query):
            found.setdefault(customer_id, {})[subject] = Contact(channel, when)
        return found

    def _locked(self, session: Session, reservation_ids: Collection[int]) -> Sequence[ContactReservation]:
        ids, row = list(reservation_ids), ContactReservation
        if not ids:
            return []
        owners = dict(session.execute(select(row.id, row.customer_id).where(row.id.in_(ids))).tuples().all())
        if missing := sorted(set(ids) - set(owners)):
            raise NotFound(f"There is no reservation {missing[0]}.")
        self.lock_many(session, owners.values())
        query = select(row).where(row.id.in_(ids)).order_by(row.customer_id, row.id)
        return session.scalars(query.execution_options(populate_existing=True)).all()

    def _refusal(
        self, places: Mapping[str, Contact], channel: str, at: datetime, subject: str
    ) -> Refusal | None:
        """The cap that one more contact would break; the subject's own earlier place does not count."""
        others = [contact for other, contact in places.items() if other != subject]
        cap = refusing_cap(others, channel, at, self.policy)
        if cap is None:
            return None
        return Refusal("cap", f"The contact policy allows {cap.text}, and that is reached.")


def _of_subjects(session: Session, subjects: Collection[str]) -> dict[str, ContactReservation]:
    query = select(ContactReservation).where(ContactReservation.subject.in_(subjects))
    rows = session.scalars(query.execution_options(populate_existing=True))
    return {row.subject: row for row in rows}


def _stands(row: ContactReservation, customer_id: str, channel: str, at: datetime, now: datetime) -> bool:
    """Whether the row already is this contact's place."""
    if (row.customer_id, row.channel) != (customer_id, channel):
        raise Conflict(f"The subject {row.subject} already stands for another contact.")
    return row.state == "committed" or (_alive(row, now) and row.at == at)


def _new(session: Session, customer_id: str, channel: str, subject: str, now: datetime) -> ContactReservation:
    row = ContactReservation(customer_id=customer_id, channel=channel, subject=subject, created_at=now)
    session.add(row)
    return row


def _alive(row: ContactReservation, now: datetime) -> bool:
    return row.state == "reserved" and (row.expires_at is None or row.expires_at > now)


def _counts(now: datetime) -> ColumnElement[bool]:
    return or_(
        ContactReservation.state == "committed",
        and_(ContactReservation.state == "reserved", ContactReservation.expires_at > now),
    )
