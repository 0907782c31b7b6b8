"""Files in object storage, with copies of those that were read or written in a folder of the lake."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from smart_reach.engine.errors import Integrity, Unavailable
from smart_reach.engine.lakehouse.iceberg.store import make_durable

# A copy used this recently is not taken away: a reader opens its files again with every query.
IN_USE_S = 900.0
_TOUCH_S = 60.0
# These are the catalog's to write and to delete; they name nobody.
METADATA = ".metadata.json"
_AT_ONCE = 8


class RemoteStore:
    """Data files never change, so a copy is as good as the file. `root/remote` mirrors the addresses.

    Copies are made whole or not at all, by any number of processes. Together they take `limit` bytes at
    most, the longest unused going first, but those in use are never taken away. Nothing is copied while
    files are deleted, so that no copy of a deleted file is made afterwards.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self._folder = root / "remote"
        self._limit = limit
        self._ios: dict[str, Any] = {}
        self._guard = threading.Lock()

    def learn(self, location: str, io: Any) -> None:
        """Which pyiceberg FileIO reaches the files below a table's location."""
        with self._guard:
            self._ios[self.address(self.path(location)) + "/"] = io

    def path(self, address: str) -> str:
        scheme, _, rest = address.partition("://")
        if not rest or ".." in rest.split("/"):
            raise Integrity(f"The catalog names a file at {address!r}, which is no address.")
        # Java writes s3a:// for the same place
        return str(self._folder / ("s3" if scheme in {"s3a", "s3n"} else scheme) / rest.lstrip("/"))

    def address(self, path: str) -> str:
        scheme, _, rest = str(Path(path).relative_to(self._folder)).partition("/")
        return f"{scheme}://{'/' if scheme == 'file' else ''}{rest}"

    def fetch(self, paths: Iterable[str]) -> None:
        paths = list(paths)
        if not paths:
            return
        with self._locked(fcntl.LOCK_SH):
            missing = [path for path in dict.fromkeys(paths) if not _touch(path)]
        if missing:
            with ThreadPoolExecutor(min(_AT_ONCE, len(missing))) as pool:
                list(pool.map(self._copy, missing))
            self._trim()

    def seal(self, data: Iterable[str], metadata: Iterable[str]) -> None:
        """Object storage keeps what it has taken; the metadata was written there."""
        addresses = list(data)
        make_durable([self.path(address) for address in addresses])
        if addresses:
            with ThreadPoolExecutor(min(_AT_ONCE, len(addresses))) as pool:
                list(pool.map(self._upload, addresses))
            self._trim()

    def own(self, location: str) -> str:
        """Only the table's: others may have their tables beside it."""
        return self.address(self.path(location))

    def present(self, address: str) -> dict[str, int]:
        from pyarrow.fs import FileSelector, FileType

        mirror = Path(self.path(address))
        address = self.address(str(mirror))
        found = {str(path): path.stat().st_size for path in sorted(mirror.rglob("*")) if path.is_file()}
        system, place = self._system(address)
        with _answering():
            infos = system.get_file_info(FileSelector(place, allow_not_found=True, recursive=True))
        return found | {
            str(mirror / str(info.path)[len(place) :].lstrip("/")): int(info.size)
            for info in infos
            if info.type == FileType.File and not str(info.path).endswith(METADATA)
        }

    def delete(self, paths: Iterable[str]) -> int:
        with self._locked(fcntl.LOCK_EX):
            self._drop_partial()
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                return sum(pool.map(self._delete, list(paths)))

    def _copy(self, path: str) -> None:
        """Have one file here. Whoever deletes waits for us, and we see what it left."""
        with self._locked(fcntl.LOCK_SH), contextlib.suppress(FileNotFoundError):
            if Path(path).exists():
                return
            address = self.address(path)
            part = self._folder / "parts" / uuid.uuid4().hex
            part.parent.mkdir(parents=True, exist_ok=True)
            try:
                with (
                    _answering(),
                    self._io(address).new_input(address).open(seekable=False) as source,
                    part.open("wb") as target,
                ):
                    shutil.copyfileobj(source, target, 1 << 20)
                make_durable([str(part)])
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)

    def _upload(self, address: str) -> None:
        # its name was never used before, so asking for it first would only cost time
        output = self._io(address).new_output(address)
        with (
            _answering(),
            Path(self.path(address)).open("rb") as source,
            output.create(overwrite=True) as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)

    def _delete(self, path: str) -> bool:
        """First there, then here: an interruption leaves a copy that the next deletion finds."""
        system, place = self._system(self.address(path))
        try:
            with _answering():
                system.delete_file(place)
            there = True
        except FileNotFoundError:
            there = False
        here = Path(path).exists()
        Path(path).unlink(missing_ok=True)
        return there or here

    def _drop_partial(self) -> None:
        """Nobody copies now: what is there was left by killed processes."""
        for part in (self._folder / "parts").glob("*"):
            part.unlink(missing_ok=True)

    def _trim(self) -> None:
        """Take away the longest unused copies beyond the limit; later if somebody is copying."""
        with contextlib.suppress(BlockingIOError), self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
            self._drop_partial()
            copies = [(path.stat(), path) for path in self._folder.rglob("*.parquet")]
            total = sum(stat.st_size for stat, _ in copies)
            for stat, path in sorted(copies, key=lambda copy: copy[0].st_mtime):
                if total <= self._limit or time.time() - stat.st_mtime < IN_USE_S:
                    return
                path.unlink()
                total -= stat.st_size

    def _io(self, address: str) -> Any:
        with self._guard:
            found = [location for location in self._ios if address.startswith(location)]
            if found:
                return self._ios[max(found, key=len)]
        raise Integrity(f"The file at {address} is outside the tables' locations.")

    def _system(self, address: str) -> tuple[Any, str]:
        """pyarrow's file system for an address, and the path in it."""
        io = self._io(address.rstrip("/") + "/")
        scheme, netloc, place = io.parse_location(address)
        return io.fs_by_scheme(scheme, netloc), place

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as handle:
            fcntl.flock(handle, how)
            yield


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """`Unavailable` when object storage does not do what it should; a full disk here stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Unavailable(f"The lake's object storage does not answer: {error}") from error


def _touch(path: str) -> bool:
    """Whether the copy is here; then it counts as used now."""
    try:
        if time.time() - os.stat(path).st_mtime > _TOUCH_S:
            os.utime(path)
    except FileNotFoundError:
        return False
    return True
