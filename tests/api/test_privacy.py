"""The two routes: administrators only, the id twice, and a receipt."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from smart_reach.api.routers.privacy import router
from smart_reach.api.sessions import cockpit_of, signed_in
from smart_reach.engine.catalog.tables import Customer
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.governance.users import User
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace


@pytest.fixture
def client(workspace: Workspace) -> TestClient:
    """The router alone on an empty bank with two customers; the role comes from a header."""
    with transaction(workspace.db) as session:
        session.add_all(Customer(id=one, zone="UTC") for one in ("cus_000001", "cus_000002"))
    app = FastAPI()
    app.include_router(router, prefix="/api")
    app.dependency_overrides[cockpit_of] = lambda: SimpleNamespace(workspace=workspace)

    def user(request: Request) -> User:
        return User("usr_x", "Somebody", "x@demo-bank.example", request.headers.get("role", "admin"))

    app.dependency_overrides[signed_in] = user

    @app.exception_handler(SmartReachError)
    async def shown(request: Request, error: SmartReachError) -> JSONResponse:
        return JSONResponse({"code": error.code}, status_code=error.status)

    return TestClient(app)


def test_an_administrator_exports_and_erases(client: TestClient) -> None:
    found = client.get("/api/customers/cus_000001/export")
    assert found.status_code == 200
    assert found.headers["content-disposition"] == 'attachment; filename="export.json"'
    assert found.json()["rooms"]["catalog"]["customers"][0]["id"] == "cus_000001"
    receipt = client.post("/api/customers/cus_000001/forget", json={"confirm": "cus_000001"}).json()
    assert (receipt["complete"], receipt["deleted"]) == (True, {"customers": 1})
    assert client.get("/api/customers/cus_000001/export").status_code == 404
    assert client.get("/api/customers/cus_000002/export").status_code == 200


@pytest.mark.parametrize("role", ["marketer", "manager", "evaluator"])
def test_nobody_else_may(client: TestClient, role: str) -> None:
    headers = {"role": role}
    assert client.get("/api/customers/cus_000001/export", headers=headers).status_code == 403
    asked = client.post("/api/customers/cus_000001/forget", json={"confirm": "cus_000001"}, headers=headers)
    assert asked.status_code == 403
    assert client.get("/api/customers/cus_000001/export").status_code == 200


@pytest.mark.parametrize("body", [{}, {"confirm": "cus_000002"}, {"confirm": ""}, {"confirm": "x", "y": 1}])
def test_the_id_has_to_be_said_twice(client: TestClient, body: dict[str, object]) -> None:
    assert client.post("/api/customers/cus_000001/forget", json=body).status_code == 422
    assert client.get("/api/customers/cus_000001/export").status_code == 200
