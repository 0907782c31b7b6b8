"""Bytes of a file in whole lines: plain or gzip, bounded in memory, honest about a file that is cut off."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from smart_reach.engine.errors import InvalidInput

LONGEST_LINE = 1 << 20
KEPT = 64 * 1024
_BLOCK = 4 << 20


@dataclass(frozen=True)
class LongLine:
    """A line beyond the limit: its number from 0, how it begins, how long it is."""

    number: int
    head: bytes
    size: int


class WholeLines(io.RawIOBase):
    """A readable file that ends after the last whole line when a gzip stream breaks off.

    `cut`: what to tell the user then. `quotes`: how many `"` went by.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = open_bytes(path)
        self._read = self._file.read1 if isinstance(self._file, gzip.GzipFile) else self._file.read
        self._ready = b""
        self._tail = b""
        self._ended = False
        self.cut: str | None = None
        self.quotes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = _BLOCK if size is None or size < 0 else size
        while len(self._ready) < size and not self._ended:
            self._fill()
        found, self._ready = self._ready[:size], self._ready[size:]
        self.quotes += found.count(b'"')
        return found

    def _fill(self) -> None:
        try:
            block = self._read(_BLOCK)  # of gzip: what is there, so that a broken end costs no more
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.cut = f"The gzip stream breaks off ({error}); get the file again."
            self._tail, block = b"", b""  # a line that may be half a line is not a line
        if not block:
            self._ended = True
            self._ready, self._tail = self._ready + self._tail, b""
            return
        end = block.rfind(b"\n") + 1
        if end:
            self._ready += self._tail + block[:end]
            self._tail = block[end:]
        else:
            self._tail += block
            if len(self._tail) > 8 * _BLOCK:  # no line end for so long: whoever reads will refuse it
                self._ready, self._tail = self._ready + self._tail, b""

    def close(self) -> None:
        self._file.close()
        super().close()


def open_bytes(path: Path) -> BinaryIO | gzip.GzipFile:
    """The file's bytes, inflated when they are gzip."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


class Lines:
    """Lines of a file from a number on; blank lines count but are not given."""

    def __init__(self, path: Path, first: int = 0) -> None:
        self._name = path.name
        self._file = WholeLines(path)
        self._found = self._walk()
        self.number = 0
        while self.number < first and next(self._found, None) is not None:
            pass

    def take(self, limit: int, most_bytes: int = 16 << 20) -> Iterator[tuple[int, bytes | LongLine]]:
        """The next lines, at most so many and so large together. Raises `InvalidInput` when cut off."""
        taken = size = 0
        while taken < limit and size < most_bytes:
            found = next(self._found, None)
            if found is None:
                break
            line = found[1]
            if isinstance(line, LongLine) or line.strip():
                taken += 1
                size += len(line) if isinstance(line, bytes) else KEPT
                yield found
        if taken == 0 and self._file.cut:
            raise InvalidInput(f"{self._name}, after line {self.number}", "cut off", self._file.cut)

    def _walk(self) -> Iterator[tuple[int, bytes | LongLine]]:
        held, dropped = b"", 0
        while block := self._file.read(_BLOCK):
            pieces = block.split(b"\n")
            for piece in pieces[:-1]:
                yield self._number(held, piece, dropped)
                held, dropped = b"", 0
            held, dropped = _hold(held, pieces[-1], dropped)
        if held:
            yield self._number(held, b"", dropped)

    def _number(self, held: bytes, piece: bytes, dropped: int) -> tuple[int, bytes | LongLine]:
        number, size = self.number, len(held) + len(piece) + dropped
        self.number += 1
        if size > LONGEST_LINE:
            return number, LongLine(number, (held + piece[:KEPT])[:KEPT], size)
        line = (held + piece).rstrip(b"\r")
        return number, line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line

    def close(self) -> None:
        self._file.close()


def _hold(held: bytes, piece: bytes, dropped: int) -> tuple[bytes, int]:
    """Keep an unfinished line; of one that is too long already only its beginning."""
    if len(held) + len(piece) + dropped <= LONGEST_LINE:
        return held + piece, 0
    kept = (held + piece)[:KEPT]
    return kept, len(held) + len(piece) + dropped - len(kept)
