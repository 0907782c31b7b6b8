"""The value a proposal is, apart from how it is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.governance.tables import ProposalRow

KINDS = ("campaign", "promotion")
STATUSES = ("pending", "approved", "rejected", "expired")


@dataclass(frozen=True)
class Proposal:
    """What somebody wants approved; `payload_hash` is what an approval is bound to.

    `author_ids`: everybody who wrote a version of the payload. None of them may approve it.
    """

    id: str
    kind: str
    title: str
    status: str
    payload: dict[str, Any]
    payload_hash: str
    version: int
    created_at: datetime
    created_by_id: str
    created_by_name: str
    author_ids: tuple[str, ...]
    deadline: datetime
    agent: str | None = None
    thread_id: str | None = None
    interrupt_id: str | None = None
    decided_by_id: str | None = None
    decided_by_name: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None


def freeze(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Canonical text of a payload and the SHA-256 of that text; `InvalidInput` if it has none."""
    try:
        text = canonical_json(payload)
        return text, hashlib.sha256(text.encode()).hexdigest()
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "payload", type(payload).__name__, f"It has no canonical form: {error}."
        ) from error


def from_row(row: ProposalRow, author_ids: tuple[str, ...], now: datetime) -> Proposal:
    """Read a row; one that is pending past its deadline counts as expired."""
    overdue = row.status == "pending" and now >= row.deadline
    return Proposal(
        id=row.id,
        kind=row.kind,
        title=row.title,
        status="expired" if overdue else row.status,
        payload=json.loads(row.payload),
        payload_hash=row.payload_hash,
        version=row.version,
        created_at=row.created_at,
        created_by_id=row.created_by_id,
        created_by_name=row.created_by_name,
        author_ids=author_ids,
        deadline=row.deadline,
        agent=row.agent,
        thread_id=row.thread_id,
        interrupt_id=row.interrupt_id,
        decided_by_id=row.decided_by_id,
        decided_by_name=row.decided_by_name,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
    )
