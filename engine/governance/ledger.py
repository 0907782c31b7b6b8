"""The hash-chained ledger: each entry carries the hash of the one before.

hash = SHA-256(canonical JSON of [seq, at, kind, subject, actor, body, previous hash]).
An edited, deleted or moved entry breaks the chain at that place; a cut tail disagrees with the head row.
Whoever can rewrite the whole table can also rewrite the head: exported anchors (anchors.py) catch that.
What an entry says about a person is sealed apart (sealed.py), so that it can be erased and the chain stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.clock import Clock
from smart_reach.engine.governance.sealed import (
    REDACTED,
    opened,
    part_faults,
    redactions,
    rewrite,
    sealed_body,
    sign_redaction,
)
from smart_reach.engine.governance.tables import LedgerEntry, LedgerHead

GENESIS = "0" * 64
_PAGE = 1000


@dataclass(frozen=True)
class LedgerReport:
    """What `verify` found. `broken_at` is the first number that cannot be trusted.

    `redacted`: entries whose text was rewritten without a person who was erased, as a later entry says.
    """

    whole: bool
    entries: int
    head: str
    broken_at: int | None = None
    reason: str | None = None
    redacted: int = 0


@dataclass(frozen=True)
class Entry:
    """One ledger entry as readers see it."""

    seq: int
    at: datetime
    kind: str
    subject: str
    actor: str
    payload: dict[str, Any]


class Ledger:
    """Appends with the time of an injected clock. Satisfies `engine.ports.LedgerWriter`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def append(
        self, session: Session, *, kind: str, subject: str, actor: str, payload: Mapping[str, Any]
    ) -> int:
        """Add an entry inside the caller's transaction and return its number.

        Locks the head row until that transaction ends: append last, so that others wait briefly.
        A payload with a `customer_id`, or `people` by customer id, is sealed: see `sealed.split`.
        """
        head = _locked_head(session)
        now = self._clock.now()
        entry = LedgerEntry(
            seq=head.seq + 1,
            at=now,
            kind=kind,
            subject=subject,
            actor=actor,
            body=sealed_body(session, head.seq + 1, payload, now),
            previous=head.hash,
        )
        entry.hash = entry_hash(entry)
        session.add(entry)
        head.seq, head.hash = entry.seq, entry.hash
        session.flush()
        return entry.seq

    __call__ = append

    def now(self) -> datetime:
        """The time of its clock."""
        return self._clock.now()

    def redact(
        self, session: Session, terms: Sequence[str], clean: Callable[[str], str], *, key: bytes, actor: str
    ) -> list[int]:
        """Take `terms` out of older entries by `clean`, and record it; the numbers of those entries."""
        _locked_head(session)
        changed = rewrite(session, terms, clean, entry_hash) if terms else []
        if changed:
            payload = {"entries": changed, "signature": sign_redaction(changed, key), "reason": "erasure"}
            self.append(session, kind=REDACTED, subject="ledger", actor=actor, payload=payload)
        return [one["seq"] for one in changed]


def _locked_head(session: Session) -> LedgerHead:
    statement = select(LedgerHead).where(LedgerHead.id == 1).with_for_update()
    head = session.scalar(statement.execution_options(populate_existing=True))
    if head is None:
        session.execute(insert(LedgerHead).values(id=1, seq=0, hash=GENESIS).on_conflict_do_nothing())
        head = session.scalars(statement).one()
    return head


def entry_hash(entry: LedgerEntry) -> str:
    """The hash an entry must carry."""
    return content_hash(
        [entry.seq, entry.at, entry.kind, entry.subject, entry.actor, entry.body, entry.previous]
    )


def entries_of(session: Session, subject: str) -> list[Entry]:
    """Everything recorded about one subject, oldest first."""
    rows = session.scalars(
        select(LedgerEntry).where(LedgerEntry.subject == subject).order_by(LedgerEntry.seq)
    ).all()
    return [
        Entry(row.seq, row.at, row.kind, row.subject, row.actor, payload)
        for row, payload in zip(rows, opened(session, rows), strict=True)
    ]


def recorded_hash(session: Session, subject: str) -> str | None:
    """The content hash that the newest entry about a subject carries; None without one."""
    found = [entry.payload.get("content_hash") for entry in entries_of(session, subject)]
    return next((str(digest) for digest in reversed(found) if digest), None)


def verify(session: Session) -> LedgerReport:
    """Walk the whole chain and say where, if anywhere, it breaks. Appends meanwhile do not disturb it."""
    # One statement is one snapshot: head and last number belong together.
    last = select(func.max(LedgerEntry.seq)).scalar_subquery()
    row = session.execute(select(LedgerHead.seq, LedgerHead.hash, last).where(LedgerHead.id == 1)).first()
    end, expected, newest = row if row else (0, GENESIS, session.scalar(select(func.max(LedgerEntry.seq))))
    seq, link, redacted = 0, GENESIS, redactions(session, end)
    for entry, fault in _walk(session, end):
        if reason := _fault(entry, seq, link, redacted.get(entry.seq)) or fault:
            return LedgerReport(False, seq, link, seq + 1, reason)
        seq, link = entry.seq, entry.hash
    if (end, expected) != (seq, link):
        reason = f"The head says {end} entries, the chain ends at {seq}."
        return LedgerReport(False, seq, link, min(end, seq + 1) or 1, reason)
    if (newest or 0) > end:
        return LedgerReport(False, seq, link, end + 1, f"Entry {newest} lies beyond the head.")
    return LedgerReport(True, seq, link, redacted=len(redacted))


def _walk(session: Session, end: int) -> Iterator[tuple[LedgerEntry, str | None]]:
    """Entries up to `end`, each with what is wrong with its sealed parts.

    In pages, so that a long chain needs little memory and no open cursor.
    """
    after = -_PAGE  # below any number, so that a forged entry 0 is seen too
    while True:
        page = session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.seq > after, LedgerEntry.seq <= end)
            .order_by(LedgerEntry.seq)
            .limit(_PAGE)
            .execution_options(populate_existing=True)
        ).all()
        faults = part_faults(session, page)
        yield from ((entry, faults.get(entry.seq)) for entry in page)
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def _fault(entry: LedgerEntry, seq: int, link: str, redacted: str | None) -> str | None:
    if entry.seq != seq + 1:
        return f"Entry {seq + 1} is missing; {entry.seq} follows {seq}."
    if entry.previous != link:
        return f"Entry {entry.seq} does not carry the hash of the entry before it."
    found = entry_hash(entry)
    if found != entry.hash and (found != redacted or entry.kind == REDACTED):
        return f"Entry {entry.seq} was changed after it was written: its hash does not match."
    return None
