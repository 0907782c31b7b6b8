"""Customers as persons: which exist, who is whose alias, and how two become one or two again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.arrays import among, pages, rows_of
from smart_reach.engine.catalog.tables import (
    Customer,
    CustomerAlias,
    IdentityKey,
    UndescribedCustomer,
)
from smart_reach.engine.state.info import WorkspaceInfo

DEFAULT_ZONE = "UTC"
_LOCK = 726_417_011
_VERSION = "identity_version"


def lock(session: Session) -> None:
    """Nobody else changes who is who until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def version(session: Session) -> int:
    """Grows with every alias that is made or ended: what processes remember of ids holds for one version."""
    found = session.scalar(select(WorkspaceInfo.value).where(WorkspaceInfo.key == _VERSION))
    return int(found or 0)


def count_change(session: Session) -> None:
    session.execute(
        insert(WorkspaceInfo)
        .values(key=_VERSION, value=str(version(session) + 1))
        .on_conflict_do_update(index_elements=["key"], set_={"value": str(version(session) + 1)})
    )


def canonical(session: Session, customer_ids: Collection[str]) -> dict[str, str]:
    """The id that stands for each person now; most ids stand for themselves."""
    found = {customer_id: customer_id for customer_id in customer_ids}
    moved = set(found)
    while moved:
        steps = _active(session, {found[one] for one in moved})
        moved = {one for one in moved if found[one] in steps}
        for one in moved:
            found[one] = steps[found[one]]
    return found


def _active(session: Session, customer_ids: Collection[str]) -> dict[str, str]:
    steps: dict[str, str] = {}
    for page in pages(customer_ids):
        query = select(CustomerAlias.customer_id, CustomerAlias.into_id).where(
            among(CustomerAlias.customer_id, page), CustomerAlias.ended_at.is_(None)
        )
        steps.update(session.execute(query).tuples().all())
    return steps


def names_of(session: Session, customer_id: str) -> list[str]:
    """Every id under which this person is known, the one that stands for the person first."""
    names = [canonical(session, [customer_id])[customer_id]]
    newest = names
    while newest:
        query = select(CustomerAlias.customer_id).where(
            CustomerAlias.into_id.in_(newest), CustomerAlias.ended_at.is_(None)
        )
        newest = sorted(session.scalars(query))
        names = names + newest
    return names


def existing(session: Session, customer_ids: Collection[str]) -> set[str]:
    """Those of the ids that have a customer."""
    found: set[str] = set()
    for page in pages(customer_ids):
        found.update(session.scalars(select(Customer.id).where(among(Customer.id, page))))
    return found


def add_customers(session: Session, customer_ids: Collection[str], zone: str = DEFAULT_ZONE) -> None:
    """Customers of whom nothing but the id is known; those that exist are left alone."""
    for page in pages(customer_ids):
        given = rows_of({"id": (String(), page)}).subquery()
        blank = literal({}, JSONB)
        rows = select(given.c.id, literal(zone), literal("en"), literal(False), blank)
        names = ["id", "zone", "language", "holdout", "attributes"]
        session.execute(insert(Customer).from_select(names, rows).on_conflict_do_nothing())


def undescribed(session: Session, customer_ids: Collection[str]) -> set[str]:
    """Those that are known by keys of events alone."""
    found: set[str] = set()
    for page in pages(customer_ids):
        query = select(UndescribedCustomer.customer_id).where(among(UndescribedCustomer.customer_id, page))
        found.update(session.scalars(query))
    return found


def set_undescribed(session: Session, new: Collection[str], gone: Collection[str]) -> None:
    """Note who is known by keys alone, and who has been described since."""
    for page in pages(new):
        rows = rows_of({"customer_id": (String(), page)})
        session.execute(
            insert(UndescribedCustomer).from_select(["customer_id"], rows).on_conflict_do_nothing()
        )
    for page in pages(gone):
        session.execute(delete(UndescribedCustomer).where(among(UndescribedCustomer.customer_id, page)))


def join(
    session: Session,
    absorbed: str,
    into: str,
    *,
    reason: str,
    actor: str,
    at: datetime,
    conflict_id: int | None = None,
) -> None:
    """From now on `absorbed` is `into`, and its keys are too. Both must stand for themselves."""
    alias = CustomerAlias(
        customer_id=absorbed, into_id=into, conflict_id=conflict_id, reason=reason, actor=actor, at=at
    )
    session.add(alias)
    session.flush()
    session.execute(update(IdentityKey).where(IdentityKey.customer_id == absorbed).values(customer_id=into))
    count_change(session)


def part(session: Session, alias: CustomerAlias, at: datetime) -> None:
    """End an alias: the keys that came with it go back with it, those that came later stay."""
    whole = canonical(session, [alias.into_id])[alias.into_id]
    alias.ended_at = at
    session.flush()
    keys = session.scalars(select(IdentityKey).where(IdentityKey.customer_id == whole)).all()
    homes = canonical(session, {key.home_id for key in keys if key.home_id})
    for key in keys:
        key.customer_id = homes[key.home_id] if key.home_id else None
    session.flush()
    count_change(session)


def zones(session: Session, customer_ids: Collection[str]) -> dict[str, str]:
    """The zone each customer lives in."""
    found: dict[str, str] = {}
    for page in pages(customer_ids):
        found.update(
            session.execute(select(Customer.id, Customer.zone).where(among(Customer.id, page))).tuples()
        )
    return found
