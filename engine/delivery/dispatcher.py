"""The dispatcher: claims due messages, makes the last checks, sends, settles.

Three steps, each safe to be killed in:
1. prepare — one transaction locks due rows (SKIP LOCKED), checks them, reserves the contact, records the
   assignment and stores the exact message as `sending`, with a claim that expires;
2. send — outside any transaction; the connector is idempotent by message id;
3. settle — one transaction marks what was accepted as sent, with its events and its ledger entry.
Killed between 2 and 3, the claim expires and the same stored message is offered again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, Select, and_, func, or_, select

from smart_reach.engine.clock import Clock
from smart_reach.engine.delivery.checks import LastChecks
from smart_reach.engine.delivery.messages import (
    ApprovalReader,
    Connector,
    ContactGuard,
    Receipt,
    Renderer,
)
from smart_reach.engine.delivery.prepare import Batch, Preparer
from smart_reach.engine.delivery.sending import send_all
from smart_reach.engine.delivery.settle import settle
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.ports import LedgerWriter
from smart_reach.engine.state.base import transaction


@dataclass
class DispatchReport:
    """What one run did. `recovered`: sent before a crash and only written down now."""

    sent: int = 0
    held: int = 0
    waiting: int = 0
    held_out: int = 0
    recovered: int = 0
    failed: int = 0

    @property
    def handled(self) -> int:
        return self.sent + self.held + self.waiting + self.held_out + self.recovered + self.failed


def _no_probe(point: str) -> None:
    """Tests stop the process at these points."""


class Dispatcher:
    """Sends what is due. Any number of dispatchers may run at once, in any number of processes."""

    def __init__(
        self,
        db: Engine,
        connectors: Mapping[str, Connector],
        clock: Clock,
        ledger: LedgerWriter,
        *,
        render: Renderer,
        guard: ContactGuard,
        approved: ApprovalReader,
        batch: int = 250,
        claim_seconds: float = 60.0,
        probe: Callable[[str], None] = _no_probe,
    ) -> None:
        self._db = db
        self._connectors = connectors
        self._clock = clock
        self._ledger = ledger
        self._approved = approved
        self._batch = batch
        self._claim_seconds = claim_seconds
        self._probe = probe
        self._guard = guard
        self._preparer = Preparer(connectors, guard, render, ledger)

    def run_once(self, limit: int = 500) -> DispatchReport:
        """Handle up to `limit` due messages."""
        report, left = DispatchReport(), limit
        while left > 0:
            deadline = time.monotonic() + self._claim_seconds / 2
            batch = self._prepare(min(self._batch, left))
            if batch.claimed == 0:
                break
            self._probe("prepared")
            receipts = send_all(self._connectors, batch.outgoing, deadline, self._probe)
            self._settle({**batch.accepted, **receipts})
            self._probe("settled")
            _count(report, batch, receipts)
            left -= batch.claimed
        return report

    def _prepare(self, size: int) -> Batch:
        now = self._clock.now()
        with transaction(self._db) as session:
            machine_now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
            rows = session.scalars(_due(now, machine_now).limit(size)).all()
            if not rows:
                return Batch()
            checks = LastChecks(session, rows, self._approved, now)
            claim, until = uuid.uuid4().hex, machine_now + timedelta(seconds=self._claim_seconds)
            for row in rows:
                row.claim, row.claim_until = claim, until
            batch = self._preparer.prepare(session, rows, checks, now)
            session.flush()
            self._preparer.record_held(session, rows)
        return batch

    def _settle(self, receipts: Mapping[str, Receipt]) -> None:
        if receipts:
            with transaction(self._db) as session:
                settle(session, receipts, self._guard, self._ledger)
                self._probe("settling")


def _count(report: DispatchReport, batch: Batch, receipts: Mapping[str, Receipt]) -> None:
    again = sum(receipt.repeated for receipt in receipts.values())
    report.sent += len(receipts) - again
    report.recovered += len(batch.accepted) + again
    report.failed += len(batch.outgoing) - len(receipts)
    report.held += batch.stopped["held"]
    report.waiting += batch.stopped["waiting"]
    report.held_out += batch.stopped["held_out"]


def _due(now: datetime, machine_now: datetime) -> Select[OutboxRow]:
    queued = and_(OutboxRow.status == "queued", OutboxRow.not_before <= now)
    orphaned = and_(OutboxRow.status == "sending", OutboxRow.claim_until < machine_now)
    return (
        select(OutboxRow)
        .where(or_(queued, orphaned))
        .order_by(OutboxRow.not_before, OutboxRow.message_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
