"""Running: interruption, missing data, suppression that cannot be worked around."""

from __future__ import annotations

import itertools

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.errors import Unanswerable, Unavailable
from smart_reach.engine.metrics.compile import GROUP_SIZE, Column
from smart_reach.engine.metrics.execute import Result, Row, fetch, suppress

MINIMUM = 10


def result(rows: list[Row], keys: list[str]) -> Result:
    columns = (
        *(Column(k, "dimension", k) for k in keys),
        Column("n", "metric", "n"),
        Column(GROUP_SIZE, "group_size", GROUP_SIZE),
    )
    return Result(columns, tuple(rows), False, 0, "")


def test_a_runaway_query_is_stopped() -> None:
    connection = duckdb.connect()
    with pytest.raises(Unavailable, match="stopped"):
        fetch(
            connection,
            "SELECT COUNT(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range",
            limit_s=0.2,
        )
    assert fetch(connection, "SELECT 1") == [(1,)]
    connection.close()


def test_no_data_is_said_as_such() -> None:
    connection = duckdb.connect()
    with pytest.raises(Unanswerable, match="no data"):
        fetch(connection, "SELECT 1 FROM events")
    connection.close()


def test_a_small_total_is_hidden() -> None:
    assert suppress(result([{"n": 4, GROUP_SIZE: 9}], []), MINIMUM).rows == ()
    assert len(suppress(result([{"n": 0, GROUP_SIZE: 0}], []), MINIMUM).rows) == 1


def test_one_small_group_takes_the_next_smallest_along() -> None:
    rows: list[Row] = [
        {"k": k, "n": n, GROUP_SIZE: n} for k, n in (("a", 100), ("b", 3), ("c", 20), ("d", 50))
    ]
    kept = suppress(result(rows, ["k"]), MINIMUM)
    assert [row["k"] for row in kept.rows] == ["a", "d"]
    assert kept.hidden == 2


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_no_hidden_group_of_a_list_can_be_worked_out(sizes: list[int]) -> None:
    rows: list[Row] = [{"k": i, "n": n, GROUP_SIZE: n} for i, n in enumerate(sizes)]
    kept = suppress(result(rows, ["k"]), MINIMUM)
    assert all(row[GROUP_SIZE] == 0 or row[GROUP_SIZE] >= MINIMUM for row in kept.rows)
    alone = kept.hidden == 1
    assert not (alone and any(row[GROUP_SIZE] > 0 for row in kept.rows))


@given(st.lists(st.lists(st.integers(0, 40), min_size=4, max_size=4), min_size=2, max_size=5))
def test_no_hidden_cell_of_a_table_is_alone_in_its_line(grid: list[list[int]]) -> None:
    rows: list[Row] = [
        {"r": r, "c": c, "n": n, GROUP_SIZE: n} for r, line in enumerate(grid) for c, n in enumerate(line)
    ]
    kept = {(row["r"], row["c"]) for row in suppress(result(rows, ["r", "c"]), MINIMUM).rows}
    cells = set(itertools.product(range(len(grid)), range(4)))
    assert all(not 0 < grid[r][c] < MINIMUM for r, c in kept)
    lines = [[(r, c) for c in range(4)] for r in range(len(grid))] + [
        [(r, c) for r in range(len(grid))] for c in range(4)
    ]
    for line in lines:
        hidden = [cell for cell in line if cell in cells - kept]
        shown = [cell for cell in line if cell in kept and grid[cell[0]][cell[1]] > 0]
        assert len(hidden) != 1 or not shown
