"""A dispatcher process for the kill −9 tests.

    dispatch_child.py HOME WORKSPACE KILL_AFTER

Dispatches until nothing is due, then prints `done`. With KILL_AFTER = n > 0 it kills itself with SIGKILL at
the n-th point it passes (prepared, accepted, settling, settled), so exactly between any two steps.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.decisioning.contact.ledger import ContactLedger
from smart_reach.engine.delivery.dispatcher import Dispatcher
from smart_reach.engine.delivery.loopback import loopback_connectors
from smart_reach.engine.delivery.messages import RenderedMessage
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.settings import Settings
from smart_reach.engine.workspace import Workspace

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CLAIM_SECONDS = 1.0


def killer(after: int) -> Callable[[str], None]:
    passed = [0]

    def probe(point: str) -> None:
        passed[0] += 1
        if passed[0] == after:
            os.kill(os.getpid(), signal.SIGKILL)

    return probe


def render(session: Session, variant: Mapping[str, Any]) -> RenderedMessage:
    return RenderedMessage(variant["subject"], variant["body"], variant["cta"])


def dispatcher(workspace: Workspace, kill_after: int) -> Dispatcher:
    clock = workspace.clock
    return Dispatcher(
        workspace.db,
        loopback_connectors(workspace.db, clock),
        clock,
        Ledger(clock),
        render=render,
        guard=ContactLedger(clock),
        approved=approved_payload,
        batch=8,
        claim_seconds=CLAIM_SECONDS,
        probe=killer(kill_after),
    )


def unfinished(workspace: Workspace) -> int:
    due = (OutboxRow.status == "sending") | (
        (OutboxRow.status == "queued") & (OutboxRow.not_before <= workspace.clock.now())
    )
    with Session(workspace.db) as session:
        return session.scalar(select(func.count()).select_from(OutboxRow).where(due)) or 0


def main(home: str, name: str, kill_after: str) -> None:
    workspace = Workspace.open(Settings(home=Path(home), workspace=name), FixedClock(NOON))
    try:
        worker = dispatcher(workspace, int(kill_after))
        while unfinished(workspace):
            if worker.run_once(24).handled == 0:
                time.sleep(0.1)
        sys.stdout.write("done\n")
    finally:
        workspace.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
