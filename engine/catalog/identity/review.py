"""The review list: two customers that a record says are one, and what people decide about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.identity import merging, people
from smart_reach.engine.catalog.identity.showing import shown
from smart_reach.engine.catalog.tables import CustomerAlias, IdentityConflict
from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import Conflict, InvalidInput, NotFound
from smart_reach.engine.ports import LedgerWriter
from smart_reach.engine.state.base import transaction

Decision = Literal["merge", "keep_apart"]
DECIDE = "identity.decide"


class Person(Protocol):
    """Who decides."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


class IdentityReview:
    """Lists and decides conflicts. `authorise(person, permission)` raises when the person may not."""

    def __init__(
        self, db: Engine, clock: Clock, ledger: LedgerWriter, authorise: Callable[[Person, str], None]
    ) -> None:
        self._db = db
        self._clock = clock
        self._ledger = ledger
        self._authorise = authorise

    def list(self, status: str = "open", *, page: int = 1, size: int = 50) -> dict[str, Any]:
        """{"items", "total", "open"}: conflicts of a status (or `all`), newest first; pages from 1."""
        row = IdentityConflict
        which = [] if status == "all" else [row.status == status]
        with Session(self._db) as session:
            total = session.scalar(select(func.count()).select_from(row).where(*which)) or 0
            query = select(row).where(*which).order_by(row.id.desc()).offset((page - 1) * size).limit(size)
            items = [shown(session, one) for one in session.scalars(query)]
            return {"items": items, "total": total, "open": open_conflicts(session)}

    def get(self, conflict_id: int) -> dict[str, Any]:
        """One conflict as the API shows it."""
        with Session(self._db) as session:
            return shown(session, _found(session, conflict_id))

    def decide(
        self,
        conflict_id: int,
        decision: Decision,
        actor: Person,
        *,
        keep: str | None = None,
        reason: str = "",
    ) -> dict[str, Any]:
        """Merge the two into one customer, or keep them apart for good; written to the ledger.

        `keep`: the one of the two that stays; by default the one that records have described, else the
        first. Raises `Conflict` when it was decided already, `Forbidden`, `NotFound`, `InvalidInput`.
        """
        self._authorise(actor, DECIDE)
        with transaction(self._db) as session:
            people.lock(session)
            conflict = _found(session, conflict_id)
            if conflict.status != "open":
                raise Conflict(
                    f"Conflict {conflict_id} was decided by {conflict.decided_by}: {conflict.status}.",
                    hint="Take the merge back first, if it was wrong.",
                )
            first, second = _today(session, conflict)
            if decision == "merge":
                self._merge(session, conflict, (first, second), actor, keep)
            self._note(session, conflict, "merged" if decision == "merge" else "kept_apart", actor, reason)
            return shown(session, conflict)

    def unmerge(self, conflict_id: int, actor: Person, *, reason: str) -> dict[str, Any]:
        """Take a merge back: both are customers of their own again and are kept apart.

        What came in meanwhile stays with the one that was kept.
        """
        self._authorise(actor, DECIDE)
        with transaction(self._db) as session:
            people.lock(session)
            conflict = _found(session, conflict_id)
            alias = session.scalar(
                select(CustomerAlias).where(
                    CustomerAlias.conflict_id == conflict_id, CustomerAlias.ended_at.is_(None)
                )
            )
            if conflict.status != "merged" or alias is None:
                raise Conflict(
                    f"Conflict {conflict_id} is {conflict.status}; there is no merge to take back."
                )
            now = self._clock.now()
            people.part(session, alias, now)
            merging.take_back(session, alias.customer_id, alias.into_id, now, _source(conflict))
            for other in session.scalars(
                select(IdentityConflict).where(IdentityConflict.settled_by == conflict.id)
            ):
                other.status, other.settled_by, other.kept_id = "open", None, None
                other.decided_by, other.decided_at, other.reason = None, None, None
            self._note(session, conflict, "kept_apart", actor, reason, what="unmerged")
            return shown(session, conflict)

    def _merge(
        self,
        session: Session,
        conflict: IdentityConflict,
        pair: tuple[str, str],
        actor: Person,
        keep: str | None,
    ) -> None:
        if pair[0] == pair[1]:
            raise Conflict(f"Both are {pair[0]} already.")
        keep = keep or _described_first(session, pair)
        keep = people.canonical(session, [keep])[keep]
        if keep not in pair:
            raise InvalidInput("keep", keep, f"Use {pair[0]} or {pair[1]}.")
        goes = pair[0] if keep == pair[1] else pair[1]
        now, why = self._clock.now(), f"conflict {conflict.id}"
        people.join(session, goes, keep, reason=why, actor=actor.id, at=now, conflict_id=conflict.id)
        people.set_undescribed(session, (), [goes])
        merging.carry_over(session, {goes: keep}, now, _source(conflict))
        conflict.kept_id = keep
        self._settle_others(session, conflict, keep, actor)

    def _settle_others(self, session: Session, conflict: IdentityConflict, keep: str, actor: Person) -> None:
        """Other open conflicts whose two are one now."""
        row, names = IdentityConflict, people.names_of(session, keep)
        query = select(row).where(
            row.status == "open", row.id != conflict.id, row.first_id.in_(names), row.second_id.in_(names)
        )
        for other in session.scalars(query):
            other.status, other.kept_id, other.settled_by = "merged", keep, conflict.id
            other.decided_by, other.decided_at = actor.id, self._clock.now()

    def _note(
        self,
        session: Session,
        conflict: IdentityConflict,
        status: str,
        actor: Person,
        reason: str,
        what: str | None = None,
    ) -> None:
        conflict.status, conflict.decided_by = status, actor.id
        conflict.decided_at, conflict.reason = self._clock.now(), reason or None
        session.flush()
        self._ledger(
            session,
            kind=f"identity.{what or status}",
            subject=f"identity-conflict-{conflict.id}",
            actor=actor.id,
            payload={
                "customer_ids": [conflict.first_id, conflict.second_id],
                "kept_id": conflict.kept_id,
                "reason": reason,
            },
        )


def open_conflicts(session: Session) -> int:
    """How many wait for a decision."""
    query = select(func.count()).select_from(IdentityConflict).where(IdentityConflict.status == "open")
    return session.scalar(query) or 0


def _found(session: Session, conflict_id: int) -> IdentityConflict:
    row = session.get(IdentityConflict, conflict_id)
    if row is None:
        raise NotFound(f"There is no identity conflict {conflict_id}.")
    return row


def _today(session: Session, conflict: IdentityConflict) -> tuple[str, str]:
    now = people.canonical(session, [conflict.first_id, conflict.second_id])
    return now[conflict.first_id], now[conflict.second_id]


def _described_first(session: Session, pair: tuple[str, str]) -> str:
    unknown = people.undescribed(session, pair)
    return next((one for one in pair if one not in unknown), pair[0])


def _source(conflict: IdentityConflict) -> str:
    return f"identity: merged by conflict {conflict.id}"
