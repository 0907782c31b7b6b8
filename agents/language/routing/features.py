"""Turns a request into numbers: sentence meaning beside hashed words and letter groups.

Meaning carries over to words that training never saw; letter groups survive typing errors; words keep
the small differences ("check this copy", "write this copy") that a sentence vector blurs.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

BUCKETS: Final = 1 << 14
DIMENSIONS: Final = 384
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[?%&]")
_ID = re.compile(r"\b(cus_|prp-|exp-|dec-)\d+", re.IGNORECASE)

Floats = npt.NDArray[np.float32]


class TextEmbedder(Protocol):
    """Anything that turns texts into unit vectors of shape (n, 384)."""

    def embed(self, texts: Sequence[str]) -> Floats: ...


def normalise(text: str) -> str:
    """Lower case, single spaces, ids without their digits (an id says what it names, not which)."""
    return " ".join(_ID.sub(r"\g<1>id", text).lower().split())


def bucket_counts(text: str) -> Counter[int]:
    """How often each hashed word, pair of words and letter group occurs. CRC-32: the same everywhere."""
    return Counter(zlib.crc32(gram.encode()) % BUCKETS for gram in _grams(normalise(text)))


def _grams(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from (f"w:{word}" for word in words)
    yield from (f"w:{first} {second}" for first, second in pairwise(words))
    for word in words:
        padded = f" {word} "
        for size in (3, 4, 5):
            yield from (f"c:{padded[start : start + size]}" for start in range(len(padded) - size + 1))


def hashed(text: str, idf: Floats) -> Floats:
    """Sublinear tf-idf over the buckets; shape (BUCKETS,), norm 1 or 0."""
    row = np.zeros(BUCKETS, dtype=np.float32)
    for bucket, count in bucket_counts(text).items():
        row[bucket] = (1.0 + np.log(count)) * idf[bucket]
    norm = float(np.linalg.norm(row))
    return (row / np.float32(norm)).astype(np.float32) if norm else row


def sentence(embedder: TextEmbedder, text: str) -> Floats:
    """The sentence vector; one text at a time, since padding in a batch moves an int8 model's output."""
    vector: Floats = embedder.embed([normalise(text)])[0]
    return vector
