"""The API as a client sees it: contracts, errors, roles."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.serving import Server


def test_health_needs_no_session(server: Server) -> None:
    assert httpx.get(f"{server.url}/api/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/session"),
        ("GET", "/api/overview"),
        ("GET", "/api/overview.csv"),
        ("GET", "/api/overview/people?tile=ctr"),
        ("GET", "/api/stream"),
        ("GET", "/api/proposals"),
        ("GET", "/api/proposals/PRP-0001"),
        ("GET", "/api/proposals/PRP-0001/messages"),
        ("GET", "/api/starters"),
        ("GET", "/api/threads"),
        ("POST", "/api/threads"),
        ("POST", "/api/decisions"),
        ("POST", "/api/content"),
        ("POST", "/api/demo/advance"),
        ("GET", "/api/demo/clock"),
        ("GET", "/api/ledger/verify"),
    ],
)
def test_everything_else_needs_a_session(server: Server, method: str, path: str) -> None:
    answer = httpx.request(method, server.url + path, json={} if method == "POST" else None)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


@pytest.mark.parametrize("password", ["wrong", "", "demo-maya-2026 "])
def test_a_wrong_password_says_no_more_than_that(server: Server, password: str) -> None:
    answer = httpx.post(
        f"{server.url}/api/session", json={"email": "maya@demo-bank.example", "password": password}
    )
    unknown = httpx.post(f"{server.url}/api/session", json={"email": "nobody@x.example", "password": "x"})
    assert answer.status_code in (401, 403)
    assert answer.json()["error"]["message"] == unknown.json()["error"]["message"]


def test_a_forged_cookie_is_no_session(server: Server) -> None:
    answer = httpx.get(f"{server.url}/api/session", cookies={"smart_reach_session": "eyJ1c2VyX2lkIjoxfQ.x.y"})
    assert answer.status_code == 401


def test_writes_from_another_site_are_refused(server: Server) -> None:
    with server.client("ana") as client:
        answer = client.post("/api/threads", json={}, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403


def test_overview_has_every_part(server: Server) -> None:
    with server.client("maya") as client:
        shown = client.get("/api/overview", params={"days": 30}).json()
        assert {"tiles", "funnel", "cohorts", "heatmap", "daily", "anomalies", "period"} <= shown.keys()
        assert len(shown["tiles"]) >= 8
        for tile in shown["tiles"]:
            assert tile["definition"]
            assert tile["sql"]
        csv = client.get("/api/overview.csv").text
        assert csv.startswith("metric,")
        people = client.get("/api/overview/people", params={"tile": "ctr"}).json()
        assert all(item["id"].startswith("cus_") for item in people["items"])


def test_a_bad_filter_names_itself(server: Server) -> None:
    with server.client("maya") as client:
        answer = client.get("/api/overview", params={"days": 0})
        assert answer.status_code == 422
        assert "days" in answer.json()["error"]["message"]
        assert client.get("/api/overview", params={"offer": "no-such"}).status_code in (404, 422)


def test_a_decision_is_recorded_and_replays(server: Server) -> None:
    with server.client("maya") as client:
        decision = client.post("/api/decisions", json={"customer_id": "cus_000123"}).json()
        assert decision["reason"]
        assert decision["funnel"]
        stored = client.get(f"/api/decisions/{decision['decision_id']}").json()
        assert stored["propensity"] == decision["propensity"]
        assert client.get(f"/api/decisions/{decision['decision_id']}/replay").json()["same"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"customer_id": "cus_000123", "segment": "all"},
        {"customer_id": "nobody"},
        {"segment": "no-such-segment"},
        {"customer_id": "cus_000123", "offer": "no-such-offer"},
        {"customer_id": "cus_000123", "channel": "fax"},
        {"segment": "all", "limit": 0},
    ],
)
def test_a_bad_decision_request_says_what_to_do(server: Server, body: dict[str, object]) -> None:
    with server.client("maya") as client:
        answer = client.post("/api/decisions", json=body)
        assert answer.status_code in (404, 422)
        assert answer.json()["error"]["message"]


def test_content_comes_with_verdicts_and_sources(server: Server) -> None:
    with server.client("maya") as client:
        found = client.post("/api/content", json={"offer": "rewards-card", "channel": "push", "n": 2}).json()
        assert len(found["variants"]) == 2
        assert all(variant["verdict"]["passed"] for variant in found["variants"])
        assert found["passages"]
        assert client.post("/api/content", json={"offer": "x", "channel": "push"}).status_code in (404, 422)


def test_unknown_paths_of_the_api_are_json(server: Server) -> None:
    answer = httpx.get(f"{server.url}/api/no-such-thing")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_docs_and_openapi_are_served_from_here(server: Server) -> None:
    assert "/api/decisions" in httpx.get(f"{server.url}/api/openapi.json").json()["paths"]
    assert "<script" not in httpx.get(f"{server.url}/api/docs").text


def test_signing_out_ends_the_session_itself(server: Server) -> None:
    with server.client("eve") as client:
        kept = client.cookies["smart_reach_session"]
        time.sleep(1.1)  # a cookie's time has whole seconds
        assert client.delete("/api/session").status_code == 204
    again = httpx.get(f"{server.url}/api/session", cookies={"smart_reach_session": kept})
    assert again.status_code == 401


@pytest.mark.parametrize("path", ["/api/proposals/%00", "/api/decisions/%00", "/%00", "/assets/%00"])
def test_a_nul_in_a_path_is_not_found(server: Server, path: str) -> None:
    with server.client("ana") as client:
        answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("text", ["   ", "a\x00b", "", "x" * 4001])
def test_a_turn_that_says_nothing_is_refused_before_it_starts(server: Server, text: str) -> None:
    with server.client("maya") as client:
        thread = client.post("/api/threads", json={}).json()["id"]
        answer = client.post(f"/api/threads/{thread}/messages", json={"text": text})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_input"


def test_a_nul_in_a_value_is_the_callers_mistake(server: Server) -> None:
    with server.client("maya") as client:
        answer = client.post("/api/decisions", json={"customer_id": "cus\x00"})
    assert answer.status_code in (404, 422)
    assert answer.json()["error"]["message"]


def test_a_request_that_is_too_large_is_refused(server: Server) -> None:
    answer = httpx.post(f"{server.url}/api/session", content=b"x" * 1_100_000)
    assert answer.status_code == 413


def test_many_decisions_at_once_all_answer(server: Server) -> None:
    with server.client("maya") as client, ThreadPoolExecutor(50) as pool:
        bodies = [{"customer_id": f"cus_{number:06d}"} for number in range(1, 51)]
        answers = list(pool.map(lambda body: client.post("/api/decisions", json=body).status_code, bodies))
    assert answers == [200] * 50


def test_a_name_that_somebody_pointed_here_is_not_answered(server: Server) -> None:
    answer = httpx.get(f"{server.url}/api/demo/users", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "password" not in answer.text
