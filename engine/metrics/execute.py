"""Run a guarded query on a locked connection: a timer interrupts it, rows are capped, small groups hidden."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import duckdb

from smart_reach.engine.errors import Unanswerable, Unavailable
from smart_reach.engine.metrics.compile import GROUP_SIZE, MAX_ROWS, Column, Compiled
from smart_reach.engine.metrics.guard import guard

Row = dict[str, Any]


class Connection(Protocol):
    """What the room needs of a DuckDB connection."""

    def execute(self, query: Any, parameters: Any = ..., /) -> Any: ...
    def interrupt(self) -> None: ...
    def close(self) -> None: ...


Connect = Callable[[], Connection]


@dataclass(frozen=True)
class Result:
    """Rows by column name. `hidden` counts groups removed because they are too small to show."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    truncated: bool
    hidden: int
    sql: str

    @property
    def keys(self) -> list[str]:
        return [c.name for c in self.columns if c.role in ("dimension", "period")]


def rolled_up(connection: Connection) -> bool | None:
    """Whether `messages` is kept ready, so that reading a part of it is cheap; None when there is none."""
    rows = connection.execute(
        "SELECT comment FROM duckdb_views() WHERE view_name = 'messages'"
        " UNION ALL SELECT comment FROM duckdb_tables() WHERE table_name = 'messages'"
    ).fetchall()
    return bool(rows[0][0]) if rows else None


class Held:
    """One connection for several queries: `messages` is computed once and `close` waits for `release`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ready = False

    def execute(self, query: Any, parameters: Any = None, /) -> Any:
        if not self._ready and "messages" in str(query):
            self._ready = True
            if rolled_up(self._connection) is False:
                # a temporary table shadows the view of the same name
                self._connection.execute("CREATE TEMP TABLE messages AS SELECT * FROM messages")
        return self._connection.execute(query, parameters)

    def interrupt(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        """Nothing yet: the next query needs it."""

    def release(self) -> None:
        self._connection.close()


@contextmanager
def held(connect: Connect) -> Iterator[Connect]:
    """Let every query inside share one connection."""
    connection = Held(connect())
    try:
        yield lambda: connection
    finally:
        connection.release()


def fetch(
    connection: Connection,
    sql: str,
    params: dict[str, Any] | None = None,
    *,
    limit_s: float = 20.0,
) -> list[tuple[Any, ...]]:
    """Rows of one statement; interrupted after `limit_s` seconds with a hint what to narrow."""
    timer = threading.Timer(limit_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        rows: list[tuple[Any, ...]] = connection.execute(sql, params or {}).fetchall()
        return rows
    except duckdb.InterruptException as error:
        raise Unavailable(
            f"The query took longer than {limit_s:g} s and was stopped.", hint="Narrow the period."
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise Unavailable(
            "The query needs more memory than it may use.", hint="Narrow the period."
        ) from error
    except duckdb.CatalogException as error:
        raise Unanswerable(
            "There is no data of this kind in the workspace yet.",
            hint="Ingest data, or open the demo workspace.",
        ) from error
    except duckdb.BinderException as error:
        # queries are made from the model alone: what does not bind is a column that this data lacks
        raise Unanswerable(
            "The workspace's data does not have what this question needs.",
            hint="Ask by something that its records carry; see `smart-reach ingest events --help`.",
        ) from error
    finally:
        timer.cancel()


@dataclass(frozen=True)
class EventSpan:
    """When the oldest and the newest event happened, and when the newest arrived; None for no events."""

    oldest: datetime | None = None
    newest: datetime | None = None
    received: datetime | None = None


def span_of_events(connection: Connection) -> EventSpan:
    """The span of all events: kept ready where a rollup is, read from the events elsewhere."""
    # whole microseconds: a timestamptz would need pytz on its way into Python
    for query in (
        "SELECT epoch_us(oldest), epoch_us(newest), epoch_us(received) FROM event_span",
        "SELECT epoch_us(MIN(occurred_at)), epoch_us(MAX(occurred_at)), NULL FROM events",
    ):
        try:
            return EventSpan(*(moment(micros) for micros in fetch(connection, query)[0]))
        except Unanswerable:
            continue
    return EventSpan()


def moment(micros: int | None) -> datetime | None:
    """Microseconds since 1970 as a time in UTC."""
    return None if micros is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)


def run(compiled: Compiled, connect: Connect, *, max_rows: int = MAX_ROWS, limit_s: float = 20.0) -> Result:
    """Guard, execute, cut at `max_rows`, suppress groups under the model's minimum size."""
    guard(compiled.tree, compiled.model)
    connection = connect()
    try:
        raw = fetch(connection, compiled.sql, compiled.params, limit_s=limit_s)
    finally:
        connection.close()
    names = [c.name for c in compiled.columns]
    rows = [dict(zip(names, row, strict=True)) for row in raw[:max_rows]]
    result = Result(compiled.columns, tuple(rows), len(raw) > max_rows, 0, compiled.display_sql)
    return suppress(result, compiled.model.minimum_group)


def suppress(result: Result, minimum: int) -> Result:
    """Remove groups of fewer than `minimum` customers, and enough others that none can be worked out.

    A single hidden group in a line (all other keys fixed) is its total minus the rest, so the
    smallest remaining group of that line goes too, until every line hides none or at least two.
    """
    keys = result.keys
    rows = list(result.rows)
    if not keys:
        kept = [row for row in rows if row[GROUP_SIZE] >= minimum or row[GROUP_SIZE] == 0]
        return replace(result, rows=tuple(kept), hidden=len(rows) - len(kept))
    hidden = {i for i, row in enumerate(rows) if 0 < row[GROUP_SIZE] < minimum}
    changed = bool(hidden)
    while changed:
        changed = False
        for free in keys:
            for line in _lines(rows, [k for k in keys if k != free]):
                gone = [i for i in line if i in hidden]
                left = [i for i in line if i not in hidden and rows[i][GROUP_SIZE] > 0]
                if len(gone) == 1 and left:
                    hidden.add(min(left, key=lambda i: (rows[i][GROUP_SIZE], i)))
                    changed = True
    kept = [row for i, row in enumerate(rows) if i not in hidden]
    return replace(result, rows=tuple(kept), hidden=len(hidden))


def _lines(rows: list[Row], fixed: list[str]) -> list[list[int]]:
    lines: dict[tuple[Any, ...], list[int]] = {}
    for i, row in enumerate(rows):
        lines.setdefault(tuple(row[k] for k in fixed), []).append(i)
    return list(lines.values())
