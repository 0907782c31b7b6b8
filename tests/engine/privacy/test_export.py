"""An export gives everything held about a person, and nothing about anybody else."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.errors import NotFound
from smart_reach.engine.governance.ledger import verify
from smart_reach.engine.governance.tables import LedgerEntry
from smart_reach.engine.privacy.export import export
from smart_reach.engine.privacy.forget import forget
from tests.engine.privacy.conftest import ALIAS, OTHER, VICTIM


def test_an_export_holds_every_table_that_names_the_person(held, grep):
    tables, _ = grep(held.ws, VICTIM)
    found = export(held.ws, VICTIM, actor="usr_ada")
    given = {table for room in found["rooms"].values() for table in room} | set(found["mentions"])
    # the key itself is no information about the person; the ledger has a place of its own
    assert set(tables) - given == {"ledger", "person_keys"}
    assert found["known_as"] == [VICTIM, ALIAS]
    assert {table: len(rows) for table, rows in found["lake"].items()} == {
        "events": 3,
        "customers": 1,
        "features": 1,
    }
    assert len(found["rooms"]["catalog"]["consents"]) == 5
    json.dumps(found)


def test_sealed_parts_and_records_are_given_in_clear(held):
    found = export(held.ws, VICTIM, actor="usr_ada")
    sealed = [entry for entry in found["ledger"] if entry["kind"] == "decision"]
    assert [entry["subject"] for entry in sealed] == held.mine
    assert {entry["about"]["customer_id"] for entry in sealed} == {VICTIM}
    records = [row["record"] for row in found["rooms"]["decisioning"]["decisions"]]
    assert [record["inputs"]["customer_id"] for record in records] == [VICTIM, VICTIM]
    assert [entry["about"] for entry in found["ledger"] if entry["kind"] == "note"] == [
        {"who": [VICTIM], "n": 1.5},
        {"n": 2},
    ]


def test_an_export_does_not_give_other_people_away(held):
    found = export(held.ws, VICTIM, actor="usr_ada")
    assert "cus_000007" not in json.dumps(found)
    audience = found["mentions"]["segment_decisions"][0]
    assert audience["id"] == held.segment_decision
    assert audience["in"] == {"audience": [VICTIM]}
    assert OTHER not in json.dumps([found["rooms"]["decisioning"], found["lake"], found["ledger"]])


def test_asking_is_entered_in_the_ledger_sealed(held):
    export(held.ws, VICTIM, actor="usr_ada")
    with Session(held.ws.db) as session:
        entry = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1)).one()
        assert (entry.kind, entry.actor) == ("customer.exported", "usr_ada")
        assert VICTIM not in entry.body
        assert verify(session).whole


def test_an_alias_leads_to_the_same_export(held):
    one, other = (export(held.ws, name, actor="usr_ada") for name in (VICTIM, ALIAS))
    assert one["customer_id"] == other["customer_id"] == VICTIM
    assert one["rooms"] == other["rooms"]


def test_of_nobody_and_of_the_erased_nothing_is_exported(held):
    with Session(held.ws.db) as session:
        before = session.scalar(select(func.count()).select_from(LedgerEntry))
    with pytest.raises(NotFound, match="cus_999999"):
        export(held.ws, "cus_999999", actor="usr_ada")
    with Session(held.ws.db) as session:
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == before
    forget(held.ws, VICTIM, actor="usr_ada")
    for name in (VICTIM, ALIAS):
        with pytest.raises(NotFound, match="erased"):
            export(held.ws, name, actor="usr_ada")
