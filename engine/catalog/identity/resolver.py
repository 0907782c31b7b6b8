"""Fills in whose each event is. Columnwise; what is known is remembered, so that most batches ask little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pyarrow as pa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import without_erased
from smart_reach.engine.catalog.identity import people, store
from smart_reach.engine.catalog.identity.batch import Batch, Resolution
from smart_reach.engine.catalog.identity.keys import KeyHasher, KeyRules
from smart_reach.engine.catalog.identity.linking import Linker
from smart_reach.engine.catalog.identity.memory import Memory
from smart_reach.engine.state.base import transaction

Owners = Mapping[str, str | None]


class Resolver:
    """One per process and database, used by one thread at a time; several processes may resolve at once."""

    def __init__(
        self, secret: bytes, *, rules: KeyRules | None = None, default_zone: str = people.DEFAULT_ZONE
    ) -> None:
        self._hasher = KeyHasher(secret, rules)
        self._zone = default_zone
        self._memory = Memory()

    def __call__(self, session: Session, events: pa.Table) -> pa.Table:
        """The events with their customers, without those of erased persons; null where a key names nobody."""
        return self.resolve(session, events).events

    def resolve(self, session: Session, events: pa.Table) -> Resolution:
        """`customer_id` for every row, aliases followed; keys in customer records become hashes.

        New keys make customers whose ids follow from the keys, so that a replay gives the same. What is
        remembered holds once the session commits.
        """
        came = events.num_rows
        events = without_erased(session, events)  # first: it keeps the gate from here to the commit
        left_out = came - events.num_rows
        found = self._resolve(session, events)
        return replace(found, erased=found.erased + left_out) if left_out else found

    def _resolve(self, session: Session, events: pa.Table) -> Resolution:
        if events.num_rows == 0:
            return Batch(events, self._hasher).result(events["customer_id"].combine_chunks(), {})
        self._memory.refresh(session)
        batch = Batch(events, self._hasher)
        owners, joined = self._owners(session, batch)
        customer_ids = batch.customer_ids(owners)
        if self._memory.version or joined:
            customer_ids = self._stand_for(session, customer_ids)
        return batch.result(customer_ids, owners)

    def _owners(self, session: Session, batch: Batch) -> tuple[Owners, bool]:
        """Whose each hash is, None for an erased person's; and whether customers were joined."""
        memory = self._memory.keys
        if not batch.has_records and batch.event_hashes <= memory.keys():
            return memory, False
        owners: dict[str, str | None] = {one: memory[one] for one in batch.hashes if one in memory}
        unknown = batch.hashes - owners.keys()
        if unknown:
            owners |= store.owners(session, unknown)
        joined = False
        if batch.has_records or unknown - owners.keys():
            owners, joined = self._link(session, batch)
        new = {one: owner for one in unknown if (owner := owners.get(one)) is not None}
        self._memory.remember_keys(session, new)
        return owners, joined

    def _link(self, session: Session, batch: Batch) -> tuple[dict[str, str | None], bool]:
        """Make what is new, under the lock and from what the database says now."""
        people.lock(session)
        owners = store.owners(session, batch.hashes)
        given = people.canonical(session, batch.given)
        new = batch.hashes - owners.keys()
        known = store.load_known(session, self._hasher.rules, owners, new, set(given.values()))
        linker = Linker(self._hasher.rules, known)
        erased = {one for one, owner in owners.items() if owner is None}
        for row, record in batch.records(given, erased):
            batch.describes(row, linker.link(record))
        for one in sorted(batch.event_hashes & new):
            linker.see(batch.kinds[one], one)
        store.save(session, linker.links, batch.received_at, self._zone)
        batch.settle(linker.stands_for)
        now = {one: None if one in erased else linker.owner(one) for one in batch.hashes}
        return now, bool(linker.links.joins)

    def _stand_for(self, session: Session, column: pa.Array) -> pa.Array:
        """Follow aliases, which few customers have."""
        encoded = column.dictionary_encode()
        ids = encoded.dictionary.to_pylist()
        memory = self._memory.ids
        found = people.canonical(session, {one for one in ids if one not in memory})
        self._memory.remember_ids(session, found)
        now = [found.get(one) or memory[one] for one in ids]
        return column if now == ids else pa.array(now, pa.string()).take(encoded.indices)


def resolving(db: Engine, resolver: Resolver) -> Callable[[pa.Table], pa.Table]:
    """The resolver as a stage of the ingester: each batch in a transaction of its own."""

    def stage(events: pa.Table) -> pa.Table:
        with transaction(db) as session:
            return resolver(session, events)

    return stage


def resolve(session: Session, events: pa.Table, secret: bytes) -> pa.Table:
    """`Resolver.resolve` once, remembering nothing."""
    return Resolver(secret)(session, events)
