"""Reads what is known of a batch's keys, and writes what its records changed, in a few statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.arrays import among, pages, rows_of
from smart_reach.engine.catalog.erasures import erased
from smart_reach.engine.catalog.identity import merging, people
from smart_reach.engine.catalog.identity.keys import KeyRules
from smart_reach.engine.catalog.identity.linking import Clash, Known, Links, short_id
from smart_reach.engine.catalog.tables import CustomerAlias, IdentityConflict, IdentityKey

ACTOR = "system:identity"
DECLARED = "a customer record declares that the keys are one person's"


def owners(session: Session, hashes: Collection[str]) -> dict[str, str | None]:
    """Whose key each known hash is; None for a key of an erased person, also of one about to go."""
    found: dict[str, str | None] = {}
    for page in pages(hashes):
        query = select(IdentityKey.hash, IdentityKey.customer_id).where(among(IdentityKey.hash, page))
        found.update(session.execute(query).tuples().all())
    gone = erased(session, {one for one in found.values() if one is not None})
    return {key_hash: None if owner in gone else owner for key_hash, owner in found.items()}


def load_known(
    session: Session,
    rules: KeyRules,
    keys: Mapping[str, str | None],
    new: Collection[str],
    customers: Collection[str],
) -> Known:
    """What the linker must know of `keys` (hash → owner), of `new` hashes, and of customers that are named.

    Call it under `people.lock`.
    """
    owned = {key_hash: owner for key_hash, owner in keys.items() if owner is not None}
    ids = set(owned.values()) | set(customers)
    single: dict[str, dict[str, str]] = {}
    kinds = [kind.name for kind in rules.kinds.values() if kind.one_each]
    for page in pages(ids):
        query = select(IdentityKey.customer_id, IdentityKey.kind, IdentityKey.hash).where(
            among(IdentityKey.customer_id, page), IdentityKey.kind.in_(kinds)
        )
        for customer_id, kind, key_hash in session.execute(query):
            if customer_id is not None:
                single.setdefault(customer_id, {})[kind] = key_hash
    # another key may begin with the same digits; an id of that shape may also have been given from outside
    taken = people.existing(session, {short_id(one) for one in new})
    return Known(owned, people.undescribed(session, ids), single, taken)


def save(session: Session, links: Links, at: datetime, zone: str) -> None:
    """Write new customers, keys, joins and clashes. Repeating it changes nothing."""
    people.add_customers(session, links.new | links.described, zone)
    gone = links.described | set(links.joins)
    people.set_undescribed(session, links.new - gone, gone)
    for page in pages(links.keys):
        kinds, homes = zip(*(links.keys[one] for one in page), strict=True)
        text = String()
        columns = {"hash": page, "kind": kinds, "customer_id": homes, "home_id": homes}
        rows = rows_of({name: (text, values) for name, values in columns.items()})
        session.execute(insert(IdentityKey).from_select(list(columns), rows).on_conflict_do_nothing())
    if links.joins:
        _join(session, links, at)
    if links.clashes:
        note_clashes(session, [_clash_now(links, clash) for clash in links.clashes], at)


def _join(session: Session, links: Links, at: datetime) -> None:
    finals = {one: _final(links, one) for one in links.joins}
    rows = [
        {
            "customer_id": one,
            "into_id": finals[one],
            "reason": f"{DECLARED} (record {record.record_id} from {record.source})",
            "actor": ACTOR,
            "at": at,
        }
        for one, (_, record) in sorted(links.joins.items())
    ]
    session.execute(insert(CustomerAlias), rows)
    alias = CustomerAlias
    for page in pages(finals):
        moved = update(IdentityKey).where(
            IdentityKey.customer_id == alias.customer_id,
            alias.ended_at.is_(None),
            among(alias.customer_id, page),
        )
        session.execute(moved.values(customer_id=alias.into_id))
        merging.carry_over(session, {one: finals[one] for one in page}, at, f"identity: {DECLARED}")
    people.count_change(session)


def note_clashes(session: Session, clashes: Sequence[Clash], at: datetime) -> None:
    """Put new conflicts on the review list; a pair that was kept apart, or is there already, stays."""
    apart = kept_apart(session, {one for clash in clashes for one in (clash.first, clash.second)})
    rows = {
        (clash.first, clash.second): _row(clash, at)
        for clash in reversed(clashes)
        if clash.first != clash.second and (clash.first, clash.second) not in apart
    }
    if rows:
        session.execute(
            insert(IdentityConflict).on_conflict_do_nothing(), [rows[pair] for pair in sorted(rows)]
        )


def kept_apart(session: Session, customer_ids: Collection[str]) -> set[tuple[str, str]]:
    """Pairs that a person has kept apart, under the ids that stand for them now."""
    names = {name for one in customer_ids for name in people.names_of(session, one)}
    found: set[tuple[str, str]] = set()
    conflict = IdentityConflict
    for page in pages(names):
        query = select(conflict.first_id, conflict.second_id).where(
            conflict.status == "kept_apart",
            or_(among(conflict.first_id, page), among(conflict.second_id, page)),
        )
        found.update(session.execute(query).tuples().all())
    now = people.canonical(session, {one for pair in found for one in pair})
    return {ordered(now[first], now[second]) for first, second in found}


def ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _row(clash: Clash, at: datetime) -> dict[str, Any]:
    record = clash.record
    return {
        "first_id": clash.first,
        "second_id": clash.second,
        "status": "open",
        "found_at": at,
        "evidence": {
            "record_id": record.record_id,
            "source": record.source,
            "occurred_at": record.occurred_at.isoformat(),
            "reason": clash.reason,
            "kinds": sorted({kind for kind, _ in record.keys}),
        },
    }


def _final(links: Links, customer_id: str) -> str:
    while customer_id in links.joins:
        customer_id = links.joins[customer_id][0]
    return customer_id


def _clash_now(links: Links, clash: Clash) -> Clash:
    first, second = ordered(_final(links, clash.first), _final(links, clash.second))
    return Clash(first, second, clash.reason, clash.record)
