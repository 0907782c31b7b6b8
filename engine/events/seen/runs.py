"""Sorted runs on disk: 64-bit key → 64-bit value, by day, memory-mapped, merged as they grow.

A cache of what the lake holds: it may be deleted at any time. A run is written whole and synced before the
manifest names it, so a crash leaves at worst a file that nothing names.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_TOGETHER = 8  # so many runs of one size become one
_SMALLEST = 4096
_SLICE = 1 << 20  # rows merged at a time, so that merging needs little memory


@dataclass(frozen=True)
class Run:
    """One file: `count` sorted keys, then their values."""

    name: str
    day: int
    count: int


class Runs:
    """The runs of one folder. Not safe between threads or processes: use it in the lake's writer lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mapped: dict[str, tuple[Words, Words]] = {}
        self.runs: tuple[Run, ...] = ()

    def use(self, runs: tuple[Run, ...]) -> None:
        """Take these as the runs there are."""
        names = {run.name for run in runs}
        self._mapped = {name: arrays for name, arrays in self._mapped.items() if name in names}
        self.runs = runs

    def find(self, keys: Words, since: int) -> tuple[NDArray[np.bool_], Words]:
        """For each of the sorted keys: is it here under a day from `since`, and with which value (else 0)."""
        found, values = np.zeros(len(keys), bool), np.zeros(len(keys), np.uint64)
        for run in self.runs:
            if run.day < since:
                continue
            have, what = self._arrays(run)
            place = np.minimum(np.searchsorted(have, keys), len(have) - 1)
            hit = (have[place] == keys) & ~found
            values[hit] = what[place[hit]]
            found |= hit
        return found, values

    def add(self, day: int, keys: Words, values: Words) -> None:
        """Keep these under a day; call `save` (of the manifest) afterwards, else they are forgotten."""
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        self.runs += (self._write(day, keys[order], values[order]),)
        self._merge(day)

    def drop_before(self, day: int) -> None:
        """Forget the days before this one."""
        self.use(tuple(run for run in self.runs if run.day >= day))

    def whole(self) -> bool:
        """Whether every file is there in its full length."""
        try:
            for run in self.runs:
                self._arrays(run)
        except (OSError, ValueError):
            return False
        return True

    def _arrays(self, run: Run) -> tuple[Words, Words]:
        if run.name not in self._mapped:
            path = self._folder / run.name
            if path.stat().st_size != run.count * 16:
                raise OSError(f"{path} is not whole")
            words: Any = np.memmap(path, np.uint64, "r")
            self._mapped[run.name] = (words[: run.count], words[run.count :])
        return self._mapped[run.name]

    def _write(self, day: int, keys: Words, values: Words) -> Run:
        run = Run(f"{uuid.uuid4().hex}.run", day, len(keys))
        with open(self._folder / run.name, "wb") as file:
            file.write(keys.data)
            file.write(values.data)
            file.flush()
            os.fsync(file.fileno())
        return run

    def _merge(self, day: int) -> None:
        """Merge the day's runs of one size class once there are enough; may cascade upward."""
        classes: dict[int, list[Run]] = defaultdict(list)
        for run in self.runs:
            if run.day == day:
                classes[_size_class(run.count)].append(run)
        for size in sorted(classes):
            if len(classes[size]) >= _TOGETHER:
                merged = self._merged(day, classes[size])
                self.use((*(run for run in self.runs if run not in classes[size]), merged))
                self._merge(day)
                return

    def _merged(self, day: int, runs: list[Run]) -> Run:
        """One run of all, written in slices of the key space; of equal keys the first run's stays."""
        parts = [self._arrays(run) for run in runs]
        total = sum(run.count for run in runs)
        edges = np.linspace(0, 2**64 - 1, total // _SLICE + 2)[1:-1].astype(np.uint64)
        cuts = [[0, *np.searchsorted(keys, edges).tolist(), len(keys)] for keys, _ in parts]
        path = self._folder / f"{uuid.uuid4().hex}.run"
        count = 0
        with open(path, "wb") as file, open(path.with_suffix(".values"), "w+b") as beside:
            for number in range(len(edges) + 1):
                keys, values = _merge_slice(parts, cuts, number)
                count += len(keys)
                file.write(keys.data)
                beside.write(values.data)
            beside.seek(0)
            while block := beside.read(1 << 22):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".values").unlink()
        return Run(path.name, day, count)


def _merge_slice(parts: list[tuple[Words, Words]], cuts: list[list[int]], number: int) -> tuple[Words, Words]:
    pieces = [
        (keys[cut[number] : cut[number + 1]], values[cut[number] : cut[number + 1]])
        for (keys, values), cut in zip(parts, cuts, strict=True)
    ]
    keys = np.concatenate([piece[0] for piece in pieces])
    unique, first = np.unique(keys, return_index=True)
    return unique, np.concatenate([piece[1] for piece in pieces])[first]


def _size_class(count: int) -> int:
    return max(0, (count // _SMALLEST).bit_length() + 2) // 3


@dataclass(frozen=True)
class Manifest:
    """What the folder holds: ids and deliveries of everything up to `snapshot`, from `first_day` on."""

    form: str
    snapshot: int | None
    first_day: int
    ids: tuple[Run, ...]
    deliveries: tuple[Run, ...]
    opens: tuple[Run, ...]

    def save(self, folder: Path) -> None:
        """Replace the manifest in one step."""
        draft = folder / f"manifest.{os.getpid()}.tmp"
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(folder / "manifest.json")

    @classmethod
    def load(cls, folder: Path, form: str) -> Manifest | None:
        """The manifest, or None when there is none of this form."""
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            body = json.loads((folder / "manifest.json").read_text())
            lists = (tuple(Run(**run) for run in body[name]) for name in ("ids", "deliveries", "opens"))
            manifest = cls(body["form"], body["snapshot"], body["first_day"], *lists)
            return manifest if manifest.form == form else None
        return None
