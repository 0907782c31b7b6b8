"""The memory-mapped snapshot: one fixed-width row a customer, found by a hash of the id.

Files of one generation: `rows` (float64: as_of in µs, then the features; a category is the place of its word
in `meta.json`, −1 when missing), `ids` and `starts` (the ids one after the other), `buckets` (where the rows
of each hash begin; rows are kept in the order of their hashes). They never change once they are named.
"""

from __future__ import annotations

import itertools
import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.features.online.layout import Layout, numbers

_META = "meta.json"


class Base:
    """One generation, read only. Several processes may map the same files."""

    def __init__(self, folder: Path) -> None:
        meta = json.loads((folder / _META).read_text())
        self.layout = Layout(tuple(meta["names"]), tuple(meta["texts"]))
        self.lake_snapshot: int | None = meta["lake_snapshot"]
        self.count: int = meta["rows"]
        self._words: dict[int, list[str | None]] = {
            place: [*words, None] for place, words in zip(self.layout.texts, meta["words"], strict=True)
        }
        self._matrix = _map(folder / "rows", np.float64).reshape(self.count, len(self.layout.names) + 1)
        self._blob = _view(_map(folder / "ids", np.uint8))
        self._starts = _view(_map(folder / "starts", np.int64))
        self._buckets = _view(_map(folder / "buckets", np.int32))
        self._mask = len(self._buckets) - 2
        self._raw = _view(self._matrix).cast("B") if self.count else memoryview(b"")
        self._struct = struct.Struct(f"={len(self.layout.names) + 1}d")

    def place(self, customer_id: str) -> int | None:
        """The row of a customer."""
        key = customer_id.encode()
        bucket = zlib.crc32(key) & self._mask
        for row in range(self._buckets[bucket], self._buckets[bucket + 1]):
            if self._blob[self._starts[row] : self._starts[row + 1]] == key:
                return row
        return None

    def values(self, row: int) -> list[Any]:
        """as_of in µs and the features of one row."""
        values: list[Any] = list(self._struct.unpack_from(self._raw, row * self._struct.size))
        for place, words in self._words.items():
            values[place + 1] = words[int(values[place + 1])]
        return values

    def ids(self) -> list[str]:
        """All customers, in the order of the rows."""
        blob, starts = bytes(self._blob), list(self._starts)
        return [blob[a:b].decode() for a, b in itertools.pairwise(starts)]

    def frame(self, rows: npt.NDArray[np.int64], ids: Sequence[str]) -> pd.DataFrame:
        """Some rows as a frame."""
        matrix = self._matrix[rows]
        columns: dict[int, Any] = {place: matrix[:, place + 1] for place in range(len(self.layout.names))}
        for place, words in self._words.items():
            columns[place] = np.array(words, dtype=object)[columns[place].astype(np.int64)]
        return self.layout.assemble(ids, matrix[:, 0].astype(np.int64), columns)

    def table(self) -> pa.Table:
        """Everything as a features table, to build the next generation from."""
        data: dict[str, Any] = {"customer_id": pa.array(self.ids(), pa.string())}
        micros = self._matrix[:, 0].astype(np.int64)
        data["as_of"] = pa.array(micros, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
        for place, name in enumerate(self.layout.names):
            column = self._matrix[:, place + 1]
            if place in self._words:
                words = np.array(self._words[place], dtype=object)
                data[name] = pa.array(words[column.astype(np.int64)], pa.string())
            else:
                data[name] = pa.array(column, pa.float64())
        return pa.table(data)


def write_base(folder: Path, layout: Layout, table: pa.Table, lake_snapshot: int | None) -> None:
    """Write a generation's files; `table`: customer_id (each once), as_of, features. Raises OSError."""
    keys = [one.encode() for one in table["customer_id"].to_pylist()]
    size = 1 << max(4, (2 * len(keys) - 1).bit_length())
    hashes = np.fromiter((zlib.crc32(key) for key in keys), np.int64, len(keys)) & (size - 1)
    order = np.argsort(hashes, kind="stable")
    counts = np.bincount(hashes, minlength=size)
    _write(folder / "buckets", np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    sorted_keys = [keys[row] for row in order]
    lengths = np.fromiter((len(key) for key in sorted_keys), np.int64, len(keys))
    _write(folder / "starts", np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    (folder / "ids").write_bytes(b"".join(sorted_keys))
    words = _write_rows(folder / "rows", layout, table, order)
    meta = {**layout.as_json(), "rows": len(keys), "words": words, "lake_snapshot": lake_snapshot}
    (folder / _META).write_text(json.dumps(meta, ensure_ascii=False))


def _write_rows(path: Path, layout: Layout, table: pa.Table, order: npt.NDArray[np.int64]) -> list[list[str]]:
    """Fill the matrix column by column; returns each category's words."""
    shape = (len(order), len(layout.names) + 1)
    with path.open("wb") as file:
        if len(order):  # reserved first: a full disk is then an error here, not a crash while writing
            os.posix_fallocate(file.fileno(), 0, shape[0] * shape[1] * 8)
    matrix = np.memmap(path, np.float64, "r+", shape=shape) if len(order) else np.empty(shape)
    words = []
    for place, column, known in _columns(layout, table):
        matrix[:, place] = column[order]
        if known is not None:
            words.append(known)
    if isinstance(matrix, np.memmap):
        matrix.flush()
    return words


def _columns(
    layout: Layout, table: pa.Table
) -> Iterator[tuple[int, npt.NDArray[np.float64], list[str] | None]]:
    stamps = pc.cast(table["as_of"].cast(pa.timestamp("us", tz="UTC")), pa.int64())
    yield 0, stamps.to_numpy().astype(np.float64), None  # exact: microseconds stay below 2^53 until 2255
    for place, name in enumerate(layout.names):
        if place not in layout.texts:
            yield place + 1, numbers(table[name]), None
            continue
        coded = pc.cast(table[name], pa.string()).combine_chunks().dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.float64)
        yield place + 1, codes, coded.dictionary.to_pylist()


def _write(path: Path, array: npt.NDArray[Any]) -> None:
    path.write_bytes(array.tobytes())


def _map(path: Path, kind: Any) -> npt.NDArray[Any]:
    """The file as an array; an empty file cannot be mapped."""
    if path.stat().st_size == 0:
        return np.empty(0, kind)
    return np.asarray(np.memmap(path, kind, "r"))


def _view(array: Any) -> memoryview:
    """The array's memory; reading one number of it is far cheaper than through numpy."""
    return memoryview(array)
