"""The online store: what was put in comes out, in every process, and nothing half-written ever does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import Integrity, NotFound
from smart_reach.engine.features.definitions import FeatureSet, category, number
from smart_reach.engine.features.online.base import Base, write_base
from smart_reach.engine.features.online.delta import DeltaLog
from smart_reach.engine.features.online.layout import Layout
from smart_reach.engine.features.online.store import OnlineStore

AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
FEATURES = FeatureSet("x", (number("age", "age"), category("town", "town"), number("spend", "spend")))
LAYOUT = Layout.of(FEATURES.definitions)

_ids = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), unique=True, max_size=40
)
_age = st.one_of(st.none(), st.integers(-(2**53), 2**53))
_town = st.sampled_from([None, "", "Lisboa", "Évora", "Köln"])
anew = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def table(rows: Sequence[tuple[str, Any, Any, Any]], at: datetime = AT) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "as_of": pa.array([at] * len(rows), pa.timestamp("us", tz="UTC")),
            "age": pa.array([row[1] for row in rows], pa.int64()),
            "town": pa.array([row[2] for row in rows], pa.string()),
            "spend": pa.array([row[3] for row in rows], pa.float64()),
        }
    )


def store(folder: Path) -> OnlineStore:
    """A store over a folder; another one over the same folder is like another process."""
    return OnlineStore(SimpleNamespace(root=folder, name="test"), FEATURES)  # type: ignore[arg-type]


def put(opened: OnlineStore, rows: Sequence[tuple[str, Any, Any, Any]], at: datetime = AT) -> None:
    """Rows as `apply` writes them."""
    held = opened._current()
    assert held is not None
    with opened._files.writing():
        held.delta.append(LAYOUT.rows(table(rows, at)))


def same(value: Any, other: Any) -> bool:
    return value == other or (pd.isna(value) and pd.isna(other))  # not a number is a missing one


@anew
@given(ids=_ids, data=st.data())
def test_every_row_comes_back(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], data: st.DataObject
) -> None:
    rows = [(one, data.draw(_age), data.draw(_town), data.draw(st.floats())) for one in ids]
    folder = tmp_path_factory.mktemp("base")
    write_base(folder, LAYOUT, table(rows), 5)
    base = Base(folder)
    assert sorted(base.ids()) == sorted(ids)
    for one, age, town, spend in rows:
        place = base.place(one)
        assert place is not None
        as_of, *values = base.values(place)
        assert as_of == int(AT.timestamp()) * 1_000_000 + 123456
        assert all(same(got, put_in) for got, put_in in zip(values, (age, town, spend), strict=True))
    assert base.place("somebody else entirely") is None
    again = {row["customer_id"]: row for row in base.table().to_pylist()}
    assert {one: row["town"] for one, row in again.items()} == {one: town for one, _, town, _ in rows}


def test_reads_of_a_row_and_of_a_frame_agree(tmp_path: Path) -> None:
    opened = store(tmp_path)
    opened.load(1, lambda: table([("b", 2, None, 0.5), ("a", None, "Lisboa", 1.5)]))
    assert opened.row("b") == {"age": 2.0, "town": None, "spend": 0.5}
    frame = opened.frame()
    assert list(frame.index) == ["a", "b"]
    assert frame.loc["b", "town"] is None
    assert str(frame["as_of"].dtype) == "datetime64[us, UTC]"
    pd.testing.assert_frame_equal(opened.frame(["b", "a"]), frame.loc[["b", "a"]])
    assert opened.as_of("a") == AT
    with pytest.raises(NotFound, match="nobody"):
        opened.frame(["a", "nobody"])
    with pytest.raises(NotFound):
        opened.row("")


def test_another_process_sees_what_is_newer_and_the_next_snapshot(tmp_path: Path) -> None:
    writer, reader = store(tmp_path), store(tmp_path)
    with pytest.raises(NotFound):
        reader.row("a")
    writer.load(1, lambda: table([("a", 1, "x", 1.0), ("b", 1, "x", 1.0)]))
    assert reader.row("a")["age"] == 1
    put(writer, [("a", 2, "a new word", 2.0), ("c", 3, None, 3.0)], AT + timedelta(hours=1))
    assert reader.row("a") == {"age": 2.0, "town": "a new word", "spend": 2.0}
    assert list(reader.frame().index) == ["a", "b", "c"]
    # a snapshot of a moment before the newer rows keeps them; one of a later moment replaces them
    writer.load(2, lambda: table([("a", 7, "x", 1.0), ("b", 8, "x", 1.0)], AT + timedelta(minutes=1)))
    assert [reader.row(one)["age"] for one in "abc"] == [2, 8, 3]
    put(writer, [("a", 3, "x", 2.0)], AT + timedelta(hours=2))
    writer.load(3, lambda: table([("a", 9, "x", 1.0), ("b", 9, "x", 1.0)], AT + timedelta(hours=3)))
    assert [reader.row(one)["age"] for one in "ab"] == [9, 9]
    assert reader.lake_snapshot == 3
    writer.load(3, lambda: pytest.fail("the files are of this snapshot already"))
    assert len(list((tmp_path / "online").glob("g-*"))) == 1


def test_rows_folded_into_the_snapshot_outlive_an_older_one_of_the_lake(tmp_path: Path) -> None:
    opened = store(tmp_path)
    rows = LAYOUT.rows(table([("a", 5, "x", 1.0), ("new", 6, "x", 1.0)], AT + timedelta(hours=1)))
    with opened._files.writing():
        opened._rebuild(None, rows, None)  # as the first `apply` of all does
    opened.load(1, lambda: table([("a", 1, "x", 1.0), ("b", 1, "x", 1.0)]))
    assert {one: opened.row(one)["age"] for one in ("a", "b", "new")} == {"a": 5, "b": 1, "new": 6}


def test_a_real_other_process_reads_along(tmp_path: Path) -> None:
    writer = store(tmp_path)
    writer.load(1, lambda: table([("a", 1, "x", 1.0)]))
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace\n"
        "from smart_reach.engine.features.online.store import OnlineStore\n"
        "from smart_reach.engine.features.definitions import FeatureSet, category, number\n"
        "f = FeatureSet('x', (number('age','age'), category('town','town'), number('spend','spend')))\n"
        f"s = OnlineStore(SimpleNamespace(root=Path({str(tmp_path)!r}), name='t'), f)\n"
        "for line in sys.stdin: print(s.row('a')['age'], flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def ask() -> float:
            other.stdin.write("?\n")  # type: ignore[union-attr]
            other.stdin.flush()  # type: ignore[union-attr]
            return float(other.stdout.readline())  # type: ignore[union-attr]

        assert ask() == 1
        put(writer, [("a", 2, "y", 1.0)])
        assert ask() == 2
        writer.load(2, lambda: table([("a", 3, "x", 1.0)], AT + timedelta(days=1)))
        assert ask() == 3
        other.stdin.close()


def test_what_a_dead_writer_left_does_not_count(tmp_path: Path) -> None:
    log = DeltaLog(tmp_path / "delta")
    log.append([("a", (1, 2.0, "x", 3.0))])
    with (tmp_path / "delta").open("ab") as file:
        file.write(b"half a rec")  # written, but never declared
    reader = DeltaLog(tmp_path / "delta")
    reader.catch_up()
    assert set(reader.rows) == {"a"}
    log.append([("b", (1, 2.0, "x", 3.0))])
    assert reader.behind
    reader.catch_up()
    assert set(reader.rows) == {"a", "b"}


def test_a_damaged_log_is_noticed(tmp_path: Path) -> None:
    log = DeltaLog(tmp_path / "delta")
    log.append([("a", (1, 2.0, "x", 3.0))])
    with (tmp_path / "delta").open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"!!!")
    with pytest.raises(Integrity, match="damaged"):
        DeltaLog(tmp_path / "delta").catch_up()


def test_a_failed_snapshot_changes_nothing(tmp_path: Path) -> None:
    opened = store(tmp_path)
    opened.load(1, lambda: table([("a", 1, "x", 1.0)]))

    def full() -> pa.Table:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        opened.load(2, full)
    with pytest.raises(KeyError):
        opened.load(2, lambda: table([("a", 2, "x", 1.0)]).drop_columns(["spend"]))
    assert opened.row("a")["age"] == 1
    assert [path.name for path in (tmp_path / "online").iterdir() if path.is_dir()] == ["g-00000001"]


def test_readers_meet_no_gap_while_snapshots_change(tmp_path: Path) -> None:
    opened, reader = store(tmp_path), store(tmp_path)
    opened.load(0, lambda: table([("a", 0, "0", 0.0)]))
    stop, wrong = threading.Event(), []

    def read() -> None:
        last = 0.0
        while not stop.is_set():
            row = reader.row("a")
            if row["age"] != row["spend"] or row["town"] != str(int(row["spend"])) or row["spend"] < last:  # type: ignore[arg-type,operator]
                wrong.append(row)
            last = float(row["spend"] or 0)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(1, 120):
        at, row = AT + timedelta(seconds=turn), ("a", turn, str(turn), float(turn))
        if turn % 3:
            put(opened, [row], at)
        else:
            opened.load(turn, lambda row=row, at=at: table([row], at))  # type: ignore[misc]
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert reader.row("a")["age"] == 119


def test_an_erased_customer_is_on_no_file(tmp_path: Path) -> None:
    opened, reader = store(tmp_path), store(tmp_path)
    opened.load(1, lambda: table([("cus_secret", 1, "only-theirs", 1.0), ("b", 1, "x", 1.0)]))
    put(opened, [("cus_secret", 2, "also-theirs", 1.0)])
    assert reader.row("cus_secret")["age"] == 2
    assert opened.erase(["cus_secret", "cus_unknown"]) == 1
    with pytest.raises(NotFound):
        reader.row("cus_secret")
    assert list(opened.frame().index) == ["b"]
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"secret" not in held
    assert b"theirs" not in held
    assert opened.erase(["cus_secret"]) == 0


def test_other_definitions_make_the_files_anew(tmp_path: Path) -> None:
    store(tmp_path).load(1, lambda: table([("a", 1, "x", 1.0)]))
    other = FeatureSet("x", (number("age", "age"),))
    opened = OnlineStore(SimpleNamespace(root=tmp_path, name="t"), other)  # type: ignore[arg-type]
    assert opened.lake_snapshot is None
    opened.load(1, lambda: table([("a", 4, "x", 1.0)]))
    assert opened.row("a") == {"age": 4.0}


def test_a_log_is_closed_once(tmp_path: Path) -> None:
    log = DeltaLog(tmp_path / "delta")
    log.close()
    with (tmp_path / "other").open("wb") as other:  # takes the number that became free
        log.close()
        other.write(b"still open")
    assert (tmp_path / "other").read_bytes() == b"still open"
