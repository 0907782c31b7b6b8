"""Rows newer than the snapshot: an append-only log that every process reads on from where it was.

A header says how many bytes count (mapped by the readers, so asking costs nothing); then records of
length, checksum and MessagePack. One writer at a time, under the store's lock; what a writer that died had
not yet declared is overwritten by the next.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from smart_reach.engine.errors import Integrity
from smart_reach.engine.features.online.layout import Values

_HEADER, _RECORD = 16, struct.Struct("<II")  # header: bytes that count, records


class DeltaLog:
    """The log of one generation. `rows` holds the newest values of each customer in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if os.fstat(self._fd).st_size < _HEADER:
            os.pwrite(self._fd, bytes(_HEADER), 0)
        self._map = mmap.mmap(self._fd, _HEADER)
        self._header = memoryview(self._map).cast("q")
        self._read = 0
        self.rows: dict[str, Values] = {}

    @property
    def behind(self) -> bool:
        """Whether there are records that this process has not read."""
        return bool(self._header[0] != self._read)

    @property
    def position(self) -> int:
        """How far this process has read, bytes; `rows` holds all of it."""
        return self._read

    @property
    def records(self) -> int:
        """How many records were ever written."""
        return int(self._header[1])

    def catch_up(self) -> None:
        """Read on to the end. Raises `Integrity` on a record that is not what was written."""
        end = self._header[0]
        data = os.pread(self._fd, end - self._read, _HEADER + self._read)
        place = 0
        while place < len(data):
            length, checksum = _RECORD.unpack_from(data, place)
            body = data[place + _RECORD.size : place + _RECORD.size + length]
            if len(body) != length or zlib.crc32(body) != checksum:
                raise Integrity(
                    f"{self._path} is damaged.", hint="Run a refresh of the features: it is made anew."
                )
            customer, *values = msgspec.msgpack.decode(body)
            self.rows[customer] = tuple(values)
            place += _RECORD.size + length
        self._read += len(data)

    def append(self, rows: Iterable[tuple[str, Values]]) -> None:
        """Add records; readers see all of them or none. The caller holds the store's lock."""
        bodies = [msgspec.msgpack.encode([customer, *values]) for customer, values in rows]
        data = b"".join(_RECORD.pack(len(body), zlib.crc32(body)) + body for body in bodies)
        _write_all(self._fd, data, _HEADER + self._header[0])
        self._header[1] += len(bodies)
        self._header[0] += len(data)

    def close(self) -> None:
        """Give back the file, once: by a second time its number may be another file's."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._header.release()
            self._map.close()
            os.close(fd)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, ValueError, OSError):  # closed before, or never opened
            self.close()


def _write_all(fd: int, data: bytes, at: int) -> None:
    view: Any = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written
