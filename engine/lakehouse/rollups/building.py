"""Bring the messages rollup up to date: add what is new, follow compaction, or make it again."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from smart_reach.engine.lakehouse.rollups.covers import follow, read_covers
from smart_reach.engine.lakehouse.rollups.kept import Kept, folder_of, load, save
from smart_reach.engine.lakehouse.rollups.messages import COLUMNS, from_events, merged
from smart_reach.engine.lakehouse.rollups.views import first_messages, kept_rows, read_events, text
from smart_reach.engine.lakehouse.schemas import EVENTS

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "800MB"
# Fewer new events in fewer files cost a reader less than writing them costs us.
FEW_FILES, FEW_BYTES = 8, 2_000_000
# An overlay of this share of the base (or this many rows, when that is more) is folded into it.
OVERLAY_SHARE, SMALL_OVERLAY = 0.15, 20_000
GRACE_S = 900.0


class Lake(Protocol):
    """What is needed of the lakehouse."""

    root: Path

    def files(self, table: str) -> list[str]: ...


@dataclass(frozen=True)
class Refreshed:
    """What `refresh` did. `waiting`: too little is new; `busy`: another process is at it."""

    did: Literal["nothing", "waiting", "busy", "added", "followed", "rebuilt"]
    messages: int
    files: int


def refresh(lake: Lake, *, force: bool = True) -> Refreshed:
    """Let the rollup hold every event of the newest snapshot.

    Without `force` a little that is new waits for more (it is read from the events meanwhile), which makes
    this cheap enough to call after every commit. Memory stays under about 1 GB whatever the number of events.
    """
    folder = folder_of(lake.root)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder) as mine:
        if not mine:
            return Refreshed("busy", 0, 0)
        kept = load(lake.root)
        files = lake.files(EVENTS)
        report = _refresh(folder, kept, files, force)
        _sweep(folder, load(lake.root))
        return report


def clear(lake: Lake) -> None:
    """Take the rollups off the disk at once: after an erasure, before anybody reads them again.

    Waits for a refresh that is under way: what it makes from the old events goes too.
    """
    folder = folder_of(lake.root)
    if not folder.exists():
        return
    with _alone(folder, wait=True):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != "lock":
                path.unlink(missing_ok=True)


def _refresh(folder: Path, kept: Kept | None, files: Sequence[str], force: bool) -> Refreshed:
    if kept is not None and not kept.fits(files):
        kept = _follow(folder, kept, files)
    if kept is None:
        if not files:
            return Refreshed("nothing", 0, 0)
        return _done("rebuilt", _build(folder, files), len(files))
    fresh = [path for path in files if path not in kept.covers]
    if not fresh:
        return _done("nothing", kept, 0)
    if not force and len(fresh) < FEW_FILES and sum(os.path.getsize(path) for path in fresh) < FEW_BYTES:
        return _done("waiting", kept, len(fresh))
    return _done("added", _add(folder, kept, fresh), len(fresh))


def _done(did: Any, kept: Kept, files: int) -> Refreshed:
    return Refreshed(did, kept.base_rows + kept.overlay_rows, files)


def _build(folder: Path, files: Sequence[str]) -> Kept:
    """Everything from the events; the group by and the sort spill to disk when they must."""
    with _connection(folder) as connection:
        covers, span = read_covers(connection, files)
        base, rows, firsts = _write_base(folder, connection, from_events(read_events(files)))
    kept = Kept(folder, base, rows, covers, span, firsts)
    save(kept)
    return kept


def _add(folder: Path, kept: Kept, fresh: Sequence[str]) -> Kept:
    """Merge the messages of new files into the overlay; a big overlay becomes part of the base."""
    with _connection(folder) as connection:
        covers, span = read_covers(connection, fresh)
        connection.execute(f"CREATE TEMP TABLE since AS {from_events(read_events(fresh))}")
        connection.execute(f"CREATE VIEW kept AS {kept_rows(kept, extra=True)}")
        name, rows = _write(folder, connection, _overlay(kept))
        kept = replace(
            kept,
            overlay=name,
            overlay_rows=rows,
            covers={**kept.covers, **covers},
            span=kept.span.with_(span),
        )
        big = rows > max(SMALL_OVERLAY, OVERLAY_SHARE * kept.base_rows)
        if big or _moved(connection, kept):
            base, rows, firsts = _write_base(folder, connection, kept_rows(kept))
            kept = replace(kept, base=base, base_rows=rows, firsts=firsts, overlay=None, overlay_rows=0)
    save(kept)
    return kept


def _moved(connection: duckdb.DuckDBPyConnection, kept: Kept) -> bool:
    """Whether a message left its customer or is no longer one that was sent: `firsts` would be wrong."""
    overlay = f"read_parquet({text(str(kept.folder / str(kept.overlay)))})"
    row = connection.execute(
        f"SELECT count(*) FROM kept k JOIN {overlay} o USING (message_id) WHERE k.sent AND NOT k.held_out"
        " AND (o.customer_id <> k.customer_id OR o.held_out)"
    ).fetchone()
    return row is not None and row[0] > 0


def _write_base(folder: Path, connection: duckdb.DuckDBPyConnection, rows: str) -> tuple[str, int, str]:
    base, count = _write(folder, connection, f"SELECT * FROM ({rows}) ORDER BY sent_at, message_id")
    written = f"read_parquet({text(str(folder / base))})"
    firsts, _ = _write(folder, connection, first_messages(written))
    return base, count, firsts


def _overlay(kept: Kept) -> str:
    parts = (
        "(SELECT * FROM kept SEMI JOIN since USING (message_id)"
        " UNION ALL SELECT *, NULL::BIGINT FROM since) AS parts"
    )
    changed = merged(parts, ", max(replaces) AS replaces")
    if kept.overlay is None:
        return f"{changed} ORDER BY sent_at"
    before = f"read_parquet({text(str(kept.folder / kept.overlay))})"
    return (
        f"SELECT * FROM ({changed} UNION ALL"
        f" SELECT {COLUMNS}, replaces FROM {before} ANTI JOIN since USING (message_id)) ORDER BY sent_at"
    )


def _follow(folder: Path, kept: Kept, files: Sequence[str]) -> Kept | None:
    """The state with rewritten files in the place of those that they hold; None when events are missing."""
    with _connection(folder) as connection:
        fresh, _ = read_covers(connection, [path for path in files if path not in kept.covers])
    covers = follow(kept.covers, fresh, files)
    if covers is None:
        return None
    kept = replace(kept, covers=covers)
    save(kept)
    return kept


def _write(folder: Path, connection: duckdb.DuckDBPyConnection, select: str) -> tuple[str, int]:
    name = f"{uuid.uuid4().hex}.parquet"
    path = text(str(folder / name))
    found = connection.execute(
        f"COPY ({select}) TO {path} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    ).fetchone()
    return name, int(found[0]) if found else 0


@contextmanager
def _connection(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    spill = folder / "spill"
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET threads = 2")
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = {text(str(spill))}")
        connection.execute("SET preserve_insertion_order = true")
        yield connection
    shutil.rmtree(spill, ignore_errors=True)


@contextmanager
def _alone(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether this caller holds the folder's lock; another one's work is waited for only if asked."""
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def _sweep(folder: Path, kept: Kept | None) -> None:
    """Delete files that no state needs, except those that a reader may have open."""
    needed = set() if kept is None else {path.name for path in kept.files}
    for path in folder.glob("*.parquet"):
        if path.name not in needed and time.time() - path.stat().st_mtime > GRACE_S:
            path.unlink(missing_ok=True)
