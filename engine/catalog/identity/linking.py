"""Which keys belong to one person, as customer records declare it, and where two persons clash.

A customer record says that its keys, and the id it may give, are one person:

- a key that nobody has becomes the person's;
- a customer known by keys of events alone joins the person the record describes;
- two customers that records have described never join here: a conflict goes to the review list;
- nor do customers with different values of a key of which a person has one.

So the order of records decides at most who keeps a contested key: the keys joined by customers and
conflicts together are the same in every order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from smart_reach.engine.catalog.identity.keys import KeyRules


@dataclass(frozen=True)
class LinkRecord:
    """A customer record: the id it gives, if any, and its keys as (kind, hash)."""

    record_id: str
    source: str
    occurred_at: datetime
    customer_id: str | None
    keys: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Known:
    """What is stored of a batch's keys and customers.

    `owners`: hash → customer. `undescribed`: customers known by keys of events alone. `single`: customer →
    kind → hash, for kinds of which a person has one. `taken`: ids that exist.
    """

    owners: Mapping[str, str]
    undescribed: Collection[str]
    single: Mapping[str, Mapping[str, str]]
    taken: Collection[str]


@dataclass(frozen=True)
class Clash:
    """Two customers that a record says are one."""

    first: str
    second: str
    reason: str
    record: LinkRecord


@dataclass
class Links:
    """What changes: keys (hash → kind, owner), joins (absorbed → into), clashes, who is new or described."""

    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    joins: dict[str, tuple[str, LinkRecord]] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)
    new: set[str] = field(default_factory=set)
    described: set[str] = field(default_factory=set)


class Linker:
    """Takes records one after the other; `links` is what they change. Touches no database."""

    def __init__(self, rules: KeyRules, known: Known) -> None:
        self._rules = rules
        self._owners = dict(known.owners)
        self._undescribed = set(known.undescribed)
        self._single = {customer: dict(values) for customer, values in known.single.items()}
        self._taken = set(known.taken)
        self.links = Links()

    def owner(self, key_hash: str) -> str | None:
        """Whose key it is by now."""
        owner = self._owners.get(key_hash)
        return None if owner is None else self.stands_for(owner)

    def stands_for(self, customer_id: str) -> str:
        """The customer that this one has joined here, itself if none."""
        while customer_id in self.links.joins:
            customer_id = self.links.joins[customer_id][0]
        return customer_id

    def see(self, kind: str, key_hash: str) -> str:
        """The customer of a key met in an event; a new key is a customer nobody has described."""
        owner = self.owner(key_hash)
        if owner is None:
            owner = self._new(key_hash)
            self._undescribed.add(owner)
            self._give(kind, key_hash, owner)
        return owner

    def link(self, record: LinkRecord) -> str | None:
        """The customer whom the record describes; None when it names nobody."""
        keys = sorted(dict.fromkeys(record.keys), key=lambda key: (self._rules.kinds[key[0]].rank, key[1]))
        person = None if record.customer_id is None else self.stands_for(record.customer_id)
        free: list[tuple[str, str]] = []
        values = dict(self._single.get(person, {})) if person else {}
        apart: list[tuple[str, str]] = []
        for kind, key_hash in keys:
            owner = self.owner(key_hash)
            theirs = {kind: key_hash} if owner is None else self._single.get(owner, {})
            if clash := self._differ(values, theirs if owner else self._alone(kind, key_hash)):
                if owner is None:
                    owner = self.see(kind, key_hash)
                if owner != person:
                    apart.append((owner, f"The record names two different values of one {clash}."))
            elif owner is None:
                free.append((kind, key_hash))
                values |= self._alone(kind, key_hash)
            elif person is None or owner == person:
                person, values = owner, values | theirs
            elif (joined := self._join(person, owner, record)) is None:
                apart.append((owner, f"Its {self._rules.kinds[kind].label} belongs to another customer."))
            else:
                person, values = joined, values | theirs
        return self._describe(record, person, free, apart)

    def _describe(
        self,
        record: LinkRecord,
        person: str | None,
        free: Sequence[tuple[str, str]],
        apart: Iterable[tuple[str, str]],
    ) -> str | None:
        if person is None and free:
            person = self._new(free[0][1])
        if person is None:
            return None
        for kind, key_hash in free:
            self._give(kind, key_hash, person)
        self._taken.add(person)
        self._undescribed.discard(person)
        self.links.described.add(person)
        for other, reason in apart:
            other = self.stands_for(other)
            if other != person:
                self.links.clashes.append(Clash(person, other, reason, record))
        return person

    def _join(self, person: str, other: str, record: LinkRecord) -> str | None:
        """The one that stays; None when both have been described."""
        if other in self._undescribed:
            stays, goes = person, other
        elif person in self._undescribed and person != record.customer_id:
            stays, goes = other, person
        else:
            return None
        self._single[stays] = {**self._single.get(stays, {}), **self._single.pop(goes, {})}
        self._undescribed.discard(goes)
        self.links.joins[goes] = (stays, record)
        return stays

    def _differ(self, ours: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
        """The label of a kind of which a person has one, and these are two."""
        for kind, value in theirs.items():
            if ours.get(kind, value) != value:
                return self._rules.kinds[kind].label
        return None

    def _alone(self, kind: str, key_hash: str) -> dict[str, str]:
        return {kind: key_hash} if self._rules.kinds[kind].one_each else {}

    def _give(self, kind: str, key_hash: str, customer_id: str) -> None:
        self._owners[key_hash] = customer_id
        self._single.setdefault(customer_id, {}).update(self._alone(kind, key_hash))
        self.links.keys[key_hash] = (kind, customer_id)

    def _new(self, key_hash: str) -> str:
        """An id that the key alone decides, so that a replay gives the same one."""
        short = short_id(key_hash)
        chosen = short if short not in self._taken else f"cus_{key_hash}"
        self._taken.add(chosen)
        self.links.new.add(chosen)
        return chosen


def short_id(key_hash: str) -> str:
    """The id of a customer whose first key this is, unless another customer has it."""
    return f"cus_{key_hash[:12]}"
