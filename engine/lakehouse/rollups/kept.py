"""What is kept on disk: base rows, an overlay that supersedes some of them, and which events they hold."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from smart_reach.engine.lakehouse.rollups.messages import MESSAGES_SQL

# Rows made by another version's SQL are not ours: they are made again.
VERSION = sha256(MESSAGES_SQL.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Cover:
    """A file of events that the rollup holds: its rows, their digest, its day since 1970."""

    rows: int
    digest: str
    day: int


@dataclass(frozen=True)
class Span:
    """First and last time of events, and when the newest arrived: microseconds since 1970, null for none."""

    oldest: int | None = None
    newest: int | None = None
    received: int | None = None

    def with_(self, other: Span) -> Span:
        """The span of both."""
        firsts = [at for at in (self.oldest, other.oldest) if at is not None]
        lasts = [at for at in (self.newest, other.newest) if at is not None]
        arrivals = [at for at in (self.received, other.received) if at is not None]
        return Span(min(firsts, default=None), max(lasts, default=None), max(arrivals, default=None))


@dataclass(frozen=True)
class Kept:
    """One state of the messages rollup.

    `base` is a Parquet file of messages by time sent, `firsts` each customer's first one in it. `overlay` has
    the messages that changed since, whole; its column `replaces` is the row number in `base` that it
    supersedes (null: a new message).
    """

    folder: Path
    base: str
    base_rows: int
    covers: Mapping[str, Cover]
    span: Span
    firsts: str
    overlay: str | None = None
    overlay_rows: int = 0

    @property
    def files(self) -> list[Path]:
        """The Parquet files of this state."""
        return [self.folder / name for name in (self.base, self.firsts, self.overlay) if name]

    def fits(self, files: Collection[str]) -> bool:
        """Whether every event it holds is in these files, so that the rest of them completes it."""
        return self.covers.keys() <= set(files)


def folder_of(root: Path) -> Path:
    return root / "rollups" / "messages"


def load(root: Path) -> Kept | None:
    """The state that is in force; None when there is none that this version can read."""
    path = folder_of(root) / "state.json"
    try:
        stat = path.stat()
    except OSError:
        return None
    kept = _parse(path, stat.st_mtime_ns, stat.st_ino)
    return kept if kept is not None and all(file.exists() for file in kept.files) else None


@lru_cache(maxsize=8)
def _parse(path: Path, changed: int, inode: int) -> Kept | None:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if raw.pop("version", None) != VERSION:
        return None
    covers = {name: Cover(*values) for name, values in raw.pop("covers").items()}
    return Kept(path.parent, covers=covers, span=Span(**raw.pop("span")), **raw)


def save(kept: Kept) -> None:
    """Put the state in force: readers see the one before or this one."""
    raw = asdict(kept)
    raw.pop("folder")
    raw["covers"] = {name: [c.rows, c.digest, c.day] for name, c in kept.covers.items()}
    fresh = kept.folder / f"{uuid.uuid4().hex}.json"
    fresh.write_text(json.dumps({"version": VERSION, **raw}), encoding="utf-8")
    os.replace(fresh, kept.folder / "state.json")
