"""What events mean for customers, consent and holdings: in any order, and twice."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import newest_consents, recent_withdrawals, record_consent
from smart_reach.engine.catalog.identity.people import add_customers
from smart_reach.engine.catalog.tables import Consent, ConsentRecord, Customer, CustomerProfile, Holding
from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.decisioning.contact.ledger import ContactLedger
from smart_reach.engine.events.ingest.customers_table import refresh_customers
from smart_reach.engine.events.ingest.projections import Projector, apply
from smart_reach.engine.lakehouse.schemas import CUSTOMERS, EVENT_SCHEMA
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Row = dict[str, Any]


def row(name: str, kind: str, minute: int = 0, *, said: Row | None = None, **more: Any) -> Row:
    return {
        "event_id": name,
        "customer_id": "cus_1",
        "kind": kind,
        "occurred_at": NOON + timedelta(minutes=minute),
        "received_at": NOON,
        "source": "test",
        "machine": False,
        "attributes": None if said is None else json.dumps(said),
        **more,
    }


def table(*rows: Row) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=EVENT_SCHEMA)


def project(ws: Workspace, *rows: Row, crash: bool = False) -> None:
    with Session(ws.db) as session:
        apply(session, table(*rows))
        if not crash:
            session.commit()


def customer(ws: Workspace, customer_id: str = "cus_1") -> Customer:
    with Session(ws.db) as session:
        found = session.get(Customer, customer_id)
        assert found is not None
        return found


def consents(ws: Workspace) -> dict[str, bool]:
    with Session(ws.db) as session:
        rows = newest_consents(session, ["cus_1"]).get("cus_1", {})
        return {channel: one.granted for (channel, _), one in rows.items()}


def test_an_event_of_a_stranger_makes_a_customer(workspace: Workspace) -> None:
    projector = Projector(workspace.db, default_zone="Europe/Lisbon")
    assert projector(table(row("e1", "transaction"))).new_customers == 1
    assert projector(table(row("e2", "transaction"))).new_customers == 0
    assert customer(workspace).zone == "Europe/Lisbon"


def test_a_field_keeps_what_the_newest_record_said(workspace: Workspace) -> None:
    newer = row("c2", "customer", 5, said={"zone": "Europe/Lisbon", "segment": "families"})
    older = row("c1", "customer", 1, said={"zone": "Europe/London", "region": "London", "holdout": True})
    project(workspace, newer)
    project(workspace, older)
    found = customer(workspace)
    assert (found.zone, found.holdout) == ("Europe/Lisbon", True)
    assert found.attributes == {"segment": "families", "region": "London"}


def test_a_zone_that_does_not_exist_is_left_out(workspace: Workspace) -> None:
    project(workspace, row("c1", "customer", said={"zone": "Mars/Olympus", "segment": "families"}))
    assert customer(workspace).zone == "UTC"
    assert customer(workspace).attributes == {"segment": "families"}


def test_leaving_withdraws_a_channel_and_complaining_all(workspace: Workspace) -> None:
    project(workspace, row("u1", "unsubscribe", channel="email"))
    assert consents(workspace) == {"email": False}
    project(workspace, row("x1", "complaint", channel="email"))
    assert consents(workspace) == dict.fromkeys(CHANNELS, False)


def test_an_old_withdrawal_is_remembered_and_does_not_hold(workspace: Workspace) -> None:
    project(workspace, row("g", "consent", 9, channel="email", said={"granted": True}))
    project(workspace, row("w", "consent", 1, channel="email", said={"granted": False}))
    assert consents(workspace) == {"email": True}
    with Session(workspace.db) as session:
        assert recent_withdrawals(session, ["cus_1"], since=NOON) == {"cus_1"}


def test_an_older_record_does_not_override_what_a_person_said_here(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        add_customers(session, ["cus_1"])
        at = NOON + timedelta(minutes=5)
        record_consent(session, "cus_1", "email", granted=False, at=at, source="unsubscribe link")
    project(workspace, row("g", "consent", 1, channel="email", said={"granted": True}))
    assert consents(workspace) == {"email": False}
    project(workspace, row("h", "consent", 9, channel="email", said={"granted": True}))
    assert consents(workspace) == {"email": True}


def test_contacts_made_elsewhere_reach_the_contact_ledger_once(workspace: Workspace) -> None:
    contacts = ContactLedger(workspace.clock)
    projector = Projector(workspace.db, on_sent=contacts.backfill)
    sent = table(row("s1", "sent", channel="email", message_id="m1"))
    projector(sent)
    projector(sent)
    with Session(workspace.db) as session:
        assert [len(some) for some in contacts.contacts(session, ["cus_1"]).values()] == [1]


records = st.builds(
    lambda kind, number, minute, channel, flag, zone, product: (
        kind,
        f"r{number}",
        minute,
        channel,
        flag,
        zone,
        product,
    ),
    st.sampled_from(["customer", "consent", "holding", "unsubscribe", "complaint"]),
    st.integers(0, 99),
    st.integers(0, 3),
    st.sampled_from(CHANNELS[:2]),
    st.booleans(),
    st.sampled_from(["Europe/Lisbon", "Europe/London", "UTC"]),
    st.sampled_from(["card", "loan"]),
)


def made(record: tuple[Any, ...]) -> Row:
    kind, name, minute, channel, flag, zone, product = record
    said = {
        "customer": {"zone": zone, "segment": product} if flag else {"zone": zone},
        "consent": {"granted": flag},
        "holding": {"product": product, "status": "opened" if flag else "closed"},
    }.get(kind)
    return row(name, kind, minute, said=said, channel=None if kind in ("customer", "holding") else channel)


def state(ws: Workspace) -> Any:
    with Session(ws.db) as session:
        holdings = select(Holding.product, Holding.status, Holding.record_id).order_by(Holding.product)
        person = session.get(Customer, "cus_1")
        return (
            person and (person.zone, person.attributes),
            session.execute(holdings).all(),
            recent_withdrawals(session, ["cus_1"], since=NOON - timedelta(days=1)) if person else set(),
        ), consents(ws)


def clear(ws: Workspace) -> None:
    with transaction(ws.db) as session:
        for model in (ConsentRecord, Consent, Holding, CustomerProfile, Customer):
            session.execute(delete(model))


def replay(ws: Workspace, rows: Sequence[Row], seed: int) -> Any:
    """In a random order and in random batches, some of which crash or come twice."""
    clear(ws)
    chance = random.Random(seed)
    shuffled = list(rows)
    chance.shuffle(shuffled)
    while shuffled:
        count = chance.randint(1, 4)
        batch, shuffled = shuffled[:count], shuffled[count:]
        if chance.random() < 0.3:
            project(ws, *batch, crash=True)
        project(ws, *batch)
        if chance.random() < 0.3:
            project(ws, *batch)
    return state(ws)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(records, min_size=1, max_size=8, unique_by=lambda record: record[1]), st.integers(0, 999))
def test_any_order_any_batches_any_crash_end_the_same(
    workspace: Workspace, history: list[tuple[Any, ...]], seed: int
) -> None:
    rows = [made(record) for record in history]
    clear(workspace)
    project(workspace, *rows)
    at_once = state(workspace)
    assert replay(workspace, rows, seed) == at_once


def test_the_lake_gets_the_customers_once_something_changed(workspace: Workspace) -> None:
    workspace.set_info("kind", "own-data")
    said = {"zone": "Europe/Lisbon", "birth_year": 1986, "joined_on": "2020-05-01", "shoe": 42}
    project(workspace, row("c1", "customer", said=said))
    project(workspace, row("h1", "holding", said={"product": "card", "status": "opened"}))
    assert refresh_customers(workspace) == 1
    assert refresh_customers(workspace) == 0
    with workspace.lake.connect(tables=(CUSTOMERS,)) as lake:
        query = (
            "SELECT customer_id, zone, age, age_band, holdings, shoe, year(joined_on), segment FROM customers"
        )
        assert lake.execute(query).fetchall() == [
            ("cus_1", "Europe/Lisbon", 40, "35–44", 1, "42", 2020, None)
        ]
    project(workspace, row("c2", "customer", 1, said={"segment": "families"}))
    assert refresh_customers(workspace) == 1


def test_columns_of_another_kind_of_workspace_stay(workspace: Workspace) -> None:
    workspace.set_info("kind", "demo-bank")
    columns = {
        "customer_id": ["cus_1", "cus_2"],
        "segment": ["students", "affluent"],
        "tenure_months": [3, 4],
    }
    workspace.lake.overwrite(CUSTOMERS, pa.table(columns))
    with transaction(workspace.db) as session:
        add_customers(session, ["cus_1", "cus_2"])
    project(workspace, row("c1", "customer", said={"segment": "families", "tenure_months": "9"}))
    project(workspace, row("e1", "transaction", customer_id="cus_3"))
    refresh_customers(workspace)
    with workspace.lake.connect(tables=(CUSTOMERS,)) as lake:
        found = lake.execute(
            "SELECT customer_id, segment, tenure_months FROM customers ORDER BY 1"
        ).fetchall()
    assert found == [("cus_1", "families", 9), ("cus_2", "affluent", 4), ("cus_3", None, None)]
    with Session(workspace.db) as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 3
