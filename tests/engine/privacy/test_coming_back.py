"""Nothing about an erased person comes in again: by no door, not in a batch under way, not replayed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.erasures import mark
from smart_reach.engine.catalog.tables import Customer, IdentityKey
from smart_reach.engine.delivery.pending import add_event, flush_to_lake
from smart_reach.engine.delivery.tables import PendingEvent
from smart_reach.engine.demo.store import add_pending
from smart_reach.engine.demo.tables import DemoPending
from smart_reach.engine.events.dead_letters import add_letters
from smart_reach.engine.events.ingest.letters import Letter, note_letters
from smart_reach.engine.events.ingest.projections import Projector
from smart_reach.engine.events.tables import DeadLetter
from smart_reach.engine.events.writer import EventWriter, Sifted
from smart_reach.engine.privacy.forget import forget
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace
from tests.engine.privacy.conftest import OTHER, VICTIM, events, files_naming, rows_naming

LETTER = Letter("0", "1", "no", "fix", b"{}", 2, customer_id=VICTIM)


def erase(ws: Workspace) -> None:
    with transaction(ws.db) as session:
        mark(session, [VICTIM], ws.clock.now())


def rows(ws: Workspace, prefix: str = "n") -> pa.Table:
    return events([VICTIM, OTHER], ws.clock.now() - timedelta(hours=1), prefix)


def held(ws: Workspace) -> list[str]:
    with ws.lake.connect() as connection:
        found = connection.execute("SELECT customer_id FROM events ORDER BY 1").fetchall()
    return [one for (one,) in found]


def by_lake(ws: Workspace) -> None:
    ws.lake.append("events", rows(ws))


def by_writer(ws: Workspace) -> None:
    assert EventWriter(ws.lake).write(rows(ws)) == 1


def by_a_bulk_load(ws: Workspace) -> None:
    assert EventWriter(ws.lake).write(rows(ws), fresh=True) == 1


def by_the_queue(ws: Workspace) -> None:
    at = ws.clock.now()
    with transaction(ws.db) as session:
        for name, customer in (("p1", VICTIM), ("p2", OTHER)):
            event = {"event_id": name, "customer_id": customer, "kind": "transaction", "source": "t"}
            add_event(session, {**event, "occurred_at": at})
    flush_to_lake(ws)


def by_an_ingester(ws: Workspace) -> None:
    writer = EventWriter(ws.lake)
    written = writer.commit(rows(ws), source="s", positions={"0": 2}, expected={})
    assert (written.rows, written.events["customer_id"].to_pylist()) == (1, [OTHER])
    assert ws.lake.positions("s") == {"s": {"0": 2}}
    again = writer.commit(rows(ws), source="s", positions={"0": 4}, expected={"0": 2})
    assert (again.rows, again.duplicates) == (0, 1)


@pytest.mark.parametrize("door", [by_lake, by_writer, by_a_bulk_load, by_the_queue, by_an_ingester])
def test_every_door_of_the_lake_is_shut(workspace: Workspace, door: Callable[[Workspace], None]) -> None:
    erase(workspace)
    door(workspace)
    assert held(workspace) == [OTHER]


def test_other_tables_are_shut_as_well(workspace: Workspace) -> None:
    erase(workspace)
    both = pa.table({"customer_id": [VICTIM, OTHER], "as_of": [workspace.clock.now()] * 2})
    workspace.lake.append("features", both)
    workspace.lake.overwrite("customers", both.select(["customer_id"]))
    with workspace.lake.connect() as connection:
        for table in ("features", "customers"):
            assert connection.execute(f"SELECT customer_id FROM {table}").fetchall() == [(OTHER,)]


def test_the_database_is_shut(workspace: Workspace) -> None:
    erase(workspace)
    at = workspace.clock.now()
    Projector(workspace.db)(rows(workspace))
    note_letters(workspace.db, "kafka", [LETTER], at)
    with transaction(workspace.db) as session:
        add_letters(session, "http", [LETTER], at)
        event = {"event_id": "q", "customer_id": VICTIM, "kind": "sent", "source": "t", "occurred_at": at}
        add_event(session, event)
        add_pending(session, [{**event, "received_at": at, "offer_id": None}])
    with Session(workspace.db) as session:
        assert session.scalars(select(Customer.id)).all() == [OTHER]
        for table in (DeadLetter, PendingEvent, DemoPending):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_an_erasure_in_the_middle_of_a_batch_is_obeyed(workspace: Workspace) -> None:
    def seal(sifted: Sifted) -> pa.Table:
        erase(workspace)  # after the batch was read, resolved and projected
        return sifted.rows

    writer = EventWriter(workspace.lake)
    written = writer.commit(rows(workspace), source="s", positions={"0": 2}, expected={}, before_seal=seal)
    assert written.events["customer_id"].to_pylist() == [OTHER]
    assert held(workspace) == [OTHER]


def test_an_erasure_waits_for_the_batch_that_is_being_sealed(workspace: Workspace) -> None:
    began = threading.Thread(target=erase, args=(workspace,))
    with workspace.lake.writing(), workspace.lake.admitting(rows(workspace)) as admitted:
        began.start()
        began.join(0.3)
        assert began.is_alive()
        workspace.lake.append("events", admitted)  # while somebody waits for the gate
    began.join(20)
    assert not began.is_alive()


def ingest(ws: Workspace, path: Path, name: str, lines: list[dict[str, Any]]) -> None:
    """Records by the ingester with every stage, as a source of its own."""
    from smart_reach.api.ingesting import build_stages
    from smart_reach.engine.events.ingest.ingester import Ingester
    from smart_reach.engine.events.sources.files import LinesSource

    path.joinpath(name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    ingester = Ingester(ws, LinesSource(path / name, None), build_stages(ws, bulk=True))
    while ingester.step(0).records:
        pass
    ingester.close()


def about(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "event_id": name, "occurred_at": "2026-11-20T10:00:00Z", **more}


def test_a_topic_that_is_read_again_brings_nobody_back(workspace: Workspace, tmp_path: Path) -> None:
    workspace.set_info("kind", "own-data")
    bought = {"amount_minor": 5, "currency": "EUR"}
    key = {"customer_key": {"kind": "crm_id", "value": "V-1"}}
    topic = [
        about("c1", "customer", customer_id=VICTIM, attributes={"segment": "x"}, keys=[key["customer_key"]]),
        about("t1", "transaction", **key, **bought),
        about("t2", "transaction", customer_id=VICTIM, **bought),
        about("k1", "consent", customer_id=VICTIM, channel="email", granted=True),
        about("t3", "transaction", customer_id=OTHER, **bought),
    ]  # fmt: skip
    ingest(workspace, tmp_path, "first", topic)
    assert held(workspace) == [VICTIM] * 4 + [OTHER]
    assert forget(workspace, VICTIM, actor="usr_ada").complete
    more = [
        about("t9", "transaction", customer_id=OTHER, **bought),
        {"type": "transaction", "customer_id": VICTIM},
    ]
    ingest(workspace, tmp_path, "again", [*topic, *more])
    assert held(workspace) == [OTHER, OTHER]
    assert rows_naming(workspace, VICTIM) == {}
    assert files_naming(workspace, VICTIM) == []
    with Session(workspace.db) as session:
        assert session.scalars(select(IdentityKey.customer_id)).all() == [None]
    workspace.lake.close()


def test_an_erasure_does_not_stand_in_the_way_of_records(workspace: Workspace, tmp_path: Path) -> None:
    """It once held a lock that customer records need, and waited for the lake that they held."""
    workspace.set_info("kind", "own-data")
    ingest(workspace, tmp_path, "one", [about("c", "customer", customer_id=VICTIM, attributes={})])
    from smart_reach.engine.privacy.forget import _alone

    line = about("d", "customer", customer_id=OTHER, attributes={"segment": "x"})
    writing = threading.Thread(target=ingest, args=(workspace, tmp_path, "two", [line]), daemon=True)
    with _alone(workspace):
        writing.start()
        writing.join(15)
        assert not writing.is_alive()
