"""How fast messages go out, against a connector that is merely handed the same messages.

    python benchmarks/dispatch.py [--messages N] [--json]

It makes a home of its own and takes it away again. Processor time is this process's alone; PostgreSQL's is
in the messages a second.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Consent, Customer, Offer
from smart_reach.engine.clock import FixedClock
from smart_reach.engine.decisioning.contact.ledger import ContactLedger
from smart_reach.engine.delivery.dispatcher import Dispatcher
from smart_reach.engine.delivery.launch import CampaignLauncher
from smart_reach.engine.delivery.loopback import LoopbackConnector
from smart_reach.engine.delivery.messages import OutgoingMessage, RenderedMessage
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.proposals import ProposalService
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.governance.roles import Actor
from smart_reach.engine.settings import Settings
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TARGETS = {"cpu_ms_a_message": ("<=", 2.5), "messages_a_second": (">=", 200.0)}
BATCH = 250


def main() -> None:
    """Measure, print a table and, with --json, the figures as the last line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--messages", type=int, default=5000)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    with workspace() as ws:
        figures = measure(ws, chosen.messages)
    missed = [name for name, (sign, limit) in TARGETS.items() if not _meets(figures[name], sign, limit)]
    for name, value in figures.items():
        target = "{} {}".format(*TARGETS[name]) if name in TARGETS else ""
        print(f"{name:32} {value:12.3f}   {target:10} {'MISSED' if name in missed else ''}")
    if chosen.json:
        targets = {name: list(target) for name, target in TARGETS.items()}
        report = {"benchmark": "dispatch", "figures": figures, "targets": targets, "missed": missed}
        print(json.dumps(report))


@contextmanager
def workspace() -> Iterator[Workspace]:
    """An empty workspace in a home that is taken away at the end."""
    with tempfile.TemporaryDirectory(prefix="smart-reach-bench-") as home:
        ws = Workspace.open(Settings(home=Path(home), workspace="bench"), FixedClock(NOON))
        try:
            yield ws
        finally:
            ws.close()


def measure(ws: Workspace, messages: int) -> dict[str, float]:
    """Launch one campaign to `messages` customers, dispatch it, and hand the same messages over bare."""
    launch(ws, messages)
    connector = LoopbackConnector(ws.db, ws.clock)
    worker = dispatcher(ws, connector)
    sent = [0]

    def dispatch() -> None:
        while done := worker.run_once().sent:
            sent[0] += done

    wall, cpu = timed(dispatch)
    assert sent[0] == messages, f"{sent[0]} of {messages} were sent"
    kept = [_outgoing(message) for message in connector.since(0, messages)]
    bare = [replace(message, message_id=f"bare-{message.message_id}") for message in kept]

    def hand_over() -> None:
        for first in range(0, len(bare), BATCH):
            connector.send_many(bare[first : first + BATCH])

    bare_wall, bare_cpu = timed(hand_over)
    alone = [replace(message, message_id=f"alone-{message.message_id}") for message in kept[:500]]
    alone_wall, _ = timed(lambda: [connector.send(message) for message in alone])
    return {
        "messages": float(messages),
        "messages_a_second": messages / wall,
        "cpu_ms_a_message": 1000 * cpu / messages,
        "bare_messages_a_second": messages / bare_wall,
        "bare_cpu_ms_a_message": 1000 * bare_cpu / messages,
        "bare_one_by_one_a_second": len(alone) / alone_wall,
        "times_the_bare_connector": wall / bare_wall,
    }


def launch(ws: Workspace, messages: int) -> None:
    """Customers who all consented, and an approved campaign to them."""
    ids = [f"cus_{number:06d}" for number in range(1, messages + 1)]
    given = {"channel": "push", "purpose": "marketing", "granted": True, "source": "bench"}
    with transaction(ws.db) as session:
        session.add(Offer(id="rewards-card", name="Rewards card", category="card", margin_minor=4000))
        session.add_all(Customer(id=customer, zone="Europe/Lisbon") for customer in ids)
        session.flush()
        at = NOON - timedelta(days=30)
        session.add_all(Consent(customer_id=customer, changed_at=at, **given) for customer in ids)
    hooks = {"campaign": CampaignLauncher(ws.clock)}
    proposals = ProposalService(ws.db, ws.clock, Ledger(ws.clock), on_approved=hooks)
    made = proposals.create("campaign", payload(ids), Actor("usr_maya", "Maya Lund", "marketer"))
    ana = Actor("usr_ana", "Ana Ruiz", "manager")
    proposals.decide(made.id, ana, "approve", payload_hash=made.payload_hash, reason="bench")


def payload(ids: list[str]) -> dict[str, Any]:
    """A campaign payload with two variants and no holdout."""
    copy = {"subject": "Rewards", "body": "Hello " * 20, "cta": "Go", "url": "https://demo-bank.example"}
    return {
        "title": "Bench",
        "offer_id": "rewards-card",
        "channel": "push",
        "window": "midday",
        "audience": {"customer_ids": ids},
        "variants": [{"id": "v-a", **copy}, {"id": "v-b", **copy}],
        "holdout_share": 0.0,
    }


def dispatcher(ws: Workspace, connector: LoopbackConnector) -> Dispatcher:
    """The product's dispatcher over the real contact ledger; only the renderer is plain."""
    return Dispatcher(
        ws.db,
        {"push": connector},
        ws.clock,
        Ledger(ws.clock),
        render=_render,
        guard=ContactLedger(ws.clock),
        approved=approved_payload,
        batch=BATCH,
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the wall clock and of this process's processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _render(session: Session, variant: Mapping[str, Any]) -> RenderedMessage:
    return RenderedMessage(variant["subject"], variant["body"], variant["cta"])


def _outgoing(message: Any) -> OutgoingMessage:
    return OutgoingMessage(**{name: getattr(message, name) for name in OutgoingMessage.__dataclass_fields__})


def _meets(value: float, sign: str, limit: float) -> bool:
    return value >= limit if sign == ">=" else value <= limit


if __name__ == "__main__":
    main()
