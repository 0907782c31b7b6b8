"""A key for each person: what the ledger says about people is sealed with it and lost when it is destroyed.

AES-256-GCM; the entry's number and the person's random name are authenticated, so that a part cannot be
moved to another entry. The keys stand in the database, unwrapped: they are there to be destroyed, not to
hide anything from whoever may read the database.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ARRAY, String, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.catalog.erasures import erased
from smart_reach.engine.errors import Conflict
from smart_reach.engine.governance.tables import PersonKey

_NONCE = 12


@dataclass(frozen=True)
class Key:
    """One person's key; `person` names it in the ledger."""

    customer_id: str
    person: str
    secret: bytes = field(repr=False)


def keys_for(session: Session, customer_ids: Collection[str], at: datetime) -> dict[str, Key]:
    """The keys of these people, made where missing. Raises Conflict when one of them was erased.

    Never cached: a key that was destroyed is gone for everybody at once.
    """
    if gone := erased(session, customer_ids):
        raise Conflict(f"{len(gone)} of these customers were erased; nothing is recorded about them.")
    found = known_keys(session, customer_ids)
    missing = [one for one in customer_ids if one not in found]
    if missing:
        made = [
            {
                "customer_id": one,
                "person": secrets.token_hex(12),
                "secret": secrets.token_bytes(32),
                "created_at": at,
            }
            for one in sorted(missing)
        ]
        session.execute(insert(PersonKey).on_conflict_do_nothing(), made)
        found |= known_keys(session, missing)
    return found


def known_keys(session: Session, customer_ids: Collection[str]) -> dict[str, Key]:
    """The keys that these people have."""
    wanted = literal(list(customer_ids), ARRAY(String))
    return {key.customer_id: key for key in _keys(session, PersonKey.customer_id == wanted.any_())}


def keys_named(session: Session, persons: Collection[str]) -> dict[str, Key]:
    """The keys with these names; those that were destroyed are missing."""
    wanted = literal(list(persons), ARRAY(String))
    return {key.person: key for key in _keys(session, PersonKey.person == wanted.any_())}


def _keys(session: Session, condition: Any) -> list[Key]:
    query = select(PersonKey.customer_id, PersonKey.person, PersonKey.secret).where(condition)
    return [Key(customer_id, person, bytes(secret)) for customer_id, person, secret in session.execute(query)]


def destroy_keys(session: Session, customer_ids: Collection[str]) -> list[str]:
    """Delete the keys of these people; returns the names under which sealed parts now stay for ever."""
    wanted = literal(list(customer_ids), ARRAY(String))
    rows = session.scalars(
        delete(PersonKey).where(PersonKey.customer_id == wanted.any_()).returning(PersonKey.person)
    )
    return list(rows)


def seal(key: Key, entry: int, value: Mapping[str, Any]) -> bytes:
    """Nonce and ciphertext of a value, bound to one ledger entry."""
    nonce = secrets.token_bytes(_NONCE)
    text = canonical_json(value).encode()
    return nonce + AESGCM(key.secret).encrypt(nonce, text, _bound(key, entry))


def unseal(key: Key, entry: int, ciphertext: bytes) -> dict[str, Any]:
    """What `seal` was given. Raises `cryptography.exceptions.InvalidTag` when anything was changed."""
    text = AESGCM(key.secret).decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], _bound(key, entry))
    value: dict[str, Any] = json.loads(text)
    return value


def _bound(key: Key, entry: int) -> bytes:
    return f"{entry}:{key.person}".encode()
