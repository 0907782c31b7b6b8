"""Settling: what a connector accepted becomes sent, with its events and one ledger entry a campaign."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.delivery.messages import ContactGuard, Receipt
from smart_reach.engine.delivery.pending import add_events
from smart_reach.engine.delivery.prepare import event_of
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.ports import LedgerWriter


def settle(
    session: Session, receipts: Mapping[str, Receipt], guard: ContactGuard, ledger: LedgerWriter
) -> list[OutboxRow]:
    """Mark accepted messages as sent. Rows that somebody settled before are left alone."""
    # All rows are locked before the first contact, contacts before the ledger: no ring of waiters.
    rows = session.scalars(
        select(OutboxRow)
        .where(OutboxRow.message_id.in_(list(receipts)))
        .order_by(OutboxRow.customer_id, OutboxRow.message_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    fresh = [row for row in rows if row.status != "sent"]
    places = [row.reservation_id for row in fresh if row.reservation_id is not None]
    # A reservation that ended meanwhile is a fact to keep as the reason: the message is sent.
    lost = guard.commit_many(session, places)
    for row in fresh:
        _mark(row, receipts[row.message_id], lost.get(row.reservation_id or 0))
    add_events(session, [_sent(row, receipts[row.message_id]) for row in fresh])
    session.flush()
    for campaign_id in sorted({row.campaign_id for row in fresh}):
        _record(session, [row for row in fresh if row.campaign_id == campaign_id], ledger)
    return fresh


def _mark(row: OutboxRow, receipt: Receipt, reason: str | None) -> None:
    row.status, row.claim, row.claim_until, row.reason = "sent", None, None, reason
    row.receipt_id, row.sent_at = receipt.receipt_id, receipt.accepted_at


def _sent(row: OutboxRow, receipt: Receipt) -> dict[str, object]:
    offer_id = str(json.loads(row.message or "{}").get("offer_id"))
    return event_of(row, "sent", receipt.accepted_at, offer_id)


def _record(session: Session, rows: list[OutboxRow], ledger: LedgerWriter) -> None:
    ledger(
        session,
        kind="delivery.sent",
        subject=rows[0].campaign_id,
        actor="system:dispatcher",
        payload={
            "payload_hash": rows[0].payload_hash,
            "messages": [
                {
                    "message_id": row.message_id,
                    "variant_id": row.variant_id,
                    "consent_id": row.consent_id,
                    "receipt_id": row.receipt_id,
                }
                for row in rows
            ],
        },
    )
