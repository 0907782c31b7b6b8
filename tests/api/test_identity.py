"""The review list over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from smart_reach.api.app import show_error
from smart_reach.api.routers.identity import router
from smart_reach.api.sessions import signed_in
from smart_reach.engine.catalog.identity import people, store
from smart_reach.engine.catalog.identity.linking import Clash, LinkRecord
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.governance.roles import Actor
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def client(workspace: Workspace) -> Iterator[TestClient]:
    """The router on a workspace with one conflict; the header `role` says who asks."""
    with transaction(workspace.db) as session:
        people.add_customers(session, ["cus_a", "cus_b"])
        record = LinkRecord("r1", "crm", NOON, None, [("email", "x")])
        store.note_clashes(
            session, [Clash("cus_a", "cus_b", "One e-mail address, two customers.", record)], NOON
        )
    app = FastAPI()
    app.include_router(router, prefix="/api")
    app.add_exception_handler(SmartReachError, show_error)
    app.state.cockpit = SimpleNamespace(workspace=workspace)
    role = {"is": "manager"}
    app.dependency_overrides[signed_in] = lambda: Actor("u1", "Ana", role["is"])
    with TestClient(app) as client:
        client.role = role  # type: ignore[attr-defined]
        yield client


def test_list_decide_and_take_back(client: TestClient) -> None:
    listed = client.get("/api/identity/conflicts").json()
    assert (listed["total"], listed["open"]) == (1, 1)
    address = f"/api/identity/conflicts/{listed['items'][0]['id']}"
    decided = client.post(f"{address}/decide", json={"decision": "merge", "keep": "cus_b", "reason": "one"})
    assert (decided.status_code, decided.json()["kept_id"]) == (200, "cus_b")
    assert client.post(f"{address}/decide", json={"decision": "merge"}).status_code == 409
    assert client.get("/api/identity/conflicts").json()["items"] == []
    assert client.get("/api/identity/conflicts", params={"status": "merged"}).json()["total"] == 1
    undone = client.post(f"{address}/unmerge", json={"reason": "two"})
    assert (undone.status_code, undone.json()["status"]) == (200, "kept_apart")


def test_a_marketer_may_look_and_not_decide(client: TestClient) -> None:
    client.role["is"] = "marketer"  # type: ignore[attr-defined]
    (item,) = client.get("/api/identity/conflicts").json()["items"]
    answer = client.post(f"/api/identity/conflicts/{item['id']}/decide", json={"decision": "keep_apart"})
    assert answer.status_code == 403
    assert client.get(f"/api/identity/conflicts/{item['id']}").json()["status"] == "open"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("999999/decide", {"decision": "merge"}, 404),
        ("0/decide", {"decision": "merge"}, 422),
        ("x/decide", {"decision": "merge"}, 422),
        ("99999999999999999999999/decide", {"decision": "merge"}, 422),
        ("1/decide", {"decision": "delete"}, 422),
        ("1/unmerge", {"reason": ""}, 422),
    ],
)
def test_bad_requests_say_so(client: TestClient, path: str, body: dict[str, str], status: int) -> None:
    assert client.post(f"/api/identity/conflicts/{path}", json=body).status_code == status
