"""What the ledger says about people is sealed; the chain proves it with and without the keys."""

from __future__ import annotations

import json

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import mark
from smart_reach.engine.errors import Conflict, Integrity
from smart_reach.engine.governance.anchors import verify_with_anchors
from smart_reach.engine.governance.ledger import Ledger, entries_of, recorded_hash, verify
from smart_reach.engine.governance.person_keys import destroy_keys, keys_for, known_keys, seal, unseal
from smart_reach.engine.governance.tables import LedgerEntry, SealedPart
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

KEY = b"kept elsewhere, of some length"
DECIDED = {"content_hash": "c" * 64, "customer_id": "cus_1a", "action": {"channel": "push"}}
SENT = {"payload_hash": "p" * 64, "people": {"cus_1a": {"message": 1}, "cus_2b": {"message": 2}}}


@pytest.fixture
def ledger(workspace: Workspace) -> Ledger:
    made = Ledger(workspace.clock)
    with transaction(workspace.db) as session:
        made(session, kind="decision", subject="DEC-1", actor="a", payload=DECIDED)
        made(session, kind="sent", subject="CMP-1", actor="a", payload=SENT)
        made(session, kind="plain", subject="x", actor="a", payload={"n": 1, "who": "cus_1a"})
    return made


def test_bodies_name_nobody_and_read_back_whole(workspace: Workspace, ledger: Ledger) -> None:
    with Session(workspace.db) as session:
        bodies = session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.seq)).all()
        assert not any("cus_" in body or "push" in body for body in bodies[:2])
        assert json.loads(bodies[0])["content_hash"] == "c" * 64
        assert entries_of(session, "DEC-1")[0].payload == DECIDED
        assert entries_of(session, "CMP-1")[0].payload == SENT
        assert recorded_hash(session, "DEC-1") == "c" * 64
        assert verify(session).whole


def test_without_the_key_the_chain_is_whole_and_silent(workspace: Workspace, ledger: Ledger) -> None:
    with transaction(workspace.db) as session:
        assert len(destroy_keys(session, ["cus_1a", "cus_9z"])) == 1
    with Session(workspace.db) as session:
        assert verify(session).whole
        assert entries_of(session, "DEC-1")[0].payload == {"content_hash": "c" * 64, "erased": 1}
        left = {"payload_hash": "p" * 64, "people": {"cus_2b": {"message": 2}}, "erased": 1}
        assert entries_of(session, "CMP-1")[0].payload == left


DAMAGED_PARTS = (
    "UPDATE sealed_parts SET ciphertext = ciphertext || '\\x00' WHERE entry = 2",
    "DELETE FROM sealed_parts WHERE entry = 2",
    "UPDATE sealed_parts SET person = 'somebody' WHERE entry = 2 AND person = "
    "(SELECT min(person) FROM sealed_parts WHERE entry = 2)",
    "UPDATE sealed_parts SET entry = 3 WHERE entry = 2",
)


def test_a_sealed_part_cannot_be_changed_unseen(workspace: Workspace, ledger: Ledger) -> None:
    for damage in DAMAGED_PARTS:
        with Session(workspace.db) as session:  # never committed
            session.execute(text(damage))
            report = verify(session)
        assert (report.whole, report.broken_at) == (False, 2), damage
        assert "sealed parts" in str(report.reason)


def test_a_changed_part_is_not_opened(workspace: Workspace, ledger: Ledger) -> None:
    with transaction(workspace.db) as session:
        part = session.scalars(select(SealedPart).where(SealedPart.entry == 1)).one()
        part.ciphertext = part.ciphertext[:-1] + bytes([part.ciphertext[-1] ^ 1])
    with Session(workspace.db) as session, pytest.raises(Integrity, match="entry 1"):
        entries_of(session, "DEC-1")


def test_a_part_opens_only_in_its_entry_and_with_its_key(workspace: Workspace) -> None:
    with transaction(workspace.db) as session:
        keys = keys_for(session, ["cus_1a", "cus_2b"], workspace.clock.now())
        assert keys_for(session, ["cus_1a"], workspace.clock.now()) == known_keys(session, ["cus_1a"])
    part = seal(keys["cus_1a"], 7, {"a": 1})
    assert unseal(keys["cus_1a"], 7, part) == {"a": 1}
    for key, entry in ((keys["cus_1a"], 8), (keys["cus_2b"], 7)):
        with pytest.raises(InvalidTag):
            unseal(key, entry, part)
    assert "secret" not in repr(keys["cus_1a"])


def test_nothing_is_sealed_about_the_erased(workspace: Workspace, ledger: Ledger) -> None:
    with transaction(workspace.db) as session:
        mark(session, ["cus_1a"], workspace.clock.now())
        destroy_keys(session, ["cus_1a"])
    with pytest.raises(Conflict, match="erased"), transaction(workspace.db) as session:
        ledger(session, kind="decision", subject="DEC-2", actor="a", payload=DECIDED)
    with Session(workspace.db) as session:
        assert known_keys(session, ["cus_1a"]) == {}
        assert verify(session).entries == 3


def redact(workspace: Workspace, ledger: Ledger) -> list[int]:
    with transaction(workspace.db) as session:
        return ledger.redact(
            session, ["cus_1a"], lambda one: one.replace("cus_1a", "erased"), key=KEY, actor="usr_ada"
        )


def test_an_entry_from_before_is_redacted_and_the_chain_says_so(workspace: Workspace, ledger: Ledger) -> None:
    assert redact(workspace, ledger) == [3]
    assert redact(workspace, ledger) == []
    with Session(workspace.db) as session:
        report = verify_with_anchors(session, KEY)
        assert (report.whole, report.entries, report.redacted) == (True, 4, 1)
        assert entries_of(session, "x")[0].payload == {"n": 1, "who": "erased"}


DAMAGED_REDACTIONS = (
    ("UPDATE ledger SET body = replace(body, '1', '2') WHERE seq = 3", 3),
    ("UPDATE ledger SET actor = 'usr_eve' WHERE seq = 3", 3),
    ("UPDATE ledger SET body = replace(body, 'erasure', 'nothing') WHERE seq = 4", 4),
    ("UPDATE ledger SET body = 'broken' WHERE seq = 4", 3),
    ("DELETE FROM ledger WHERE seq = 4", 3),
    ("UPDATE ledger SET hash = repeat('a', 64) WHERE seq = 3", 4),
)


def test_a_redaction_hides_no_other_change(workspace: Workspace, ledger: Ledger) -> None:
    redact(workspace, ledger)
    for damage, broken_at in DAMAGED_REDACTIONS:
        with Session(workspace.db) as session:  # never committed
            session.execute(text(damage))
            report = verify(session)
        assert (report.whole, report.broken_at) == (False, broken_at), damage


def test_whoever_holds_only_the_database_cannot_redact(workspace: Workspace, ledger: Ledger) -> None:
    with transaction(workspace.db) as session:
        ledger.redact(session, ["cus_1a"], lambda one: one.replace("1", "2"), key=b"forged", actor="usr_eve")
    with Session(workspace.db) as session:
        assert verify(session).whole  # the chain alone cannot tell …
        report = verify_with_anchors(session, KEY)
    assert (report.whole, report.broken_at) == (False, 4)
    assert "not signed" in str(report.reason)
