"""`POST /api/events` and dead letters through an application over a real workspace."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from smart_reach.api.app import show_away, show_error, show_invalid
from smart_reach.api.ingesting import build_ingester
from smart_reach.api.routers import events
from smart_reach.api.sessions import COOKIE
from smart_reach.engine.catalog.erasures import mark
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.events.sources.inbox import InboxSource
from smart_reach.engine.events.tables import DeadLetter, InboxRow
from smart_reach.engine.governance.roles import Actor
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

TOKEN = "t0ken-of-the-test"
LINES = {"content-type": "application/x-ndjson"}


@pytest.fixture
def client(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client that sends the ingest token; cookies name a role."""
    monkeypatch.setenv("SMART_REACH_INGEST_TOKEN", TOKEN)
    app = FastAPI()
    app.include_router(events.router, prefix="/api")
    app.add_exception_handler(SmartReachError, show_error)
    app.add_exception_handler(RequestValidationError, show_invalid)
    app.add_exception_handler(OperationalError, show_away)
    app.state.cockpit = SimpleNamespace(workspace=workspace)
    app.state.sessions = SimpleNamespace(read=lambda role: Actor("usr_1", "Ana", role) if role else None)
    with TestClient(app, headers={"authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def record(name: str, **changes: Any) -> dict[str, Any]:
    base = {"type": "transaction", "event_id": name, "occurred_at": "2026-11-20T11:00:00Z"}
    known = {"customer_key": {"kind": "crm_id", "value": "C-1"}, "amount_minor": 100, "currency": "EUR"}
    return {**base, **known, **changes}


def ndjson(*records: Any) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in records)


def ingest(workspace: Workspace) -> list[str]:
    """Everything in the inbox into the lake; the ids that are there then."""
    ingester = build_ingester(workspace, InboxSource(workspace.db, workspace.clock), bulk=True)
    while ingester.step(timeout_s=0).records:
        pass
    ingester.close()
    if workspace.lake.snapshot_id("events") is None:
        return []
    with workspace.lake.connect(tables=("events",)) as connection:
        return [row[0] for row in connection.execute("SELECT event_id FROM events ORDER BY 1").fetchall()]


def test_one_record_an_array_and_lines_arrive_once(client: TestClient, workspace: Workspace) -> None:
    assert client.post("/api/events", json=record("a")).json() == {
        "accepted": 1, "refused": 0, "batch": 1, "errors": []
    }  # fmt: skip
    pretty = json.dumps([record("b"), record("c")], indent=2)
    assert client.post("/api/events", content=pretty).status_code == 202
    packed = gzip.compress(ndjson(record("d"))) + gzip.compress(b"\n" + ndjson(record("e"), record("a")))
    sent = client.post("/api/events", content=packed, headers={**LINES, "content-encoding": "gzip"})
    assert sent.json()["accepted"] == 3
    assert ingest(workspace) == ["a", "b", "c", "d", "e"]
    assert ingest(workspace) == ["a", "b", "c", "d", "e"]
    with Session(workspace.db) as session:
        assert session.scalars(select(func.length(InboxRow.body))).all() == [0, 0, 0]


def test_bad_lines_are_told_and_kept_and_the_good_ones_go_on(
    client: TestClient, workspace: Workspace
) -> None:
    body = ndjson(record("a"), b"{broken", record("c", amount_minor="five"), b'{"x": "\xff"}', record("e"))
    answer = client.post("/api/events", content=body, headers=LINES)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["accepted"], told["refused"]) == (2, 3)
    assert [one["line"] for one in told["errors"]] == [2, 3, 4]
    assert told["errors"][1]["field"] == "amount_minor"
    assert all(one["reason"] and one["remedy"] for one in told["errors"])
    assert ingest(workspace) == ["a", "e"]
    with Session(workspace.db) as session:
        letters = session.scalars(select(DeadLetter).order_by(DeadLetter.id)).all()
    assert [letter.raw for letter in letters] == [b"{broken", body.split(b"\n")[2], b'{"x": "\xff"}']


def test_nothing_good_is_422_with_the_same_body(client: TestClient, workspace: Workspace) -> None:
    answer = client.post("/api/events", json={"type": "telescope"})
    assert answer.status_code == 422
    assert answer.json()["accepted"] == 0
    assert "transaction" in answer.json()["errors"][0]["remedy"]
    assert ingest(workspace) == []


def test_a_key_gives_the_first_answer_again(client: TestClient, workspace: Workspace) -> None:
    key = {"idempotency-key": "k-1"}
    first = client.post("/api/events", json=record("a"), headers=key)
    again = client.post("/api/events", json=record("a"), headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    assert client.post("/api/events", json=record("b"), headers=key).status_code == 409
    none = {"idempotency-key": "k-2"}
    refused = client.post("/api/events", json={"type": "x"}, headers=none)
    assert client.post("/api/events", json={"type": "x"}, headers=none).json() == refused.json()
    assert client.post("/api/events", json=record("c"), headers={"idempotency-key": " "}).status_code == 422
    assert ingest(workspace) == ["a"]


def test_a_person_who_was_erased_is_dropped_at_the_door(client: TestClient, workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        mark(session, ["cus_gone"], workspace.clock.now())
    gone, other = record("g1", customer_id="cus_gone"), record("g2", customer_id="cus_other")
    for one in (gone, other):
        del one["customer_key"]
    wrong = {**gone, "event_id": "g3", "amount_minor": "x"}
    answer = client.post("/api/events", content=ndjson(gone, other, wrong), headers=LINES).json()
    assert (answer["accepted"], answer["refused"]) == (2, 1)  # whom it was about is told to nobody
    with Session(workspace.db) as session:
        assert [b"cus_gone" in body for body in session.scalars(select(InboxRow.body))] == [False]
        assert session.scalar(select(func.count()).select_from(DeadLetter)) == 0
    assert ingest(workspace) == ["g2"]


def test_many_refused_records_keep_nobody_waiting(client: TestClient, workspace: Workspace) -> None:
    """Each letter once cost a statement's worth of compiling, in the lock that every request needs."""
    statements: list[str] = []
    listen(workspace.db, "before_cursor_execute", lambda c, k, text, *more: statements.append(text))
    answer = client.post("/api/events", content=b"{}\n" * 3000, headers=LINES)
    assert (answer.status_code, answer.json()["refused"]) == (422, 3000)
    letters = [place for place, text in enumerate(statements) if "INSERT INTO dead_letters" in text]
    locks = [place for place, text in enumerate(statements) if "pg_advisory_xact_lock(" in text]
    assert len(letters) == 1
    assert letters[0] < locks[-1]
    assert len(statements[letters[0]]) < 5_000


def test_an_array_of_countless_elements_is_refused_before_it_takes_memory(client: TestClient) -> None:
    body = gzip.compress(b"[" + b"0," * 8_000_000 + b"0]")
    tracemalloc.start()
    answer = client.post("/api/events", content=body, headers={"content-encoding": "gzip"})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 413
    assert most < 100 << 20


def test_a_database_that_is_away_is_said_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr("smart_reach.api.routers.events.Inbox.accept", away)
    answer = client.post("/api/events", content=ndjson(record("a")), headers=LINES)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")


def test_the_same_key_at_once_is_taken_once(client: TestClient, workspace: Workspace) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda _: client.post("/api/events", json=record("a"), headers={"idempotency-key": "k"}).json(),
            range(8),
        ))  # fmt: skip
    assert all(answer == answers[0] for answer in answers)
    with Session(workspace.db) as session:
        assert session.scalar(select(func.count()).select_from(InboxRow)) == 1


@pytest.mark.parametrize(
    ("content", "headers", "status", "said"),
    [
        (gzip.compress(b"{}" * 500)[:-9], {"content-encoding": "gzip"}, 400, "1000 bytes of it"),
        (b"not gzip", {"content-encoding": "gzip"}, 400, "0 bytes"),
        (b"", {"content-encoding": "gzip"}, 400, "cut off"),
        (gzip.compress(b" " * (65 << 20)), {"content-encoding": "gzip"}, 413, "64 MB"),
        (b"x" * ((16 << 20) + 1), {}, 413, "16 MB"),
        (b"{}", {"content-encoding": "br"}, 415, "gzip"),
        (b"<a/>", {"content-type": "text/xml"}, 415, "application/x-ndjson"),
        (b"[{]", {}, 400, "ndjson"),
        (b"[" * 100_000, {}, 400, "array"),
        (b"[]", {}, 422, "at least one"),
        (b"  ", {}, 422, "at least one"),
        (b"{}\n" * 100_001, LINES, 413, "100,000"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(
    client: TestClient, workspace: Workspace, content: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = client.post("/api/events", content=content, headers=headers)
    assert answer.status_code == status
    assert said in answer.text
    with Session(workspace.db) as session:
        assert session.scalar(select(func.count()).select_from(InboxRow)) == 0


def test_a_line_that_is_too_long_is_refused_as_a_line(client: TestClient, workspace: Workspace) -> None:
    long = record("b", product="x" * (2 << 20))
    answer = client.post("/api/events", content=ndjson(record("a"), long), headers=LINES).json()
    assert (answer["accepted"], answer["refused"]) == (1, 1)
    with Session(workspace.db) as session:
        letter = session.scalars(select(DeadLetter)).one()
        assert letter.size > 2 << 20
        assert len(letter.raw) == 64 << 10


@pytest.mark.parametrize(
    ("token", "role", "status"),
    [
        (None, None, 401),
        ("wrong", None, 401),
        ("wrong", "admin", 401),
        (None, "admin", 202),
        (None, "manager", 202),
        (None, "marketer", 403),
        (TOKEN, None, 202),
    ],
)
def test_who_may_send(client: TestClient, token: str | None, role: str | None, status: int) -> None:
    del client.headers["authorization"]
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if role:
        client.cookies.set(COOKIE, role)
    assert client.post("/api/events", json=record("a"), headers=headers).status_code == status


def test_without_a_token_on_the_server_none_is_right(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMART_REACH_INGEST_TOKEN")
    for given in ("Bearer ", f"Bearer {TOKEN}"):
        assert (
            client.post("/api/events", json=record("a"), headers={"authorization": given}).status_code == 401
        )


def test_letters_are_listed_corrected_retried_and_discarded(client: TestClient, workspace: Workspace) -> None:
    body = ndjson(
        record("a", currency="euro"), b"{broken", record("c", currency="€"), record("d", amount_minor=None)
    )
    client.post("/api/events", content=body, headers=LINES)
    client.cookies.set(COOKIE, "manager")
    page = client.get("/api/dead-letters").json()
    assert page["total"] == 4
    ids = {
        json.loads(one["raw"])["event_id"] if one["raw"] != "{broken" else "broken": one["id"]
        for one in page["items"]
    }
    same = client.post("/api/dead-letters/retry", json={"ids": [ids["a"]]}).json()
    assert (same["retried"], same["refused"]) == (0, 1)
    assert same["errors"][0]["field"] == "currency"
    edits = {str(ids["a"]): {"currency": "EUR"}, str(ids["broken"]): record("b")}
    assert client.post("/api/dead-letters/retry", json={"edits": edits}).json()["retried"] == 2
    assert ingest(workspace) == ["a", "b"]
    assert client.post("/api/dead-letters/retry", json={"ids": [ids["a"]]}).status_code == 404
    assert client.post("/api/dead-letters/discard", json={"ids": [ids["c"]]}).json() == {"discarded": 1}
    assert client.get(f"/api/dead-letters/{ids['c']}").json()["raw"] == ""
    assert client.post("/api/dead-letters/retry", json={"all": True}).json() == {
        "retried": 0, "refused": 1,
        "errors": client.post("/api/dead-letters/retry", json={"all": True}).json()["errors"],
    }  # fmt: skip
    assert {one["attempts"] for one in client.get("/api/dead-letters").json()["items"]} == {2}
    assert client.get("/api/dead-letters?status=retried").json()["total"] == 2
    assert client.get("/api/dead-letters?status=no").status_code == 422
    assert client.post("/api/dead-letters/discard", json={}).status_code == 422
    client.cookies.set(COOKIE, "marketer")
    assert client.get("/api/dead-letters").status_code == 403


def test_requests_at_once_all_arrive_in_one_order(
    client: TestClient, workspace: Workspace, open_workspace: Callable[..., Workspace]
) -> None:
    """Readers that run while writers write never pass over a position."""
    source = InboxSource(workspace.db, workspace.clock)
    source.open(dict)
    seen: list[bytes] = []

    def drain() -> None:
        while (batch := source.poll(3, 0)) is not None:
            seen.extend(batch.lines)

    with ThreadPoolExecutor(6) as pool:
        sent = [pool.submit(client.post, "/api/events", json=record(f"e{n}")) for n in range(60)]
        while not all(one.done() for one in sent):
            drain()
    drain()
    assert {one.result().status_code for one in sent} == {202}
    assert sorted(json.loads(line)["event_id"] for line in seen) == sorted(f"e{n}" for n in range(60))
