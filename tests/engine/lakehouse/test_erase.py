"""Erased means erased: no byte of the customer's id is left in the lake's folder."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.lakehouse import erase, rollups
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.erase import erase_customer
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.rows import START, event_ids, numbered

GONE = "cus_000002"


def holding(root: Path, customer_id: str) -> list[str]:
    """Files that hold the id: Parquet row by row (pages are compressed), all others byte by byte."""
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if customer_id.encode() in data:
            found.append(str(path))
        elif path.suffix == ".parquet":
            rows = pq.read_table(io.BytesIO(data))
            if customer_id in rows.column("customer_id").to_pylist():
                found.append(str(path))
    return found


def fill(lake: Lakehouse) -> None:
    lake.append("events", numbered(range(30)), positions={"kafka": {"0": 30}})
    lake.append("events", numbered([2], kind="open", event_id="o", message_id="m"))
    lake.append("events", numbered([2], kind="click", event_id="c"))
    lake.overwrite("customers", pa.table({"customer_id": ["cus_000001", GONE], "age": [30, 40]}))
    lake.overwrite("customers", pa.table({"customer_id": ["cus_000001", GONE], "age": [31, 41]}))
    lake.append("features", pa.table({"customer_id": [GONE], "as_of": [START]}))


def test_nothing_of_the_customer_is_left(workspace: Workspace) -> None:
    lake = workspace.lake
    fill(lake)
    rollups.refresh(lake)
    assert len(holding(lake.root, GONE)) > 4
    erased = erase_customer(lake, GONE)
    assert erased.rows == {"events": 3, "customers": 1, "features": 1}
    assert erased.files >= 6
    assert holding(lake.root, GONE) == []
    assert len(event_ids(lake)) == 29
    assert lake.positions() == {"kafka": {"0": 30}}
    with lake.connect() as connection:
        assert connection.execute("SELECT customer_id, age FROM customers").fetchall() == [("cus_000001", 31)]
    again = erase_customer(lake, GONE)
    assert again.rows == {"events": 0, "customers": 0, "features": 0}
    assert again.snapshots == {}


def test_snapshots_that_hold_the_customer_go_and_the_others_stay(workspace: Workspace) -> None:
    lake = workspace.lake
    before = lake.append("events", numbered([1]))
    held = lake.append("events", numbered([2]))
    lake.keep("quarter", held)
    lake.keep("start", before)
    compact_events(lake, many=2)
    erased = erase_customer(lake, GONE)
    assert erased.tags == ["quarter"]
    assert held in erased.snapshots["events"]
    assert before not in erased.snapshots["events"]
    assert event_ids(lake, at=before) == event_ids(lake) == ["e1-sent"]
    assert lake.snapshots("events")[0].tags == ("start",)
    with pytest.raises(NotFound):
        event_ids(lake, at=held)
    assert holding(lake.root, GONE) == []


def test_files_that_no_snapshot_needs_are_erased_too(workspace: Workspace) -> None:
    lake = workspace.lake
    fill(lake)
    folder = Path(lake.files("events")[0]).parent
    pq.write_table(numbered([2]), folder / "left-by-a-killed-writer.parquet")
    erase_customer(lake, GONE)
    assert holding(lake.root, GONE) == []


def test_an_interrupted_erasure_is_finished_by_the_next(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = workspace.lake
    fill(lake)
    with monkeypatch.context() as patch:
        patch.setattr(erase, "_forget_history", lambda *_: (_ for _ in ()).throw(OSError("power")))
        with pytest.raises(OSError, match="power"):
            erase_customer(lake, GONE)
    assert len(event_ids(lake)) == 29
    assert holding(lake.root, GONE) != []
    assert erase_customer(lake, GONE).rows["customers"] == 1
    assert holding(lake.root, GONE) == []


def test_a_customer_is_named(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput):
        erase_customer(workspace.lake, "")
    assert erase_customer(workspace.lake, "nobody").files == 0


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.just("compact")), max_size=8)
)
def test_only_that_customer_goes(
    open_workspace: Callable[..., Workspace], work: list[list[int] | str]
) -> None:
    """Whatever the history was, and in whatever order people share files."""
    opened = open_workspace()
    lake = opened.lake
    written: list[str] = []
    try:
        for turn, step in enumerate(work):
            if isinstance(step, str):
                compact_events(lake, many=2)
            else:
                ids = [f"t{turn}-{number}-{place}" for place, number in enumerate(step)]
                rows = numbered(step).drop_columns(["event_id"]).append_column("event_id", [ids])
                lake.append("events", rows)
                written += ids
        erase_customer(lake, GONE)
        left = [name for name in written if name.split("-")[1] != "2"]
        assert (event_ids(lake) if lake.files("events") else []) == sorted(left)
        assert holding(lake.root, GONE) == []
    finally:
        lake.close()
        opened.db.dispose()
