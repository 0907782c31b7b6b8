"""One batch of events as identity sees it: distinct keys, customer records, and the way back to rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.catalog.identity.keys import KeyHasher
from smart_reach.engine.catalog.identity.linking import LinkRecord

CUSTOMER = "customer"
MAIN_KEY = ("key_kind", "key_value")
KEY_COLUMNS = (*MAIN_KEY, "keys")
_BETWEEN = "\x1f"
_NOBODY = "This key names nobody."


@dataclass(frozen=True)
class Unresolved:
    """A row whose key names nobody: for the dead letters.

    `row`: its value of the column `row`, if there is one, else its place in the batch.
    """

    row: int
    field: str
    value: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Resolution:
    """`events`: without the key columns; `customer_id` is null in the rows that `refused` is about.

    `erased`: how many rows were left out because their person was erased.
    """

    events: pa.Table
    refused: list[Unresolved] = field(default_factory=list)
    erased: int = 0


@dataclass(frozen=True)
class Declared:
    """A customer record of the batch: row, keys as (kind, hash), and the hash it came under, if any."""

    row: int
    keys: Sequence[tuple[str, str]]
    main: str | None


class Batch:
    """Hashes every distinct key of a batch once. `owners` maps a hash to its customer, None if erased.

    `event_hashes`: of keys under which events came, other than records.
    """

    def __init__(self, events: pa.Table, hasher: KeyHasher) -> None:
        self._events = events
        self._rules = hasher.rules
        self._kinds: list[tuple[list[str | None], pa.Array]] = []
        self._codes, self._hashes = self._encode(hasher)
        self.event_hashes = {one for one in self._hashes if one is not None}
        self._declared = self._read(hasher)
        self._people: dict[int, str | None] = {}
        self._erased: set[int] = set()

    @property
    def has_records(self) -> bool:
        return bool(self._declared)

    @cached_property
    def hashes(self) -> set[str]:
        """Every hash of the batch, of events and of customer records."""
        return self.event_hashes.union(digest for record in self._declared for _, digest in record.keys)

    @cached_property
    def given(self) -> set[str]:
        """Ids that customer records give."""
        ids = self._at("customer_id", [record.row for record in self._declared])
        return {one for one in ids if one is not None}

    @property
    def received_at(self) -> datetime:
        newest: datetime = pc.max(self._events["received_at"]).as_py()
        return newest.astimezone(UTC)

    def records(self, stands_for: Mapping[str, str], erased: set[str]) -> Iterator[tuple[int, LinkRecord]]:
        """Customer records to link, with their rows; one that came under an erased key is passed over."""
        rows = [record.row for record in self._declared]
        columns = (self._at(name, rows) for name in ("event_id", "source", "occurred_at", "customer_id"))
        for record, name, source, at, given in zip(self._declared, *columns, strict=True):
            left = [key for key in record.keys if key[1] not in erased]
            if len(left) < len(record.keys) and given is None and (record.main in erased or not left):
                self._erased.add(record.row)
                continue
            person = None if given is None else stands_for[given]
            yield record.row, LinkRecord(name, source, at, person, left)

    def describes(self, row: int, customer_id: str | None) -> None:
        """Note whom a customer record turned out to be about."""
        self._people[row] = customer_id

    def settle(self, stands_for: Callable[[str], str]) -> None:
        """Customers may have joined others after their record was read."""
        self._people = {
            row: None if person is None else stands_for(person) for row, person in self._people.items()
        }

    def customer_ids(self, owners: Mapping[str, str | None]) -> pa.Array:
        """Whose each row is; null where nobody is known."""
        column = self._events["customer_id"].combine_chunks()
        if self._codes is not None:
            names = [None if one is None else owners.get(one) for one in self._hashes]
            column = pc.coalesce(column, pa.array(names, pa.string()).take(self._codes))
        rows = sorted(self._people)
        return _replaced(column, rows, [self._people[row] for row in rows])

    def result(self, customer_ids: pa.Array, owners: Mapping[str, str | None]) -> Resolution:
        """The batch with its customers; rows of erased persons are left out."""
        events = self._events.drop_columns(
            [name for name in KEY_COLUMNS if name in self._events.column_names]
        )
        events = events.set_column(events.column_names.index("customer_id"), "customer_id", customer_ids)
        if not customer_ids.null_count:
            return Resolution(events)
        lost = _where(pc.is_null(customer_ids))
        erased = {row for row in lost if self._is_erased(row, owners)}
        refused = [self._refusal(row) for row in lost if row not in erased]
        if erased:
            left = sorted(set(range(events.num_rows)) - erased)
            events = events.take(pa.array(left, pa.int64()))
        return Resolution(events, refused, len(erased))

    def _encode(self, hasher: KeyHasher) -> tuple[pa.Array | None, Sequence[str | None]]:
        """Codes of the rows that a key names, and the hash of each code; customer records are apart."""
        events = self._events
        if "key_kind" not in events.column_names or events["key_kind"].null_count == events.num_rows:
            return None, []
        joined = pc.binary_join_element_wise(
            *(events[name].combine_chunks().cast(pa.string()) for name in MAIN_KEY), _BETWEEN
        )
        apart = pc.or_(pc.is_valid(events["customer_id"]), pc.equal(events["kind"], CUSTOMER))
        nothing = pa.scalar(None, pa.string())
        encoded = pc.if_else(apart.combine_chunks(), nothing, joined).dictionary_encode()
        used = np.flatnonzero(encoded.is_valid().to_numpy(zero_copy_only=False))
        codes = encoded.indices.take(pa.array(used)).to_numpy()
        _, first = np.unique(codes, return_index=True)  # codes count from 0 without a gap
        rows = pa.array(used[first])
        return encoded.indices, self._hash(hasher, *(events[name].take(rows) for name in MAIN_KEY))

    def _hash(self, hasher: KeyHasher, kinds: pa.ChunkedArray, values: pa.ChunkedArray) -> list[str | None]:
        hashes = hasher.hashes(kinds, values)
        self._kinds += [(hashes, kinds)]
        return hashes

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of every hash."""
        return {
            one: kind
            for hashes, kinds in self._kinds
            for one, kind in zip(hashes, kinds.to_pylist(), strict=True)
            if one is not None
        }

    def _read(self, hasher: KeyHasher) -> list[Declared]:
        """Customer records with the hashes of their keys, the one they came under first."""
        rows = _where(pc.equal(self._events["kind"], CUSTOMER))
        if not rows:
            return []
        mains = list(zip(*(self._column(name, rows) for name in MAIN_KEY), strict=True))
        lists = self._column("keys", rows)
        pairs = [
            [(kind, value)] * (kind is not None) + [(key["kind"], key["value"]) for key in keys or ()]
            for (kind, value), keys in zip(mains, lists, strict=True)
        ]
        flat = [pair for some in pairs for pair in some]
        kinds, values = (pa.array([pair[place] for pair in flat], pa.string()) for place in (0, 1))
        hashes = iter(self._hash(hasher, kinds, values))
        found = []
        for row, (main, _), some in zip(rows, mains, pairs, strict=True):
            digests = [(kind, next(hashes)) for kind, _ in some]
            keys = [(kind, digest) for kind, digest in digests if digest is not None]
            found.append(Declared(row, keys, None if main is None else digests[0][1]))
        return found

    def _column(self, name: str, rows: Sequence[int]) -> list[Any]:
        return self._at(name, rows) if name in self._events.column_names else [None] * len(rows)

    def _at(self, name: str, rows: Sequence[int]) -> list[Any]:
        found: list[Any] = self._events[name].take(pa.array(rows, pa.int64())).to_pylist()
        return found

    def _is_erased(self, row: int, owners: Mapping[str, str | None]) -> bool:
        if row in self._erased:
            return True
        code = None if self._codes is None else self._codes[row].as_py()
        digest = None if code is None else self._hashes[code]
        return digest is not None and digest in owners and owners[digest] is None

    def _refusal(self, place: int) -> Unresolved:
        kind = self._column("key_kind", [place])[0]
        row = place if "row" not in self._events.column_names else self._at("row", [place])[0]
        if kind is not None and kind not in self._rules.kinds:
            return Unresolved(
                row,
                "customer_key.kind",
                str(kind),
                "This kind of key is not declared.",
                f"Use one of {', '.join(self._rules.kinds)}.",
            )
        return Unresolved(
            row, "customer_key.value", "(not shown)", _NOBODY, "Send the customer's own key, no placeholder."
        )


def _where(mask: pa.Array | pa.ChunkedArray) -> list[int]:
    """The rows where it holds. (`indices_nonzero` ends the process when a column has no chunk.)"""
    found: list[int] = pc.indices_nonzero(mask).to_pylist() if len(mask) else []
    return found


def _replaced(column: pa.Array, rows: Sequence[int], values: Sequence[str | None]) -> pa.Array:
    """The column with other values in some rows; `rows` ascend."""
    if not rows:
        return column
    chosen = np.zeros(len(column), dtype=bool)
    chosen[list(rows)] = True
    return pc.replace_with_mask(column.cast(pa.string()), pa.array(chosen), pa.array(values, pa.string()))
