"""Preparing messages: from due rows to the exact messages that may be sent, or to why not."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.delivery.checks import Go, Hold, LastChecks, Wait
from smart_reach.engine.delivery.messages import (
    Connector,
    ContactGuard,
    OutgoingMessage,
    Receipt,
    Refused,
    Rendered,
    Renderer,
)
from smart_reach.engine.delivery.pending import add_events, event_id_of
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.learning.assignment import HOLDOUT
from smart_reach.engine.learning.tables import Assignment
from smart_reach.engine.ports import LedgerWriter

MAX_DEFERRALS = 3
DEFERRAL = timedelta(days=1)


@dataclass
class Batch:
    """Rows of one prepare step: to be sent now, found accepted although not written down (sent before a
    crash), and the number of those stopped as held, waiting or held_out."""

    claimed: int = 0
    outgoing: list[OutgoingMessage] = field(default_factory=list)
    accepted: dict[str, Receipt] = field(default_factory=dict)
    stopped: Counter[str] = field(default_factory=Counter)


@dataclass
class _Work:
    """One prepare step: what it reads, and what it writes at the end of each round."""

    session: Session
    checks: LastChecks
    now: datetime
    batch: Batch
    copies: dict[tuple[str, str], Rendered | Hold] = field(default_factory=dict)
    assignments: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)


class Preparer:
    """Decides each row's fate inside the dispatcher's prepare transaction."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        guard: ContactGuard,
        render: Renderer,
        ledger: LedgerWriter,
    ) -> None:
        self._connectors = connectors
        self._guard = guard
        self._render = render
        self._ledger = ledger

    def prepare(
        self, session: Session, rows: Sequence[OutboxRow], checks: LastChecks, now: datetime
    ) -> Batch:
        """Each row as if it came alone, in the order of customers."""
        work = _Work(session, checks, now, Batch(claimed=len(rows)))
        # All contacts are locked first, in the order of customers: two dispatchers never wait in a ring.
        self._guard.lock_many(session, {row.customer_id for row in rows})
        for turn in _rounds(sorted(rows, key=lambda row: (row.customer_id, row.message_id))):
            self._round(work, turn)
        return work.batch

    def _round(self, work: _Work, rows: Sequence[OutboxRow]) -> None:
        seen = {row.message_id: work.checks.look(row) for row in rows}
        wanted = [row for row in rows if isinstance(seen[row.message_id], Go)]
        asked = [(row.customer_id, row.channel, row.message_id) for row in wanted]
        places = self._guard.reserve_many(work.session, asked, work.now)
        for row in rows:
            self._prepare(work, row, seen[row.message_id], places.get(row.message_id))
        self._guard.release_many(work.session, work.released)
        _assign(work.session, work.assignments)
        add_events(work.session, work.events)
        work.released, work.assignments, work.events = [], [], []

    def _prepare(
        self, work: _Work, row: OutboxRow, seen: Go | Wait | Hold, place: int | Refused | None
    ) -> None:
        if isinstance(seen, Go):
            if isinstance(place, int):
                row.reservation_id = place
                self._go(work, row, seen)
                return
            seen = _deferral(row, "" if place is None else place.reason, work.now)
        # An obstacle now: a message that a dead dispatcher already sent is written down, not undone.
        if row.status == "sending" and (receipt := self._connectors[row.channel].find(row.message_id)):
            work.batch.accepted[row.message_id] = receipt
        else:
            _stop(work, row, seen)

    def record_held(self, session: Session, rows: Sequence[OutboxRow]) -> None:
        """One ledger entry a campaign for what was held or kept back in this batch."""
        for campaign_id in sorted({row.campaign_id for row in rows}):
            mine = [row for row in rows if row.campaign_id == campaign_id]
            held = {row.message_id: row.reason for row in mine if row.status == "held"}
            kept = [row.message_id for row in mine if row.status == "held_out"]
            if held or kept:
                self._ledger(
                    session,
                    kind="delivery.held",
                    subject=campaign_id,
                    actor="system:dispatcher",
                    payload={"held": held, "held_out": kept},
                )

    def _go(self, work: _Work, row: OutboxRow, go: Go) -> None:
        row.consent_id, row.reason = go.consent_id, None
        if row.holdout:
            _keep_back(work, row, go)
        elif row.status == "sending":  # the stored message, unchanged
            work.batch.outgoing.append(OutgoingMessage(**json.loads(row.message or "{}")))
        elif isinstance(copy := self._copy(work, row, go.variant), Hold):
            _stop(work, row, copy)
        else:
            row.variant_id = str(go.variant["id"])
            message = _message(row, go, copy)
            row.message, row.status = canonical_json(asdict(message)), "sending"
            work.batch.outgoing.append(message)
            _note(work, row, row.variant_id, go.randomised)

    def _copy(self, work: _Work, row: OutboxRow, variant: Mapping[str, Any]) -> Rendered | Hold:
        """The variant's text, rendered once a batch: it has the same terms for every customer."""
        key = (row.campaign_id, str(variant["id"]))
        if key not in work.copies:
            try:
                work.copies[key] = self._render(work.session, variant)
            except SmartReachError as error:
                work.copies[key] = Hold(f"The copy cannot be rendered: {error.message}")
        return work.copies[key]


def _rounds(rows: Iterable[OutboxRow]) -> Collection[list[OutboxRow]]:
    """Rows such that no customer comes twice in a round: what one row frees, the customer's next may take."""
    turn: Counter[str] = Counter()
    rounds: dict[int, list[OutboxRow]] = defaultdict(list)
    for row in rows:
        rounds[turn[row.customer_id]].append(row)
        turn[row.customer_id] += 1
    return rounds.values()


def _deferral(row: OutboxRow, reason: str, now: datetime) -> Wait | Hold:
    row.deferrals += 1
    return Hold(reason) if row.deferrals > MAX_DEFERRALS else Wait(reason, now + DEFERRAL)


def _message(row: OutboxRow, go: Go, copy: Rendered) -> OutgoingMessage:
    return OutgoingMessage(
        message_id=row.message_id,
        customer_id=row.customer_id,
        campaign_id=row.campaign_id,
        offer_id=str(go.payload["offer_id"]),
        channel=row.channel,
        variant_id=str(go.variant["id"]),
        tone=go.variant.get("tone"),
        subject=copy.subject or "",
        body=copy.body,
        cta=copy.cta or "",
        url=str(go.variant.get("url") or ""),
    )


def _keep_back(work: _Work, row: OutboxRow, go: Go) -> None:
    """The holdout passes every check too, so that both groups differ in the message alone."""
    _release(work, row)
    row.status, row.claim, row.claim_until, row.sent_at = "held_out", None, None, work.now
    work.batch.stopped["held_out"] += 1
    _note(work, row, HOLDOUT, True)
    work.events.append(event_of(row, "held_out", work.now, str(go.payload["offer_id"])))


def _stop(work: _Work, row: OutboxRow, seen: Wait | Hold) -> None:
    _release(work, row)
    row.reason, row.claim, row.claim_until = seen.reason, None, None
    if isinstance(seen, Hold):
        row.status = "held"
    else:
        row.status, row.not_before = "queued", seen.until
    work.batch.stopped["held" if isinstance(seen, Hold) else "waiting"] += 1


def _release(work: _Work, row: OutboxRow) -> None:
    if row.reservation_id is not None:
        work.released.append(row.reservation_id)
        row.reservation_id = None


def _note(work: _Work, row: OutboxRow, arm: str, randomised: bool) -> None:
    if (experiment := work.checks.experiment(row)) is not None:
        assignment = {"experiment_id": experiment.id, "unit": row.customer_id, "arm": arm}
        record = {"message_id": row.message_id, "randomised": randomised, "at": work.now}
        work.assignments.append(assignment | record)


def _assign(session: Session, assignments: Sequence[Mapping[str, Any]]) -> None:
    """Write assignments down once; a repeat leaves the first."""
    if assignments:
        session.execute(insert(Assignment).on_conflict_do_nothing(), assignments)


def event_of(row: OutboxRow, kind: str, at: datetime, offer_id: str) -> dict[str, object]:
    """A lake event about an outbox row; its id depends on message and kind alone."""
    return {
        "event_id": event_id_of(row.message_id, kind),
        "customer_id": row.customer_id,
        "kind": kind,
        "occurred_at": at,
        "offer_id": offer_id,
        "campaign_id": row.campaign_id,
        "channel": row.channel,
        "variant_id": row.variant_id,
        "message_id": row.message_id,
        "source": "dispatcher",
    }
