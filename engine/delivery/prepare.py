"""Preparing one message: from a due row to the exact message that may be sent, or to why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.delivery.checks import Go, Hold, LastChecks, Wait
from smart_reach.engine.delivery.messages import Connector, ContactGuard, OutgoingMessage, Receipt, Renderer
from smart_reach.engine.delivery.pending import add_event, event_id_of
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.learning.assignment import HOLDOUT, record_assignment
from smart_reach.engine.ports import LedgerWriter

MAX_DEFERRALS = 3
DEFERRAL = timedelta(days=1)


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
        self,
        session: Session,
        row: OutboxRow,
        checks: LastChecks,
        now: datetime,
        accepted: dict[str, Receipt],
    ) -> str:
        """send | held | waiting | held_out | failed, or `accepted`: sent before a crash (see `accepted`)."""
        seen = checks.look(row)
        if isinstance(seen, Go):
            refused = self._reserve(session, row, now)
            if refused is None:
                return self._go(session, row, seen, checks, now)
            seen = self._deferral(row, refused, now)
        # An obstacle now: a message that a dead dispatcher already sent is written down, not undone.
        if row.status == "sending" and (receipt := self._connectors[row.channel].find(row.message_id)):
            accepted[row.message_id] = receipt
            return "accepted"
        return self._stop(session, row, seen)

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

    def _reserve(self, session: Session, row: OutboxRow, now: datetime) -> str | None:
        answer = self._guard.reserve(session, row.customer_id, row.channel, now, row.message_id)
        if isinstance(answer, int):
            row.reservation_id = answer
            return None
        return answer.reason

    def _deferral(self, row: OutboxRow, reason: str, now: datetime) -> Wait | Hold:
        row.deferrals += 1
        if row.deferrals > MAX_DEFERRALS:
            return Hold(reason)
        return Wait(reason, now + DEFERRAL)

    def _go(self, session: Session, row: OutboxRow, go: Go, checks: LastChecks, now: datetime) -> str:
        row.consent_id, row.reason = go.consent_id, None
        if row.holdout:
            return self._keep_back(session, row, go, checks, now)
        if row.status == "sending":
            return "send"  # the stored message, unchanged
        try:
            copy = self._render(session, go.variant)
        except SmartReachError as error:
            return self._stop(session, row, Hold(f"The copy cannot be rendered: {error.message}"))
        row.variant_id = str(go.variant["id"])
        message = OutgoingMessage(
            message_id=row.message_id,
            customer_id=row.customer_id,
            campaign_id=row.campaign_id,
            offer_id=str(go.payload["offer_id"]),
            channel=row.channel,
            variant_id=row.variant_id,
            tone=go.variant.get("tone"),
            subject=copy.subject or "",
            body=copy.body,
            cta=copy.cta or "",
            url=str(go.variant.get("url") or ""),
        )
        row.message, row.status = canonical_json(asdict(message)), "sending"
        self._assign(session, row, checks, row.variant_id, go.randomised, now)
        return "send"

    def _keep_back(self, session: Session, row: OutboxRow, go: Go, checks: LastChecks, now: datetime) -> str:
        """The holdout passes every check too, so that both groups differ in the message alone."""
        self._release(session, row)
        row.status, row.claim, row.claim_until, row.sent_at = "held_out", None, None, now
        self._assign(session, row, checks, HOLDOUT, True, now)
        add_event(session, event_of(row, "held_out", now, str(go.payload["offer_id"])))
        return "held_out"

    def _stop(self, session: Session, row: OutboxRow, seen: Wait | Hold) -> str:
        self._release(session, row)
        row.reason, row.claim, row.claim_until = seen.reason, None, None
        if isinstance(seen, Hold):
            row.status = "held"
            return "held"
        row.status, row.not_before = "queued", seen.until
        return "waiting"

    def _release(self, session: Session, row: OutboxRow) -> None:
        if row.reservation_id is not None:
            self._guard.release(session, row.reservation_id)
            row.reservation_id = None

    def _assign(
        self, session: Session, row: OutboxRow, checks: LastChecks, arm: str, randomised: bool, now: datetime
    ) -> None:
        if (experiment := checks.experiment(row)) is not None:
            record_assignment(
                session,
                experiment.id,
                row.customer_id,
                arm,
                message_id=row.message_id,
                randomised=randomised,
                at=now,
            )


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
