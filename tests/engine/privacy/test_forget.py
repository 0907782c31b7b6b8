"""An erased person is nowhere any more, the ledger still proves everything, everybody else is as before."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import erased, is_token, person_hash, token, without_erased
from smart_reach.engine.catalog.tables import Campaign, Customer, IdentityKey
from smart_reach.engine.decisioning.tables import SegmentDecisionRow
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.errors import Conflict, InvalidInput, NotFound
from smart_reach.engine.governance.anchors import verify_with_anchors
from smart_reach.engine.governance.ledger import entries_of, verify
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.privacy import forget as forgetting
from smart_reach.engine.privacy.doors import doors_of
from smart_reach.engine.privacy.forget import finish_open, forget
from smart_reach.engine.privacy.tables import Erasure
from smart_reach.engine.state.base import transaction
from tests.engine.privacy.conftest import ALIAS, OTHER, VICTIM, events


def ledger_is_whole(ws):
    with Session(ws.db) as session:
        report = verify_with_anchors(session, ws.settings.secret_key().encode())
    assert report.whole, report.reason
    return report


def nowhere(ws, grep):
    for name in (VICTIM, ALIAS):
        assert grep(ws, name) == ({}, [])


def test_nothing_is_left_of_an_erased_person(held, grep):
    before, files = grep(held.ws, VICTIM)
    # the search itself sees: the person stood nearly everywhere
    assert len(before) >= 25
    assert len(files) >= 7
    receipt = forget(held.ws, VICTIM, actor="usr_ada")
    nowhere(held.ws, grep)
    assert receipt.complete
    assert receipt.lake == {"events": 3, "customers": 1, "features": 1}
    assert receipt.deleted["consents"] == 5
    assert receipt.rewritten["decisions"] == 2
    assert receipt.ledger["sealed_parts"] == 2
    assert VICTIM not in json.dumps(receipt.as_json())


def test_the_ledger_stays_whole_and_says_what_happened(held):
    receipt = forget(held.ws, VICTIM, actor="usr_ada")
    report = ledger_is_whole(held.ws)
    assert report.redacted == receipt.ledger["redacted"] == 3
    with Session(held.ws.db) as session:
        entry = entries_of(session, receipt.receipt_id)[0]
        assert (entry.kind, entry.actor, entry.seq) == ("customer.erased", "usr_ada", receipt.ledger["entry"])
        decided = entries_of(session, held.mine[0])[0].payload
        assert decided["erased"] == 1
        assert set(decided) == {"content_hash", "erased"}
        approval = entries_of(session, held.proposal)[1].payload
        assert approval["reason"] == f"also fits {token(VICTIM)}"


def test_decisions_of_the_person_say_so_and_those_of_others_replay(held):
    theirs = {one: held.decisions.get(one).as_json() for one in held.theirs}
    forget(held.ws, VICTIM, actor="usr_ada")
    for one in held.mine:
        replay = held.decisions.replay(one)
        assert (replay.same, replay.erased_on) == (False, "2026-11-20")
        assert "erased on 2026-11-20" in replay.differences[0]
        with pytest.raises(NotFound, match="erased on 2026-11-20"):
            held.decisions.get(one)
    for one in held.theirs:
        assert held.decisions.replay(one).same
        assert held.decisions.get(one).as_json() == theirs[one]
    with pytest.raises(NotFound):
        held.decisions.decide(VICTIM)


def test_other_people_keep_every_row(held, grep):
    before, _ = grep(held.ws, OTHER)
    forget(held.ws, VICTIM, actor="usr_ada")
    after, _ = grep(held.ws, OTHER)
    # an open question whether two people are one goes with one of them
    assert after == {table: rows for table, rows in before.items() if table != "identity_conflicts"}
    with contextlib.closing(held.ws.lake.connect()) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (2,)
        assert connection.execute("SELECT customer_id FROM features").fetchall() == [(OTHER,)]
    assert (held.ws.root / "exports" / "list.csv").read_text() == f"id\n{token(VICTIM)}\n{OTHER}\n"


def test_an_approved_campaign_goes_on_for_the_others(held):
    forget(held.ws, VICTIM, actor="usr_ada")
    with Session(held.ws.db) as session:
        found = approved_payload(session, held.proposal)
        assert found.intact
        assert found.payload["audience"] == {"customer_ids": [OTHER, "cus_000007"], "count": 2}
        campaign = session.scalars(select(Campaign)).one()
        rows = session.scalars(select(OutboxRow)).all()
        assert {row.customer_id for row in rows} == {OTHER, "cus_000007"}
        assert {campaign.payload_hash, *(row.payload_hash for row in rows)} == {found.payload_hash}
        entry = next(one for one in entries_of(session, held.proposal) if one.kind == "proposal.redacted")
        assert entry.payload["payload_hash"] == found.payload_hash
        stored = session.get_one(SegmentDecisionRow, held.segment_decision)
        assert VICTIM not in stored.audience
        assert OTHER in stored.audience


def test_a_checkpoint_can_still_be_read(held):
    from langgraph.checkpoint.postgres import PostgresSaver

    forget(held.ws, VICTIM, actor="usr_ada")
    url = held.ws.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with PostgresSaver.from_conn_string(url) as saver:
        thread = {"configurable": {"thread_id": "00000000-0000-4000-8000-000000000001", "checkpoint_ns": ""}}
        values = saver.get_tuple(thread).checkpoint["channel_values"]
    assert values["audience"] == [token(VICTIM), OTHER, 48]
    assert values["messages"][0].content == f"what about {token(VICTIM)}?"


def test_asking_again_is_harmless(held, grep):
    first = forget(held.ws, VICTIM, actor="usr_ada")
    entries = ledger_is_whole(held.ws).entries
    again = forget(held.ws, VICTIM, actor="usr_ana")
    assert again.repeated
    assert replace(again, repeated=False) == first
    assert ledger_is_whole(held.ws).entries == entries
    assert forget(held.ws, ALIAS, actor="usr_ana").complete
    nowhere(held.ws, grep)


class Killed(BaseException):
    """What a kill looks like from inside."""


@pytest.mark.parametrize(
    ("step", "resume"),
    [
        ("mark", "again"),
        ("mark", "at start"),
        ("erase_from_database", "at start"),  # inside the transaction
        ("_database", "again"),
        ("_outside", "at start"),
        ("_left", "again"),
        ("_finish", "at start"),
    ],
)
def test_an_erasure_that_was_cut_short_is_finished(held, grep, monkeypatch, step, resume):
    whole = getattr(forgetting, step)

    def cut(*args, **words):
        whole(*args, **words)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(forgetting, step, cut)
        with pytest.raises(Killed):
            forget(held.ws, VICTIM, actor="usr_ada")
    ledger_is_whole(held.ws)
    if resume == "again":
        receipt = forget(held.ws, VICTIM, actor="usr_ada")
    else:
        receipts = finish_open(held.ws)
        assert len(receipts) == (0 if step == "_finish" else 1)
        receipt = receipts[0] if receipts else forget(held.ws, VICTIM, actor="usr_ada")
    assert receipt.complete
    # nothing was counted twice, nothing was lost
    assert receipt.deleted["consents"] == 5
    assert receipt.ledger["sealed_parts"] == 2
    nowhere(held.ws, grep)
    with Session(held.ws.db) as session:
        assert erased(session, [VICTIM, ALIAS]) == {VICTIM, ALIAS}


def test_an_erasure_that_another_process_finishes_meanwhile_is_left_alone(held, monkeypatch):
    """Two servers start at once: the second once asked the database for nobody and did not start."""

    def cut(*args, **words):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(forgetting, "_finish", cut)
        with pytest.raises(Killed):
            forget(held.ws, VICTIM, actor="usr_ada")
    alone = forgetting._alone

    @contextlib.contextmanager
    def later(ws):
        monkeypatch.setattr(forgetting, "_alone", alone)
        assert len(finish_open(ws)) == 1  # the other one has the first turn
        with alone(ws):
            yield

    monkeypatch.setattr(forgetting, "_alone", later)
    assert finish_open(held.ws) == []
    ledger_is_whole(held.ws)
    with Session(held.ws.db) as session:
        assert [row.ids for row in session.scalars(select(Erasure))] == [[]]


def test_what_arrives_again_is_dropped(held):
    forget(held.ws, VICTIM, actor="usr_ada")
    arriving = events([VICTIM, OTHER, ALIAS, token(VICTIM)], held.ws.clock.now())
    with transaction(held.ws.db) as session:
        assert erased(session, [VICTIM, OTHER, ALIAS, "cus_000003"]) == {VICTIM, ALIAS}
        assert without_erased(session, arriving)["customer_id"].to_pylist() == [OTHER]
        key = session.get_one(IdentityKey, "ab" * 16)
        assert (key.customer_id, key.home_id) == (None, None)
        assert session.get_one(IdentityKey, "cd" * 16).customer_id == OTHER
    with pytest.raises(Conflict, match="erased"), transaction(held.ws.db) as session:
        held.ledger.append(session, kind="t", subject="s", actor="a", payload={"customer_id": VICTIM})
    ledger_is_whole(held.ws)


def test_nobody_is_erased_until_somebody_is(workspace):
    with transaction(workspace.db) as session:
        assert erased(session, ["a", "b", ""]) == set()
        first = person_hash(session, "a")
        assert person_hash(session, "a") == first != person_hash(session, "b")
        assert erased(session, ["a"]) == set()


def test_decisions_taken_meanwhile_leave_nothing_behind(held, grep):
    stop, seen = threading.Event(), []

    def decide():
        while not stop.is_set():
            try:
                held.decisions.decide(VICTIM)
            except (NotFound, Conflict) as error:
                seen.append(error)
                return

    threads = [threading.Thread(target=decide) for _ in range(3)]
    for thread in threads:
        thread.start()
    receipt = forget(held.ws, VICTIM, actor="usr_ada")
    for thread in threads:
        thread.join(30)
    assert receipt.complete
    assert len(seen) == 3
    nowhere(held.ws, grep)
    ledger_is_whole(held.ws)


def test_what_cannot_be_erased_is_said_and_can_be_finished(held, grep):
    kept = held.ws.root / "model.bin"
    kept.write_bytes(b"\xff\x00" + VICTIM.encode() + b"\x00")
    receipt = forget(held.ws, VICTIM, actor="usr_ada")
    assert not receipt.complete
    assert receipt.left == ("file model.bin",)
    kept.unlink()
    assert forget(held.ws, VICTIM, actor="usr_ada").complete
    nowhere(held.ws, grep)


def test_a_lake_that_is_down_loses_nothing(held, grep):
    def down(customer_id):
        raise OSError("the disk is away")

    with pytest.raises(OSError, match="away"):
        forget(held.ws, VICTIM, actor="usr_ada", doors=replace(doors_of(held.ws), erase_lake=down))
    assert grep(held.ws, VICTIM)[0] == {"erasures": 1}
    assert finish_open(held.ws)[0].complete
    nowhere(held.ws, grep)


def test_what_cannot_be_an_id_is_refused(workspace):
    for wrong in ("", "  ", "x" * 129, "erased~~~~", "~~~"):
        with pytest.raises(InvalidInput):
            forget(workspace, wrong, actor="usr_ada")


def test_somebody_unknown_is_not_found_and_not_marked(workspace):
    with pytest.raises(NotFound, match="cus_999999"):
        forget(workspace, "cus_999999", actor="usr_ada")
    with transaction(workspace.db) as session:
        assert erased(session, ["cus_999999"]) == set()
        assert session.scalars(select(Erasure)).all() == []


def test_ids_that_contain_the_id_are_other_people(held):
    near = [f"{VICTIM}1", f"{VICTIM}-b", f"x-{VICTIM}"]
    with transaction(held.ws.db) as session:
        for one in near:
            session.add(Customer(id=one, zone="UTC"))
        session.execute(text("UPDATE threads SET title = :title"), {"title": f"{' '.join(near)} {VICTIM}!"})
    assert forget(held.ws, VICTIM, actor="usr_ada").complete
    with Session(held.ws.db) as session:
        assert session.scalar(text("SELECT title FROM threads")) == f"{' '.join(near)} {token(VICTIM)}!"
        assert {one for one in near if session.get(Customer, one)} == set(near)


def test_tokens_are_as_long_as_what_they_replace():
    for one in ("cus_000002", "abc", "erased", "ünïcödé-1"):
        assert len(token(one)) == len(one.encode())
        assert is_token(token(one))
    assert not is_token("cus_000002")


def test_a_plain_chain_without_people_is_as_before(held):
    with Session(held.ws.db) as session:
        assert verify(session).redacted == 0
