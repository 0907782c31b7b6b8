"""A bank where one person stands in every table, every lake table and some files, beside another person."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.catalog.tables import (
    ConsentRecord,
    Customer,
    CustomerAlias,
    CustomerProfile,
    Holding,
    IdentityConflict,
    IdentityKey,
    Offer,
    UndescribedCustomer,
)
from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.decisioning.service import DecisionService
from smart_reach.engine.decisioning.tables import ContactReservation, SegmentDecisionRow
from smart_reach.engine.delivery.launch import CampaignLauncher
from smart_reach.engine.delivery.tables import LoopbackMessage, PendingEvent
from smart_reach.engine.demo.tables import DemoPending
from smart_reach.engine.events.tables import DeadLetter, InboxRow
from smart_reach.engine.governance.ledger import Ledger, recorded_hash
from smart_reach.engine.governance.proposals import ProposalService
from smart_reach.engine.governance.roles import Actor
from smart_reach.engine.lakehouse.schemas import as_events
from smart_reach.engine.state.base import transaction
from smart_reach.engine.state.conversations import Thread, ThreadMessage
from smart_reach.engine.workspace import Workspace
from tests.engine.decisioning.conftest import IDS, InventedHistory, InventedStore
from tests.engine.delivery.conftest import make_payload

VICTIM, OTHER, ALIAS = "cus_000002", "cus_000004", "cus_0a1b2c3d4e5f"
THREAD = "00000000-0000-4000-8000-000000000001"
MAYA, ANA = Actor("usr_maya", "Maya Lund", "marketer"), Actor("usr_ana", "Ana Ruiz", "manager")


@dataclass
class Held:
    """The workspace and what a test needs of it."""

    ws: Workspace
    decisions: DecisionService
    proposals: ProposalService
    ledger: Ledger
    mine: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    segment_decision: str = ""
    proposal: str = ""


@pytest.fixture
def held(workspace: Workspace) -> Held:
    """Two people everywhere; no model is trained, so decisions send nothing and are recorded all the same."""
    _people(workspace)
    found = services(workspace)
    found.segment_decision = _segment_decision(found)
    found.mine = [found.decisions.decide(VICTIM, actor="usr_maya").id, found.decisions.decide(VICTIM).id]
    found.theirs = [found.decisions.decide(OTHER).id, found.decisions.decide("cus_000007").id]
    _campaign(found)
    _rows(found)
    _lake(found)
    _checkpoint(found)
    _files(found)
    return found


def services(ws: Workspace) -> Held:
    """Decisions and proposals that write to the real ledger."""
    ledger = Ledger(ws.clock)

    def proof(decision_id: str) -> str | None:
        with Session(ws.db) as session:
            return recorded_hash(session, decision_id)

    service = DecisionService(
        ws, ledger.append, features=InventedStore(), history=InventedHistory(), proof=proof
    )
    proposals = ProposalService(
        ws.db, ws.clock, ledger.append, on_approved={"campaign": CampaignLauncher(ws.clock)}
    )
    return Held(ws, service, proposals, ledger)


def _people(ws: Workspace) -> None:
    now = ws.clock.now()
    with transaction(ws.db) as session:
        session.add(Offer(id="rewards-card", name="Rewards card", category="card", margin_minor=20_000))
        session.add_all(Customer(id=one, zone="Europe/Lisbon") for one in IDS[:9])
        session.flush()
        for one in IDS[:9]:
            for channel in CHANNELS:
                record_consent(session, one, channel, granted=True, at=now, source="test")


def _segment_decision(held: Held) -> str:
    now = held.ws.clock.now()
    with transaction(held.ws.db) as session:
        session.add(
            SegmentDecisionRow(
                id="SEG-000001",
                segment_id="all",
                at=now,
                offer_id=None,
                channel=None,
                window=None,
                actor="usr_maya",
                audience=[VICTIM, OTHER],
                record="{}",
                content_hash="0",
                ledger_seq=1,
            )
        )
        session.add(
            ContactReservation(
                customer_id=VICTIM, channel="push", at=now, subject="DEC-1", state="reserved", created_at=now
            )
        )
    return "SEG-000001"


def _campaign(held: Held) -> None:
    payload = make_payload([VICTIM, OTHER, "cus_000007"])
    made = held.proposals.create("campaign", payload, MAYA)
    held.proposal = made.id
    held.proposals.decide(
        made.id, ANA, "approve", payload_hash=made.payload_hash, reason=f"also fits {VICTIM}"
    )


def _rows(held: Held) -> None:
    now = held.ws.clock.now()
    with transaction(held.ws.db) as session:
        session.add(
            Thread(id=THREAD, user_id="usr_maya", title=f"Why {VICTIM}?", created_at=now, updated_at=now)
        )
        session.add(UndescribedCustomer(customer_id=ALIAS))
        session.add(
            CustomerAlias(
                customer_id=ALIAS, into_id=VICTIM, conflict_id=None, reason="same", actor="a", at=now
            )
        )
        session.add(IdentityKey(hash="ab" * 16, kind="crm_id", customer_id=VICTIM, home_id=ALIAS))
        session.add(IdentityKey(hash="cd" * 16, kind="crm_id", customer_id=OTHER, home_id=OTHER))
        session.add(
            IdentityConflict(first_id=VICTIM, second_id=OTHER, evidence={"ids": [VICTIM]}, found_at=now)
        )
        session.flush()
        message = {"text": f"{VICTIM} and {OTHER}", "rows": [[VICTIM, 1], [OTHER, 2]], VICTIM: True}
        session.add(
            ThreadMessage(
                id="m1", thread_id=THREAD, role="assistant", body=message, score=None, comment=VICTIM
            )
        )
        for one in (VICTIM, OTHER):
            _rows_of(session, one, now)
        session.flush()
        held.ledger.append(
            session, kind="note", subject="n1", actor="usr_maya", payload={"who": [VICTIM], "n": 1.5}
        )
        held.ledger.append(session, kind="note", subject=VICTIM, actor="usr_maya", payload={"n": 2})


def _rows_of(session: Session, one: str, now: datetime) -> None:
    session.add(
        Holding(customer_id=one, product="card", status="opened", changed_at=now, record_id=f"h-{one}")
    )
    session.add(CustomerProfile(customer_id=one, versions={}, updated_at=now))
    session.add(ConsentRecord(record_id=f"c-{one}", customer_id=one, consent_id=None))
    session.add(PendingEvent(event_id=f"ev-{one}", body=json.dumps({"customer_id": one}), batch=None))
    session.add(
        DemoPending(
            event_id=f"d-{one}", due_at=now, customer_id=one, kind="open", offer_id=None, payload={"c": one}
        )
    )
    words = dict.fromkeys(("offer_id", "channel", "variant_id", "subject", "body", "cta", "url"), "x")
    session.add(
        LoopbackMessage(
            message_id=f"msg-{one}",
            receipt_id=one,
            customer_id=one,
            campaign_id="CMP-1",
            tone=None,
            accepted_at=now,
            **words,
        )
    )
    for place, named in (("1", one), ("2", None)):
        raw = json.dumps({"type": "transaction", "customer_id": one, "amount": "x"}).encode()
        session.add(
            DeadLetter(
                source="kafka",
                partition="0",
                position=f"{one}-{place}",
                received_at=now,
                contract="transaction",
                record_id=None,
                customer_id=named,
                field="amount",
                value="x",
                reason="no",
                remedy="fix",
                raw=raw,
                size=len(raw),
                mapping=None,
            )
        )
    body = b"\n".join(json.dumps({"customer_id": name}).encode() for name in (VICTIM, OTHER))
    session.add(
        InboxRow(
            position=int(one[-1]),
            idempotency_key=None,
            request_hash="0",
            source="http",
            received_at=now,
            records=2,
            body=body,
            answer={"accepted": 2, "errors": [{"value": one}]},
        )
    )


def events(ids: Sequence[str], at: datetime, prefix: str = "e") -> pa.Table:
    rows = [
        {
            "event_id": f"{prefix}{number}",
            "customer_id": one,
            "kind": "transaction",
            "occurred_at": at,
            "received_at": at,
            "machine": False,
            "local_hour": 9,
            "local_weekday": 1,
            "source": "test",
        }
        for number, one in enumerate(ids)
    ]
    return as_events(pa.Table.from_pylist(rows))


def _lake(held: Held) -> None:
    now = held.ws.clock.now()
    held.ws.lake.append("events", events([VICTIM, OTHER, ALIAS, VICTIM], now - timedelta(days=2)))
    held.ws.lake.append("events", events([OTHER], now - timedelta(days=1), "f"))
    held.ws.lake.overwrite("customers", pa.table({"customer_id": [VICTIM, OTHER], "zone": ["UTC", "UTC"]}))
    held.ws.lake.append(
        "features", pa.table({"customer_id": [VICTIM, OTHER], "as_of": [now, now], "x": [1, 2]})
    )


def _checkpoint(held: Held) -> None:
    """A real LangGraph checkpoint whose state names both people."""
    from langchain_core.messages import HumanMessage
    from langgraph.checkpoint.base import empty_checkpoint
    from langgraph.checkpoint.postgres import PostgresSaver

    url = held.ws.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        config: Any = {"configurable": {"thread_id": THREAD, "checkpoint_ns": ""}}
        state = {
            "messages": [HumanMessage(f"what about {VICTIM}?", id="h1")],
            "audience": [VICTIM, OTHER, 48],
        }
        checkpoint = {
            **empty_checkpoint(),
            "channel_values": {**state, "plain": VICTIM},
            "channel_versions": dict.fromkeys((*state, "plain"), "1"),
        }
        made = saver.put(config, checkpoint, {"source": "input"}, dict.fromkeys((*state, "plain"), "1"))  # type: ignore[arg-type]
        saver.put_writes(made, [("messages", state)], "task")


def _files(held: Held) -> None:
    held.ws.root.joinpath("exports").mkdir(parents=True, exist_ok=True)
    held.ws.root.joinpath("exports", "list.csv").write_text(f"id\n{VICTIM}\n{OTHER}\n")


def rows_naming(ws: Workspace, word: str) -> dict[str, int]:
    """Every row of every table as text, compared without any of our own search code."""
    found = {}
    with ws.db.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        for table in tables:
            rows = connection.scalars(text(f'SELECT t::text FROM "{table}" t')).all()
            if count := sum(word in row or word.encode().hex() in row for row in rows):
                found[table] = count
    return found


def files_naming(ws: Workspace, word: str) -> list[str]:
    """Files whose bytes, or whose rows when they are Parquet, hold the word."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(ws.root.rglob("*")):
        if path.is_file():
            inside = str(pq.read_table(path).to_pydict()) if path.suffix == ".parquet" else ""
            if word.encode() in path.read_bytes() or word in inside:
                found.append(str(path.relative_to(ws.root)))
    return found


@pytest.fixture
def grep() -> Callable[[Workspace, str], tuple[dict[str, int], list[str]]]:
    return lambda ws, word: (rows_naming(ws, word), files_naming(ws, word))
