"""kill −9 while dispatching: nothing is sent twice, nothing is lost, caps hold, the ledger is whole."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.catalog.tables import Customer, Offer
from smart_reach.engine.delivery.launch import CampaignLauncher
from smart_reach.engine.delivery.loopback import LoopbackConnector
from smart_reach.engine.delivery.tables import OutboxRow, PendingEvent
from smart_reach.engine.governance.ledger import Ledger, entries_of, verify
from smart_reach.engine.governance.proposals import ProposalService
from smart_reach.engine.governance.roles import Actor
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

pytestmark = pytest.mark.faults

CHILD = Path(__file__).with_name("dispatch_child.py")
CUSTOMERS = [f"cus_{number:06d}" for number in range(1, 61)]
MAYA = Actor("usr_maya", "Maya Lund", "marketer")
ANA = Actor("usr_ana", "Ana Ruiz", "manager")


def two_campaigns(workspace: Workspace) -> None:
    """Two approved campaigns to the same customers, of whom nobody may hear twice in 24 hours."""
    at = workspace.clock.now() - timedelta(days=30)
    with transaction(workspace.db) as session:
        session.add(Offer(id="rewards-card", name="Rewards card", category="card", margin_minor=4000))
        session.add_all(Customer(id=customer, zone="Europe/Lisbon") for customer in CUSTOMERS)
        session.flush()
        for customer in CUSTOMERS:
            record_consent(session, customer, "push", granted=True, at=at, source="test")
    hooks = {"campaign": CampaignLauncher(workspace.clock)}
    proposals = ProposalService(workspace.db, workspace.clock, Ledger(workspace.clock), on_approved=hooks)
    for title in ("First", "Second"):
        made = proposals.create("campaign", payload(title), MAYA)
        proposals.decide(made.id, ANA, "approve", payload_hash=made.payload_hash, reason="fits")


def payload(title: str) -> dict[str, Any]:
    variant = {"subject": title, "body": "Hello", "cta": "Go", "url": "https://demo-bank.example"}
    return {
        "title": title,
        "offer_id": "rewards-card",
        "channel": "push",
        "window": "midday",
        "audience": {"customer_ids": CUSTOMERS},
        "variants": [{"id": "v-a", **variant}, {"id": "v-b", **variant}],
        "holdout_share": 0.1,
    }


def start(workspace: Workspace, kill_after: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), str(workspace.settings.home), workspace.name, str(kill_after)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(child: subprocess.Popen[str]) -> bool:
    """Whether it ended by itself; a death other than by SIGKILL fails the test."""
    out, err = child.communicate(timeout=120)
    assert child.returncode in (0, -signal.SIGKILL), err
    return "done" in out


def check(workspace: Workspace) -> None:
    """What must hold however often anything died."""
    accepted = LoopbackConnector(workspace.db, workspace.clock).since(0)
    with Session(workspace.db) as session:
        rows = session.scalars(select(OutboxRow)).all()
        events = [json.loads(body) for body in session.scalars(select(PendingEvent.body))]
        entries = [*entries_of(session, "CMP-0001"), *entries_of(session, "CMP-0002")]
        assert verify(session).whole
    sent = {row.message_id: row for row in rows if row.status == "sent"}
    assert {row.status for row in rows} <= {"sent", "held_out", "queued"}
    assert all(row.reason for row in rows if row.status == "queued")  # these wait for the cap
    assert Counter(m.message_id for m in accepted) == Counter(dict.fromkeys(sent, 1))
    assert {m.message_id: m.variant_id for m in accepted} == {k: row.variant_id for k, row in sent.items()}
    assert max(Counter(m.customer_id for m in accepted).values()) == 1
    # Whoever is in neither holdout hears exactly once; nobody is lost.
    heard = {m.customer_id for m in accepted}
    free = {row.customer_id for row in rows if not row.holdout}
    assert heard == free
    told = Counter(event["message_id"] for event in events if event["kind"] == "sent")
    assert told == Counter(dict.fromkeys(sent, 1))
    recorded = Counter(m["message_id"] for entry in entries for m in entry.payload.get("messages", []))
    assert recorded == told


def test_killed_again_and_again_at_random_points(open_workspace: Callable[..., Workspace]) -> None:
    workspace = open_workspace()
    two_campaigns(workspace)
    chance, deaths = random.Random(7), 0
    for _ in range(40):
        # Early deaths first, so that every kind of point is met; the rest of the run goes through.
        kill_after = chance.randint(1, 14) if deaths < 5 else 0
        if finish(start(workspace, kill_after)):
            break
        deaths += 1
    assert deaths >= 4
    check(workspace)


def test_two_dispatchers_killed_from_outside(open_workspace: Callable[..., Workspace]) -> None:
    workspace = open_workspace()
    two_campaigns(workspace)
    chance = random.Random(11)
    first, second = start(workspace, chance.randint(4, 20)), start(workspace, 0)
    deadline = time.monotonic() + 60
    while not LoopbackConnector(workspace.db, workspace.clock).since(0, 5) and time.monotonic() < deadline:
        time.sleep(0.01)
    second.send_signal(signal.SIGKILL)
    finish(first)
    finish(second)
    pair = [start(workspace, 0), start(workspace, 0)]
    ended = [finish(child) for child in pair]
    assert ended == [True, True]
    check(workspace)
