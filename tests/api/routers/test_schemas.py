"""GET /api/schemas: what a sender can rely on. The application is only this router, signed in."""

from __future__ import annotations

import jsonschema
from fastapi import FastAPI
from fastapi.testclient import TestClient

from smart_reach.api.app import show_error
from smart_reach.api.routers.schemas import router
from smart_reach.api.sessions import signed_in
from smart_reach.engine.errors import SmartReachError


def client() -> TestClient:
    app = FastAPI()
    app.include_router(router, prefix="/api")
    app.add_exception_handler(SmartReachError, show_error)
    app.dependency_overrides[signed_in] = lambda: None
    return TestClient(app)


def test_every_contract_is_listed_with_an_example_that_its_schema_accepts() -> None:
    with client() as asked:
        items = asked.get("/api/schemas").json()["items"]
        assert {item["name"] for item in items} >= {"customer", "consent", "transaction", "outcome"}
        for item in items:
            answer = asked.get(f"/api/schemas/{item['name']}")
            assert answer.headers["content-type"] == "application/schema+json"
            schema = answer.json()
            jsonschema.Draft202012Validator.check_schema(schema)
            jsonschema.Draft202012Validator(schema).validate(item["example"])
            assert {field["name"] for field in item["fields"]} == set(schema["properties"]) - {
                "type",
                "version",
            }
            personal = {name for name, one in schema["properties"].items() if one.get("x-personal")}
            assert personal == {field["name"] for field in item["fields"] if field["personal"]}


def test_an_unknown_contract_is_not_found_and_told_so() -> None:
    with client() as asked:
        answer = asked.get("/api/schemas/payment")
    assert answer.status_code == 404
    assert "transaction" in answer.text
