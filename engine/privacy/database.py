"""The database's step of an erasure: every table, the proposals' hashes, the keys and the old ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import token
from smart_reach.engine.catalog.identity import people
from smart_reach.engine.catalog.tables import Customer, IdentityKey
from smart_reach.engine.decisioning.records.erasure import erase_decisions, erase_from_audiences
from smart_reach.engine.delivery.tables import LoopbackMessage, OutboxRow
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.person_keys import destroy_keys
from smart_reach.engine.governance.tables import SealedPart
from smart_reach.engine.learning.tables import Assignment
from smart_reach.engine.privacy.payloads import erase_from_payloads
from smart_reach.engine.privacy.scrub import Scrubber
from smart_reach.engine.privacy.sweep import delete_rows, scrub_tables

# Where a proposal's hash is quoted: cards and interrupts must go on fitting the proposal.
_QUOTING = ("thread_messages", "checkpoints", "checkpoint_blobs", "checkpoint_writes")


def erase_from_database(
    session: Session, scrubber: Scrubber, ledger: Ledger, *, key: bytes, actor: str
) -> dict[str, dict[str, Any]]:
    """Everything in one transaction; the ledger comes last, because its head is locked to the end.

    `key` signs the redaction of entries from before personal parts were sealed.
    """
    ids, at = list(scrubber.ids), ledger.now()
    messages = _message_ids(session, ids)
    rewritten = {
        "decisions": erase_decisions(session, ids, at),
        "segment_decisions": erase_from_audiences(session, ids),
    }
    deleted = delete_rows(session, ids)
    _forget_keys(session, ids)
    hashes = erase_from_payloads(session, scrubber, ledger, actor)
    rewritten["proposals"] = len(hashes)
    found = scrub_tables(session, scrubber)
    if hashes:
        scrub_tables(session, Scrubber((), others=hashes), only=_QUOTING)
    for table, rows in found.items():
        rewritten[table] = rewritten.get(table, 0) + rows
    sealed = _destroy(session, ids)
    redacting = Scrubber(ids, others={one: token(one) for one in messages})
    redacted = ledger.redact(session, redacting.needles, redacting.text, key=key, actor=actor)
    return {
        "deleted": deleted,
        "rewritten": {table: rows for table, rows in rewritten.items() if rows},
        "ledger": {"sealed_parts": sealed, "redacted": len(redacted)},
    }


def protected_ids(session: Session, ids: Sequence[str]) -> list[str]:
    """Ids of other people in which one of these ids would be found: `cus_1-b` when `cus_1` is erased."""
    scrubber, found = Scrubber(ids), set()
    for one in ids:
        query = select(Customer.id).where(func.strpos(Customer.id, one) > 0, Customer.id.not_in(ids))
        found |= {other for other in session.scalars(query) if scrubber.text(other) != other}
    return sorted(found)


def _message_ids(session: Session, ids: Sequence[str]) -> list[str]:
    """Ids of the person's messages: they follow from campaign and customer, so they lead back to both."""
    found: set[str] = set()
    for query in (
        select(OutboxRow.message_id).where(OutboxRow.customer_id.in_(ids)),
        select(LoopbackMessage.message_id).where(LoopbackMessage.customer_id.in_(ids)),
        select(Assignment.message_id).where(Assignment.unit.in_(ids)),
    ):
        found.update(session.scalars(query))
    return sorted(found)


def _forget_keys(session: Session, ids: Sequence[str]) -> None:
    """The keyed hashes stay with nobody behind them, so that what comes under such a key is dropped."""
    session.execute(
        update(IdentityKey).where(IdentityKey.customer_id.in_(ids)).values(customer_id=None, home_id=None)
    )
    session.execute(
        update(IdentityKey).where(IdentityKey.home_id.in_(ids)).values(home_id=IdentityKey.customer_id)
    )
    people.count_change(session)  # what processes remember of keys is asked for again


def _destroy(session: Session, ids: Sequence[str]) -> int:
    """Destroy the keys; how many sealed parts of the ledger nobody can open any more."""
    persons = destroy_keys(session, ids)
    return session.scalar(select(func.count()).where(SealedPart.person.in_(persons))) or 0
