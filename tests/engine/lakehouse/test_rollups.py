"""The messages rollup gives the raw view's rows, whatever was added, compacted or erased in between."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.lakehouse.reader import Source, open_reader
from smart_reach.engine.lakehouse.rollups import building
from smart_reach.engine.lakehouse.rollups.kept import load
from smart_reach.engine.lakehouse.rollups.messages import MESSAGES_SQL
from smart_reach.engine.lakehouse.rollups.views import ROLLED
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA, as_events
from smart_reach.engine.workspace import Workspace

START = datetime(2026, 11, 1, tzinfo=UTC)
KINDS = ["sent", "held_out", "delivered", "open", "click", "conversion", "unsubscribe", "complaint", "bounce"]


@dataclass
class Folder:
    """Files of events in a folder, as the lake lists them."""

    root: Path
    paths: list[str] = field(default_factory=list)

    def files(self, table: str) -> list[str]:
        return sorted(self.paths)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """One file a day, as the writer does."""
        for day in sorted({row["occurred_at"].date() for row in rows}):
            self.paths.append(self._write([row for row in rows if row["occurred_at"].date() == day]))

    def _write(self, rows: list[dict[str, Any]]) -> str:
        path = self.root / f"{uuid.uuid4().hex}.parquet"
        names = [name for name in EVENT_SCHEMA.names if any(name in row for row in rows)]
        table = pa.table({n: pa.array([r.get(n) for r in rows], EVENT_SCHEMA.field(n).type) for n in names})
        pq.write_table(as_events(table), path)
        return str(path)

    def compact(self) -> None:
        """One file of each day's files."""
        days: dict[Any, list[str]] = {}
        for path in self.paths:
            days.setdefault(pq.read_table(path)["occurred_at"][0].as_py().date(), []).append(path)
        self.paths = []
        for paths in days.values():
            whole = self.root / f"{uuid.uuid4().hex}.parquet"
            pq.write_table(pa.concat_tables([pq.read_table(path) for path in paths]), whole)
            self.paths.append(str(whole))
            for path in paths:
                Path(path).unlink()

    def erase(self, customer: str) -> None:
        """Rewrite every file without the customer's rows."""
        for path in list(self.paths):
            rows = [row for row in pq.read_table(path).to_pylist() if row["customer_id"] != customer]
            Path(path).unlink()
            self.paths.remove(path)
            if rows:
                self.paths.append(self._write(rows))


def event(number: int, message: int | None, kind: str, minutes: int, **values: Any) -> dict[str, Any]:
    at = START + timedelta(minutes=minutes)
    return {
        "event_id": f"e{number}",
        "customer_id": f"cus_{0 if message is None else message % 5}",
        "kind": kind if message is not None else "transaction",
        "occurred_at": at,
        "received_at": at + timedelta(seconds=3),
        "message_id": None if message is None else f"m{message}",
        "machine": False,
        "source": "test",
    } | values


@contextmanager
def opened(folder: Folder) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_reader(folder.root, {"events": Source(tuple(folder.files("events")))})
    try:
        yield connection
    finally:
        connection.close()


def rolled(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute("SELECT comment FROM duckdb_views() WHERE view_name = 'messages'").fetchone()
    return row is not None and row[0] == ROLLED


def same_as_raw(folder: Folder) -> bool:
    """Compare with the raw view over the same files; returns whether the rollup was used."""
    span = "SELECT epoch_us(min({})), epoch_us(max({})), epoch_us(max({})) FROM {}"
    with opened(folder) as connection, duckdb.connect() as plain:
        plain.execute("SET TimeZone = 'UTC'")
        plain.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet({folder.files('events')!r})")
        plain.execute(MESSAGES_SQL)
        query = "SELECT * FROM messages ORDER BY message_id"
        assert connection.execute(query).fetchall() == plain.execute(query).fetchall()
        found = connection.execute(span.format("oldest", "newest", "received", "event_span")).fetchone()
        times = ("occurred_at", "occurred_at", "received_at", "events")
        if connection.execute("FROM duckdb_views() WHERE view_name = 'first_messages'").fetchall():
            firsts = "SELECT customer_id, min(sent_at) FROM messages WHERE sent AND NOT held_out GROUP BY ALL"
            assert set(connection.execute("SELECT customer_id, first_at FROM first_messages").fetchall()) == (
                set(plain.execute(firsts).fetchall())
            )
        assert found == plain.execute(span.format(*times)).fetchone()
        return rolled(connection)


rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 12)),
        st.sampled_from(KINDS),
        st.integers(0, 3 * 24 * 60),
        st.booleans(),
        st.integers(-500, 500),
        st.sampled_from([None, "email", "push"]),
        st.sampled_from([None, "cus_8", "cus_9"]),
    ),
    min_size=1,
    max_size=12,
)
steps = st.lists(
    st.one_of(rows, st.sampled_from(["refresh", "unforced", "compact", "erase"])), min_size=2, max_size=7
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_the_rollup_is_the_raw_answer(monkeypatch: pytest.MonkeyPatch, history: list[Any]) -> None:
    monkeypatch.setattr(building, "SMALL_OVERLAY", 4)
    with tempfile.TemporaryDirectory() as home:
        folder, number = Folder(Path(home)), 0
        folder.add([event(0, 1, "sent", 5)])
        for step in history:
            if isinstance(step, list):
                batch = []
                for message, kind, minutes, machine, amount, channel, customer in step:
                    number += 1
                    batch.append(event(number, message, kind, minutes, machine=machine, channel=channel))
                    batch[-1] |= {"amount_minor": amount, "currency": "EUR", "local_hour": minutes % 24}
                    batch[-1]["customer_id"] = customer or batch[-1]["customer_id"]
                folder.add(batch)
            elif step == "compact":
                folder.compact()
            elif step == "erase":
                folder.erase("cus_1")
                folder.add([event(10_000 + number, 2, "open", number)])
                number += 1
            else:
                rollups.refresh(folder, force=step == "refresh")
            same_as_raw(folder)
        rollups.refresh(folder)
        assert same_as_raw(folder)


def test_what_is_new_is_added_and_a_little_waits(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.add([event(n, n, "sent", n) for n in range(50)])
    assert not same_as_raw(folder)
    assert rollups.refresh(folder).did == "rebuilt"
    assert rollups.refresh(folder).did == "nothing"
    folder.add([event(100, 3, "click", 90), event(101, 77, "sent", 91)])
    assert rollups.refresh(folder, force=False).did == "waiting"
    assert same_as_raw(folder)
    assert rollups.refresh(folder).did == "added"
    kept = load(tmp_path)
    assert kept is not None
    assert (kept.base_rows, kept.overlay_rows) == (50, 2)
    assert same_as_raw(folder)


def test_compaction_is_followed_without_reading_the_events_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for turn in range(3):
        folder.add([event(turn * 10 + n, n, kind, n) for n, kind in enumerate(KINDS)])
        rollups.refresh(folder)
    before = load(tmp_path)
    folder.compact()
    assert rollups.refresh(folder).did == "nothing"
    after = load(tmp_path)
    assert before is not None
    assert after is not None
    assert (after.base, after.overlay, after.covers.keys()) == (before.base, before.overlay, {*folder.paths})
    assert same_as_raw(folder)


def test_a_rewrite_that_changes_a_verdict_is_noticed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.add([event(1, 1, "sent", 1), event(2, 1, "click", 2)])
    rollups.refresh(folder)
    folder.paths = []
    folder.add([event(1, 1, "sent", 1), event(2, 1, "click", 2, machine=True)])
    assert rollups.refresh(folder).did == "rebuilt"
    with opened(folder) as connection:
        assert connection.execute("SELECT clicked, clicked_raw FROM messages").fetchall() == [(False, True)]


def test_an_older_snapshot_is_read_from_its_events(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.add([event(1, 1, "sent", 1)])
    old = Folder(tmp_path, list(folder.paths))
    folder.add([event(2, 1, "open", 2)])
    rollups.refresh(folder)
    assert not same_as_raw(old)
    assert same_as_raw(folder)


def test_cleared_rollups_leave_no_trace(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.add([event(n, n, "sent", n) for n in range(5)])
    rollups.refresh(folder)
    folder.erase("cus_1")
    rollups.clear(folder)
    assert [path for path in tmp_path.rglob("*.parquet") if str(path) not in folder.paths] == []
    rollups.refresh(folder)
    with opened(folder) as connection:
        kept = connection.execute("SELECT count(*) FROM messages WHERE customer_id = 'cus_1'").fetchone()
        assert rolled(connection)
        assert kept == (0,)


def test_a_broken_or_foreign_state_is_made_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.add([event(1, 1, "sent", 1)])
    rollups.refresh(folder)
    state = tmp_path / "rollups" / "messages" / "state.json"
    for text in ("{", '{"version": "another", "covers": {}}'):
        state.write_text(text)
        assert not same_as_raw(folder)
        assert rollups.refresh(folder).did == "rebuilt"
        assert same_as_raw(folder)


def test_the_lake_reads_its_rollup(workspace: Workspace) -> None:
    workspace.lake.append("events", as_events(pa.Table.from_pylist([event(1, 1, "sent", 1)])))
    rollups.refresh(workspace.lake)
    workspace.lake.append("events", as_events(pa.Table.from_pylist([event(2, 1, "click", 9)])))
    with workspace.lake.connect() as connection:
        assert connection.execute("SELECT sent, clicked FROM messages").fetchall() == [(True, True)]
        assert rolled(connection)
    with workspace.lake.connect(tables=("events",), since=START + timedelta(days=30)) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'messages'")
