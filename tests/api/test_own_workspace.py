"""A workspace of one's own from the command line: made, opened to people, described; no demo door is left."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
from sqlalchemy.orm import Session

from smart_reach.api.filing import begin_own_data
from smart_reach.api.ingesting import features_due, settle
from smart_reach.api.setup import anybody, prepare_users
from smart_reach.engine.errors import Forbidden
from smart_reach.engine.events.health import data_health
from smart_reach.engine.events.inbox import Inbox, Request
from smart_reach.engine.governance.users import DEMO_USERS, authenticate, seed_demo_users
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace
from tests.serving import Server, run_command

FACTS = {"currency": "EUR", "zone": "Europe/Lisbon", "title": "Shop"}
PASSWORD = "long enough 1"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with the workspace `shop` in it, made by hand as the how-to says."""
    home = tmp_path_factory.mktemp("shop")
    made = run_command(home, "new", "shop", "--currency", "eur", "--zone", "Europe/Lisbon", "--json")
    assert json.loads(made.stdout) == {"workspace": "shop", **FACTS, "title": "shop"}
    return home


def test_what_is_there_is_not_made_again(shop: Path) -> None:
    again = run_command(shop, "new", "shop", "--currency", "EUR", "--zone", "Europe/Lisbon")
    assert again.returncode != 0
    assert "already" in again.stderr
    for wrong in (("EURO", "Europe/Lisbon"), ("EUR", "Mars/Base")):
        refused = run_command(shop, "new", "other", "--currency", wrong[0], "--zone", wrong[1])
        assert refused.returncode == 2
    assert not (shop / "workspaces" / "other").exists()


def test_who_was_added_signs_in_and_no_demo_user_does(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMART_REACH_PASSWORD", PASSWORD)
    added = run_command(shop, "user", "add", "Ana@Shop.example", "--role", "manager", "-w", "shop", "--json")
    assert json.loads(added.stdout)["email"] == "ana@shop.example"
    listed = json.loads(run_command(shop, "user", "list", "-w", "shop", "--json").stdout)["items"]
    assert [(one["email"], one["active"]) for one in listed] == [("ana@shop.example", True)]
    assert run_command(shop, "verify-ledger", "-w", "shop").returncode == 0
    server = Server(shop, SMART_REACH_WORKSPACE="shop", SMART_REACH_CHAINLIT="off").start()
    try:
        with httpx.Client(base_url=server.url) as client:
            for demo in DEMO_USERS:
                door = client.post("/api/session", json={"email": demo.email, "password": demo.password})
                assert door.status_code == 401
            who = {"email": "ana@shop.example", "password": PASSWORD}
            assert client.post("/api/session", json=who).json()["demo"] is False
            starters = [one["text"] for one in client.get("/api/starters").json()["items"]]
            assert starters
            assert not any("cus_000123" in text for text in starters)
            assert client.get("/api/data").json()["sources"][0]["label"] == "inbox"
    finally:
        server.stop()


def test_a_password_is_never_guessed(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMART_REACH_PASSWORD", raising=False)
    done = run_command(shop, "user", "add", "b@shop.example", "--role", "manager", "-w", "shop")
    assert done.returncode == 2
    assert "SMART_REACH_PASSWORD" in done.stderr


def test_features_are_described(tmp_path: Path) -> None:
    page = run_command(tmp_path, "features", "describe", "--kind", "own-data")
    assert page.stdout.startswith("# Features of own-data workspaces")
    items = json.loads(run_command(tmp_path, "features", "describe", "--kind", "own-data", "--json").stdout)
    assert {"name", "window", "zone", "owner", "freshness"} <= set(items["items"][0])
    assert run_command(tmp_path, "features", "describe", "--kind", "nosuch").returncode == 2


def test_demo_users_of_an_earlier_version_are_shut_out(workspace: Workspace) -> None:
    begin_own_data(workspace, FACTS)
    with transaction(workspace.db) as session:
        seed_demo_users(session)
    prepare_users(workspace)
    assert not anybody(workspace)
    with Session(workspace.db) as session, pytest.raises(Forbidden):
        authenticate(session, DEMO_USERS[0].email, DEMO_USERS[0].password)


def test_what_the_door_refuses_counts_for_the_inbox(workspace: Workspace) -> None:
    Inbox(workspace.db, workspace.clock).accept(Request([b"{", b"[]"], "token", "0" * 64))
    health = data_health(workspace)
    assert [(one["name"], one["refused"]) for one in health["sources"]] == [("inbox", 2)]
    workspace.lake.close()


def test_features_are_due_when_events_outran_them(workspace: Workspace) -> None:
    begin_own_data(workspace, FACTS)
    assert not features_due(workspace)
    lake = workspace.lake
    now = workspace.clock.now()
    lake.append("events", bought(now - timedelta(hours=1)))
    lake.overwrite("customers", pa.table({"customer_id": ["cus_000001"]}))
    assert features_due(workspace)
    settle(workspace)
    assert not features_due(workspace)
    lake.close()


def bought(at: object) -> pa.Table:
    from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA

    row = dict.fromkeys(EVENT_SCHEMA.names) | {
        "event_id": "t-1",
        "customer_id": "cus_000001",
        "kind": "transaction",
        "occurred_at": at,
        "received_at": at,
        "amount_minor": 500,
        "currency": "EUR",
        "machine": False,
        "source": "test",
    }
    return pa.Table.from_pylist([row], schema=EVENT_SCHEMA)
