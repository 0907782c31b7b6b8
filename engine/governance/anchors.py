"""Signed daily anchors: a copy kept elsewhere proves that the past was not rewritten."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.governance.ledger import GENESIS, LedgerReport, verify
from smart_reach.engine.governance.sealed import unsigned_redaction
from smart_reach.engine.governance.tables import LedgerAnchor, LedgerEntry, LedgerHead


@dataclass(frozen=True)
class Anchor:
    """The chain's head on a day and its HMAC-SHA-256 (hex)."""

    day: str
    seq: int
    hash: str
    signature: str


def sign(day: str, seq: int, head: str, key: bytes) -> str:
    """HMAC-SHA-256 over the canonical JSON of [day, seq, hash]."""
    return hmac.new(key, canonical_json([day, seq, head]).encode(), hashlib.sha256).hexdigest()


def anchor_day(session: Session, day: date, key: bytes) -> Anchor:
    """Sign the head for a day, once; a second call returns the first anchor."""
    name = day.isoformat()
    row = session.get(LedgerAnchor, name)
    if row is None:
        head = session.get(LedgerHead, 1)
        seq, link = (head.seq, head.hash) if head else (0, GENESIS)
        row = LedgerAnchor(day=name, seq=seq, hash=link, signature=sign(name, seq, link, key))
        session.add(row)
        session.flush()
    return Anchor(row.day, row.seq, row.hash, row.signature)


def check_anchor(session: Session, anchor: Anchor, key: bytes) -> str | None:
    """None when the chain still holds what the anchor says, else the reason it does not."""
    if not hmac.compare_digest(sign(anchor.day, anchor.seq, anchor.hash, key), anchor.signature):
        return f"The anchor of {anchor.day} is not signed with this key."
    if anchor.seq == 0:
        return None
    stored = session.scalar(select(LedgerEntry.hash).where(LedgerEntry.seq == anchor.seq))
    if stored != anchor.hash:
        return f"Entry {anchor.seq} is not the one anchored on {anchor.day}."
    return None


def verify_with_anchors(session: Session, key: bytes) -> LedgerReport:
    """The chain's own check, then redactions and every daily anchor, signed with a key kept elsewhere.

    A chain that was cut or written anew fails here, and so does an entry that was rewritten as if for an
    erasure.
    """
    report = verify(session)
    if not report.whole:
        return report
    if (seq := unsigned_redaction(session, key)) is not None:
        unsigned = f"The redaction in entry {seq} is not signed with this key."
        return replace(report, whole=False, broken_at=seq, reason=unsigned)
    for row in session.scalars(select(LedgerAnchor).order_by(LedgerAnchor.seq, LedgerAnchor.day)):
        anchor = Anchor(row.day, row.seq, row.hash, row.signature)
        if reason := check_anchor(session, anchor, key):
            return replace(report, whole=False, broken_at=anchor.seq, reason=reason)
    return report
