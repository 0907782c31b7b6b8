"""Finds the values of a closed vocabulary in free text: alias, near-spelling, then meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from rapidfuzz import fuzz

from smart_reach.agents.language.routing.corpus import load_yaml
from smart_reach.agents.language.routing.features import Floats, TextEmbedder, sentence

NEAR_SPELLING: Final = 86.0
NEAR_MEANING: Final = 0.5
_WORD: Final = re.compile(r"[\w%]+")


class ValueFinder:
    """Looks for vocabulary values in a text. The vectors of aliases are kept for the process."""

    def __init__(self, embedder: TextEmbedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, Floats] = {}

    def find(self, values: Sequence[str], text: str) -> str | None:
        """The value whose name is said; the longest name wins, then the earliest. None when none is."""
        hits = alias_hits(tuple(values), text) or _near_hits(tuple(values), text)
        return hits[0][1] if hits else None

    def find_all(self, values: Sequence[str], text: str) -> list[str]:
        """Every value that is said, in order of mention."""
        hits = alias_hits(tuple(values), text)
        return list(dict.fromkeys(value for _, value in sorted((place, value) for place, value in hits)))

    def closest(self, values: Sequence[str], text: str) -> str | None:
        """The value nearest in meaning, when it is near enough and clearly nearest."""
        if not text.strip() or not values:
            return None
        vector = sentence(self._embedder, text)
        scores = sorted(
            (
                (max(float(vector @ self._vector(name)) for name in names_of(value)), value)
                for value in values
            ),
            reverse=True,
        )
        if scores[0][0] < NEAR_MEANING or (len(scores) > 1 and scores[0][0] - scores[1][0] < 0.05):
            return None
        return scores[0][1]

    def _vector(self, name: str) -> Floats:
        if name not in self._vectors:
            self._vectors[name] = np.asarray(sentence(self._embedder, name))
        return self._vectors[name]


def without(values: tuple[str, ...], text: str) -> str:
    """The text with every name of these values taken out, together with the preposition before it."""
    names = "|".join(
        re.escape(name) for name in sorted({n for v in values for n in names_of(v)}, key=len)[::-1]
    )
    lead = (
        r"(?:(?:only|just)\s+)?(?:(?:by|via|through|on|over|with|for|in|as|to|among)\s+)?(?:(?:an?|the)\s+)?"
    )
    bare = re.sub(
        rf"\s*(?<![\w-]){lead}(?:{names})(?![\w-])(?:\s+(?:customers|clients|only))?", "", text, flags=re.I
    )
    return re.sub(r"\s+", " ", bare).strip()


@lru_cache(maxsize=512)
def names_of(value: str) -> tuple[str, ...]:
    """A value's own words and its aliases, longest first."""
    plain = re.sub(r"[-_]+", " ", value).lower()
    names = {plain, value.lower(), *(str(name).lower() for name in load_yaml("aliases").get(value, ()))}
    if not plain.endswith("s"):
        names.add(f"{plain}s")
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


def alias_hits(values: tuple[str, ...], text: str) -> list[tuple[int, str]]:
    """(place, value) of names that `text` says, longest first; a name inside a longer one is not said."""
    low = re.sub(r"\s+", " ", text.lower())
    names = sorted(
        ((name, value) for value in values for name in names_of(value)),
        key=lambda pair: (-len(pair[0]), pair[0]),
    )
    taken: list[range] = []
    hits: list[tuple[int, int, str]] = []
    for name, value in names:
        for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", low):
            if any(match.start() in span for span in taken):
                continue
            taken.append(range(match.start(), match.end()))
            hits.append((-len(name), match.start(), value))
    return [(place, value) for _, place, value in sorted(hits)]


def _near_hits(values: tuple[str, ...], text: str) -> list[tuple[int, str]]:
    """The best misspelt name of five letters or more, if any is near enough."""
    words = _WORD.findall(text.lower())
    best: tuple[float, str] | None = None
    for value in values:
        for name in names_of(value):
            if len(name) < 5:
                continue
            size = len(name.split())
            for start in range(max(1, len(words) - size + 1)):
                score = fuzz.ratio(name, " ".join(words[start : start + size]), score_cutoff=NEAR_SPELLING)
                if score and (best is None or score > best[0]):
                    best = (score, value)
    return [(0, best[1])] if best else []
