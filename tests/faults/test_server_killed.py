"""A hundred decisions while the server, dispatching, is killed with −9 and started again."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.delivery.tables import LoopbackMessage, OutboxRow
from smart_reach.engine.settings import Settings
from smart_reach.engine.workspace import Workspace
from tests.serving import Server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
KILLS = 2
DECISIONS = 100


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server of its own, so that killing it hurts nobody else."""
    folder = Path(tempfile.mkdtemp(prefix="kill-"))
    server = Server(folder, customers=1500, SMART_REACH_CHAINLIT="off")
    yield server.start()
    server.stop()
    Workspace.open(Settings(home=folder)).close()  # the last to leave stops the database
    shutil.rmtree(folder, ignore_errors=True)


def approved_campaign(server: Server) -> str:
    """A push campaign for everybody, proposed by one person and approved by another."""
    with server.client("maya") as maya, server.client("ana") as ana:
        thread = maya.post("/api/threads", json={}).json()["id"]
        text = "Propose the next best action for everyone by e-mail"
        maya.post(f"/api/threads/{thread}/messages", json={"text": text}, timeout=120)
        (proposal,) = ana.get("/api/proposals", params={"status": "pending"}).json()["items"]
        answer = {"decision": "approve", "payload_hash": proposal["payload_hash"], "reason": "fits"}
        ana.post(f"/api/proposals/{proposal['id']}/decide", json=answer).raise_for_status()
        return str(proposal["id"])


class Decisions(threading.Thread):
    """Asks for decisions until a hundred were answered, through every outage."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.answered: list[dict[str, Any]] = []

    def run(self) -> None:
        number = 0
        while len(self.answered) < DECISIONS:
            try:
                with self._server.client("maya") as client:
                    while len(self.answered) < DECISIONS:
                        number += 1
                        body = {"customer_id": f"cus_{number % 1000:06d}"}
                        answer = client.post("/api/decisions", json=body)
                        answer.raise_for_status()
                        self.answered.append(answer.json())
            except httpx.HTTPError:
                time.sleep(0.3)


def let_days_pass(server: Server, days: int) -> None:
    with server.client("ana") as ana:
        ana.post("/api/demo/advance", json={"days": days}).raise_for_status()
        while ana.get("/api/demo/clock").json()["running"]:
            time.sleep(0.2)


def test_nothing_is_lost_or_doubled(own_server: Server) -> None:
    approved_campaign(own_server)
    decisions = Decisions(own_server)
    decisions.start()
    for number in range(KILLS):
        with own_server.client("ana") as ana:
            ana.post("/api/demo/advance", json={"days": 7}).raise_for_status()
        time.sleep(1.0 + 0.9 * number)
        own_server.kill()
        own_server.start()
    let_days_pass(own_server, 30)
    decisions.join(timeout=120)
    assert len(decisions.answered) == DECISIONS

    ledger = own_server.command("verify-ledger", "--json")
    assert ledger.returncode == 0, ledger.stdout + ledger.stderr
    with own_server.client("maya") as maya:
        for decision in decisions.answered[::25]:
            again = maya.get(f"/api/decisions/{decision['decision_id']}/replay").json()
            assert again["same"] is True
    check_messages(own_server.home)


def count_waiting(session: Session) -> int:
    waiting = OutboxRow.status.in_(("queued", "sending"))
    return session.scalar(select(func.count()).where(waiting)) or 0


def check_messages(home: Path) -> None:
    """Every message that was approved and not held is in the connector once, and nothing else is."""
    ws = Workspace.open(Settings(home=home))
    with Session(ws.db) as session:
        waiting = count_waiting(session)
        deadline = time.monotonic() + 120
        while waiting and time.monotonic() < deadline:  # a killed dispatcher's claims end after a minute
            time.sleep(1)
            session.rollback()
            waiting = count_waiting(session)
        sent = set(session.scalars(select(OutboxRow.message_id).where(OutboxRow.status == "sent")))
        kept = list(session.scalars(select(LoopbackMessage.message_id)))
    ws.close()
    assert waiting == 0
    assert len(sent) > 100
    assert len(kept) == len(set(kept))
    assert set(kept) == sent
