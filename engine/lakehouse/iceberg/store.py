"""Where the files of the tables are: a path on this machine stands for each, whatever its address."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """The seam between tables and their files. A catalog has one as `store`, its tables by their catalog."""

    def path(self, address: str) -> str:
        """The local path that stands for the file at an address."""

    def address(self, path: str) -> str:
        """The address of the file that a local path stands for."""

    def fetch(self, paths: Iterable[str]) -> None:
        """Have these files on this machine; those that are no more stay away without an error."""

    def seal(self, data: Iterable[str], metadata: Iterable[str]) -> None:
        """Have written files, by address, where no failure takes them, before anything points at them."""

    def own(self, location: str) -> str:
        """The address of the folder that holds nothing but the lake's, given a table's location."""

    def present(self, address: str) -> dict[str, int]:
        """Paths and sizes of all files below an address, also of copies kept here."""

    def delete(self, paths: Iterable[str]) -> int:
        """Delete these files and all copies kept here; returns how many there were."""


def local_path(address: str) -> str:
    """The path of a `file://` address."""
    return address.removeprefix("file://")


class LocalStore:
    """Files in the workspace: a path is its own address."""

    def path(self, address: str) -> str:
        return local_path(address)

    def address(self, path: str) -> str:
        return f"file://{path}"

    def fetch(self, paths: Iterable[str]) -> None:
        """They are here."""

    def seal(self, data: Iterable[str], metadata: Iterable[str]) -> None:
        make_durable([*data, *metadata])

    def own(self, location: str) -> str:
        return str(Path(local_path(location)).parent)

    def present(self, address: str) -> dict[str, int]:
        files = sorted(path for path in Path(local_path(address)).rglob("*") if path.is_file())
        return {str(path): path.stat().st_size for path in files}

    def delete(self, paths: Iterable[str]) -> int:
        return sum(_unlink(path) for path in paths)


def make_durable(addresses: Iterable[str]) -> None:
    """Have written files on the disk.

    All at once: a disk takes about as long for four as for one.
    """
    paths = [local_path(address) for address in addresses]
    if len(paths) == 1:
        _to_disk(paths[0])
    elif paths:
        with ThreadPoolExecutor(min(8, len(paths))) as pool:
            list(pool.map(_to_disk, paths))


def _unlink(path: str) -> bool:
    try:
        Path(path).unlink()
    except FileNotFoundError:
        return False
    return True


def _to_disk(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
