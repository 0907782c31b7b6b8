"""The ledger chain: appends in the caller's transaction, and every kind of damage is found and located."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from smart_reach.engine.governance.anchors import Anchor, anchor_day, check_anchor, verify_with_anchors
from smart_reach.engine.governance.ledger import Ledger, entries_of, verify
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace


def fill(workspace: Workspace, count: int) -> None:
    ledger = Ledger(workspace.clock)
    with transaction(workspace.db) as session:
        for number in range(count):
            ledger(session, kind="test", subject=f"s{number % 2}", actor="usr_ana", payload={"n": number})


def test_a_fresh_chain_is_whole(workspace: Workspace) -> None:
    with Session(workspace.db) as session:
        report = verify(session)
    assert (report.whole, report.entries) == (True, 0)


def test_entries_read_back_by_subject(workspace: Workspace) -> None:
    fill(workspace, 5)
    with Session(workspace.db) as session:
        assert verify(session).entries == 5
        assert [entry.payload["n"] for entry in entries_of(session, "s1")] == [1, 3]


def test_numbers_that_json_columns_rewrite_still_verify(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        Ledger(workspace.clock)(
            session, kind="t", subject="s", actor="a", payload={"big": 1e20, "zero": -0.0, "one": 1.0}
        )
    with Session(workspace.db) as session:
        assert verify(session).whole


def test_an_entry_goes_with_its_transaction(workspace: Workspace) -> None:
    with Session(workspace.db) as session:
        Ledger(workspace.clock)(session, kind="t", subject="s", actor="a", payload={})
        session.rollback()
    fill(workspace, 1)
    with Session(workspace.db) as session:
        report = verify(session)
    assert (report.whole, report.entries) == (True, 1)


@pytest.mark.parametrize(
    ("damage", "broken_at"),
    [
        ("UPDATE ledger SET body = replace(body, '2', '9') WHERE seq = 3", 3),
        ("UPDATE ledger SET actor = 'usr_eve' WHERE seq = 1", 1),
        ("UPDATE ledger SET at = at + interval '1 second' WHERE seq = 6", 6),
        ("DELETE FROM ledger WHERE seq = 4", 4),
        ("DELETE FROM ledger WHERE seq = 1", 1),
        ("DELETE FROM ledger WHERE seq >= 5", 5),
        ("DELETE FROM ledger", 1),
        ("UPDATE ledger SET seq = 1000 - seq WHERE seq IN (2, 3); UPDATE ledger SET seq = 2 WHERE seq = 997;"
         "UPDATE ledger SET seq = 3 WHERE seq = 998", 2),
        ("DELETE FROM ledger WHERE seq = 3; UPDATE ledger SET seq = seq - 1 WHERE seq = 4;"
         "UPDATE ledger SET seq = seq - 1 WHERE seq = 5", 3),
        ("UPDATE ledger_head SET hash = repeat('a', 64)", 6),
        ("UPDATE ledger_head SET seq = 5, hash = (SELECT hash FROM ledger WHERE seq = 5)", 6),
    ],
)  # fmt: skip
def test_damage_is_found_where_it_is(workspace: Workspace, damage: str, broken_at: int) -> None:
    fill(workspace, 6)
    with workspace.db.begin() as connection:
        for statement in damage.split(";"):
            connection.execute(text(statement))
    with Session(workspace.db) as session:
        report = verify(session)
    assert not report.whole
    assert report.broken_at == broken_at
    assert report.reason


def test_concurrent_appends_make_one_chain(workspace: Workspace) -> None:
    threads = [threading.Thread(target=fill, args=(workspace, 5)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(workspace.db) as session:
        report = verify(session)
    assert (report.whole, report.entries) == (True, 30)


def test_an_anchor_proves_a_rewritten_past(workspace: Workspace) -> None:
    key = b"kept elsewhere"
    fill(workspace, 3)
    with transaction(workspace.db) as session:
        anchor = anchor_day(session, date(2026, 11, 20), key)
    fill(workspace, 3)
    with transaction(workspace.db) as session:
        assert anchor_day(session, date(2026, 11, 20), key) == anchor
        assert check_anchor(session, anchor, key) is None
        assert "not signed" in str(check_anchor(session, anchor, b"another key"))
        assert "not signed" in str(check_anchor(session, Anchor(anchor.day, 2, anchor.hash, "00"), key))
        session.execute(text("DELETE FROM ledger"))
        session.execute(text("UPDATE ledger_head SET seq = 0, hash = repeat('0', 64)"))
        session.expire_all()
        Ledger(workspace.clock)(session, kind="forged", subject="s", actor="a", payload={})
        assert verify(session).whole  # a complete rewrite looks whole …
        assert check_anchor(session, anchor, key)  # … and the anchor tells


@pytest.mark.parametrize(
    "attack",
    [
        ("DELETE FROM ledger", "DELETE FROM ledger_head"),
        (
            "DELETE FROM ledger WHERE seq > 2",
            "UPDATE ledger_head SET seq = 2, hash = (SELECT hash FROM ledger WHERE seq = 2)",
        ),
    ],
    ids=["emptied", "cut with its head corrected"],
)
def test_a_chain_that_was_cut_cleanly_fails_at_its_anchor(
    workspace: Workspace, attack: tuple[str, ...]
) -> None:
    fill(workspace, 4)
    with transaction(workspace.db) as session:
        anchor_day(session, date(2026, 11, 20), b"key")
        assert verify_with_anchors(session, b"key").whole
    with transaction(workspace.db) as session:
        for statement in attack:
            session.execute(text(statement))
    with Session(workspace.db) as session:
        assert verify(session).whole  # the chain alone cannot tell …
        report = verify_with_anchors(session, b"key")
    assert not report.whole
    assert report.broken_at == 4
