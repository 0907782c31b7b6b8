"""Which snapshot is the newest, and how the next one takes its place while others read."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from smart_reach.engine.features.online.base import Base
from smart_reach.engine.features.online.delta import DeltaLog

_SIZE = 8


class Generation:
    """One snapshot with its log, as a process holds it open."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.base = Base(folder)
        self.delta = DeltaLog(folder / "delta")


class Generations:
    """The folder of generations. `current` is a mapped number, so asking for it costs no system call."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        with self.writing():
            self._fd = os.open(folder / "current", os.O_RDWR | os.O_CREAT, 0o600)
            if os.fstat(self._fd).st_size < _SIZE:
                os.pwrite(self._fd, bytes(_SIZE), 0)
        self._map = mmap.mmap(self._fd, _SIZE)
        self._number = memoryview(self._map).cast("q")

    @property
    def current(self) -> int:
        """Number of the newest generation; 0 while there is none."""
        return int(self._number[0])

    def open(self) -> Generation | None:
        """The newest generation; None while there is none."""
        while number := self.current:
            try:
                return Generation(number, self.folder / f"g-{number:08d}")
            except FileNotFoundError:
                if number == self.current:  # not replaced while we opened it: files are missing
                    return None
        return None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Only one process and thread at a time; the lock goes with a process that dies."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def replace(self, write: Callable[[Path], None]) -> None:
        """Put a new generation in place of the newest and delete the files of all others.

        `write(folder)` makes its files. The caller holds `writing()`. A reader that still maps the old files
        keeps them until its next read. On an error nothing changes.
        """
        number = self.current + 1
        target, made = self.folder / f"g-{number:08d}", self.folder / f"new-{number:08d}"
        for left_over in (target, made):
            shutil.rmtree(left_over, ignore_errors=True)
        try:
            made.mkdir(mode=0o700)
            write(made)
            DeltaLog(made / "delta").close()
            made.rename(target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        self._number[0] = number
        for old in self.folder.iterdir():
            if old.is_dir() and old != target:
                shutil.rmtree(old, ignore_errors=True)
