"""The personal part of a ledger entry, apart from its body; and redaction of entries from before.

A payload that names a `customer_id`, or has `people: {customer id: part}`, is split: the plain part goes
into the body with the SHA-256 of each sealed part. Destroying a person's key leaves every hash as it was.
Entries written before this cannot be split: their body is rewritten without the person, and a signed
`ledger.redacted` entry further on binds the new text, so that `verify` still proves every entry.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.errors import Integrity
from smart_reach.engine.governance.person_keys import (
    Key,
    keys_for,
    keys_named,
    known_keys,
    seal,
    unseal,
)
from smart_reach.engine.governance.tables import LedgerEntry, SealedPart

REDACTED = "ledger.redacted"
# What stays in clear beside a sealed part: it proves a record and says nothing about the person.
_PLAIN = ("content_hash", "payload_hash", "version")
Parts = Mapping[str, Mapping[str, Any]]


def split(payload: Mapping[str, Any]) -> tuple[dict[str, Any], Parts]:
    """The plain part of a payload, and what it says about each person."""
    if isinstance(payload.get("customer_id"), str):
        plain = {name: value for name, value in payload.items() if name in _PLAIN}
        return plain, {payload["customer_id"]: {k: v for k, v in payload.items() if k not in plain}}
    people = payload.get("people")
    if isinstance(people, Mapping):
        return {k: v for k, v in payload.items() if k != "people"}, dict(people)
    return dict(payload), {}


def sealed_body(session: Session, seq: int, payload: Mapping[str, Any], at: datetime) -> str:
    """The body of entry `seq`: seals and stores the personal parts, if there are any."""
    plain, parts = split(payload)
    if not parts:
        return canonical_json(payload)
    keys = keys_for(session, list(parts), at)
    made = {keys[one].person: seal(keys[one], seq, part) for one, part in parts.items()}
    rows = [{"entry": seq, "person": person, "ciphertext": text} for person, text in made.items()]
    session.execute(insert(SealedPart), rows)
    marks = {person: hashlib.sha256(text).hexdigest() for person, text in made.items()}
    return canonical_json({**plain, "sealed": marks})


def opened(session: Session, entries: Sequence[LedgerEntry]) -> list[dict[str, Any]]:
    """The payloads as they were given; a person whose key is gone is missing and counted as `erased`."""
    bodies = [json.loads(entry.body) for entry in entries]
    if not any("sealed" in body for body in bodies):
        return bodies
    query = select(SealedPart).where(SealedPart.entry.in_([entry.seq for entry in entries]))
    parts = {(part.entry, part.person): part.ciphertext for part in session.scalars(query)}
    keys = keys_named(session, {person for _, person in parts})
    found = []
    for entry, body in zip(entries, bodies, strict=True):
        marks = body.pop("sealed", {})
        people = {
            keys[person].customer_id: _unsealed(keys[person], entry.seq, parts[entry.seq, person])
            for person in marks
            if person in keys and (entry.seq, person) in parts
        }
        found.append(_joined(body, people, len(marks)))
    return found


def _unsealed(key: Key, seq: int, ciphertext: bytes) -> dict[str, Any]:
    try:
        return unseal(key, seq, ciphertext)
    except InvalidTag as error:
        raise Integrity(f"A sealed part of entry {seq} was changed.") from error


def _joined(plain: dict[str, Any], people: Parts, sealed: int) -> dict[str, Any]:
    if sealed == 1 and len(people) == 1 and "customer_id" in (only := next(iter(people.values()))):
        return {**plain, **only}
    joined = {**plain, **({"people": people} if people else {})}
    return joined if len(people) == sealed else {**joined, "erased": sealed - len(people)}


def person_parts(session: Session, customer_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Everything the ledger says about these people: sealed parts opened, and entries from before that name
    them, oldest first."""
    keys = {key.person: key for key in known_keys(session, customer_ids).values()}
    query = select(LedgerEntry, SealedPart).join(SealedPart, SealedPart.entry == LedgerEntry.seq)
    for entry, part in session.execute(query.where(SealedPart.person.in_(keys)).order_by(LedgerEntry.seq)):
        yield _said(entry, _unsealed(keys[part.person], entry.seq, part.ciphertext))
    named = or_(
        *(
            or_(LedgerEntry.subject == one, func.strpos(LedgerEntry.body, f'"{one}"') > 0)
            for one in customer_ids
        )
    )
    for entry in session.scalars(select(LedgerEntry).where(named).order_by(LedgerEntry.seq)):
        yield _said(entry, json.loads(entry.body))


def _said(entry: LedgerEntry, about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "kind": entry.kind,
        "subject": entry.subject,
        "actor": entry.actor,
        "about": about,
    }


def part_faults(session: Session, entries: Sequence[LedgerEntry]) -> dict[int, str]:
    """Entries of a page whose sealed parts are not those that were sealed, with the reason."""
    wanted = {
        entry.seq: json.loads(entry.body).get("sealed", {}) for entry in entries if '"sealed":' in entry.body
    }
    if not entries:
        return {}
    digest = func.encode(func.sha256(SealedPart.ciphertext), "hex")
    query = select(SealedPart.entry, SealedPart.person, digest).where(
        SealedPart.entry.between(entries[0].seq, entries[-1].seq)
    )
    stored: dict[int, dict[str, str]] = {}
    for seq, person, found in session.execute(query):
        stored.setdefault(seq, {})[person] = found
    return {
        seq: f"The sealed parts of entry {seq} are not those that were sealed."
        for seq in sorted(set(wanted) | set(stored))
        if wanted.get(seq, {}) != stored.get(seq, {})
    }


def _marks(body: str) -> dict[str, str]:
    try:
        marks = json.loads(body).get("sealed", {})
    except (ValueError, AttributeError):
        return {}  # the entry's own hash tells
    return marks if isinstance(marks, dict) else {}


def sign_redaction(entries: Sequence[Mapping[str, Any]], key: bytes) -> str:
    """HMAC-SHA-256 over the canonical JSON of [{seq, hash}]: the database alone cannot redact."""
    return hmac.new(key, canonical_json(list(entries)).encode(), hashlib.sha256).hexdigest()


def redactions(session: Session, end: int) -> dict[int, str]:
    """Entry number → the hash that its redacted text must have; the newest redaction counts."""
    return {
        int(one["seq"]): str(one["hash"]) for _, body in _redacting(session, end) for one in body["entries"]
    }


def unsigned_redaction(session: Session, key: bytes) -> int | None:
    """The first redaction that is not signed with this key."""
    for seq, body in _redacting(session, None):
        if not hmac.compare_digest(sign_redaction(body["entries"], key), str(body.get("signature"))):
            return seq
    return None


def _redacting(session: Session, end: int | None) -> Iterable[tuple[int, dict[str, Any]]]:
    query = select(LedgerEntry.seq, LedgerEntry.body).where(LedgerEntry.kind == REDACTED)
    if end is not None:
        query = query.where(LedgerEntry.seq <= end)
    for seq, body in session.execute(query.order_by(LedgerEntry.seq)):
        try:
            value = json.loads(body)
            assert isinstance(value["entries"], list)
        except (ValueError, KeyError, TypeError, AssertionError):
            continue  # a damaged redaction redacts nothing; the walk finds the damage
        yield seq, value


def rewrite(
    session: Session, terms: Sequence[str], clean: Callable[[str], str], hash_of: Callable[[LedgerEntry], str]
) -> list[dict[str, Any]]:
    """Take `terms` out of the text of entries; [{seq, hash of the new text}]. The caller records it."""
    columns = (LedgerEntry.body, LedgerEntry.subject, LedgerEntry.actor)
    hits = or_(*(func.strpos(column, term) > 0 for term in terms for column in columns))
    changed = []
    for entry in session.scalars(select(LedgerEntry).where(hits).order_by(LedgerEntry.seq)):
        before = (entry.body, entry.subject, entry.actor)
        entry.body, entry.subject, entry.actor = (clean(text) for text in before)
        if before != (entry.body, entry.subject, entry.actor):
            changed.append({"seq": entry.seq, "hash": hash_of(entry)})
    session.flush()
    return changed
