"""Proposals: people leave the stored audiences, and what was bound to a payload's hash follows it.

An approval was given to a payload with its hash. The payload without the person has another one, so the
campaign and its waiting messages are bound anew, and the ledger says from which hash to which: the others
in the audience still get what was approved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Campaign
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.governance.proposal import freeze
from smart_reach.engine.governance.tables import ProposalRow, ProposalVersion
from smart_reach.engine.ports import LedgerWriter
from smart_reach.engine.privacy.scrub import Scrubber


def erase_from_payloads(
    session: Session, scrubber: Scrubber, ledger: LedgerWriter, actor: str
) -> dict[str, str]:
    """Rewrite every payload that names one of the people; old hash → new hash."""
    changed: dict[str, str] = {}
    for version in session.scalars(_naming(ProposalVersion, scrubber)):
        _rewrite(version, scrubber, changed)
    for row in session.scalars(_naming(ProposalRow, scrubber)):
        before = row.payload_hash
        _rewrite(row, scrubber, changed)
        if row.payload_hash == before:
            continue
        facts = {"before": before, "payload_hash": row.payload_hash, "version": row.version}
        session.flush()
        ledger(
            session,
            kind="proposal.redacted",
            subject=row.id,
            actor=actor,
            payload={**facts, "reason": "an erased customer was taken out"},
        )
    session.flush()
    for before, after in changed.items():
        for table in (Campaign, OutboxRow):
            session.execute(update(table).where(table.payload_hash == before).values(payload_hash=after))
    return changed


def _naming(table: type[Any], scrubber: Scrubber) -> Any:
    test = or_(*(func.strpos(table.payload, needle) > 0 for needle in scrubber.needles))
    return select(table).where(test).with_for_update()


def _rewrite(row: Any, scrubber: Scrubber, changed: dict[str, str]) -> None:
    before = row.payload_hash
    text, digest = freeze(_without(json.loads(row.payload), scrubber))
    if text != row.payload:
        row.payload, row.payload_hash = text, digest
        changed[before] = digest


def _without(payload: Mapping[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    audience = payload.get("audience")
    kept = dict(payload)
    if isinstance(audience, Mapping) and isinstance(listed := audience.get("customer_ids"), list):
        left = [one for one in listed if one not in scrubber.ids]
        gone = len(listed) - len(left)
        kept["audience"] = {**audience, "customer_ids": left}
        if gone and isinstance(audience.get("count"), int):
            kept["audience"]["count"] = audience["count"] - gone
    cleaned: dict[str, Any] = scrubber.value(kept)
    return cleaned
