"""Words → metrics, dimensions and values: exact longest match first, then near misses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import OSA

from smart_reach.engine.metrics.model import GENERIC, SemanticModel

Kind = Literal["metric", "dimension", "value", "ambiguous"]
_TOKEN = re.compile(r"\d{4}-\d{2}-\d{2}|[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?[a-z]*\+?|[%€&]")
_REWRITES = [
    (re.compile(r"\be[- ]?mail"), "email"),
    (re.compile(r"\bv\.?s\b\.?"), "vs"),
    (re.compile(r"\bwhat's\b"), "what is"),
    (re.compile(r"\bhow's\b"), "how is"),
    (re.compile(r"(?<=\d),(?=\d{3})"), ""),
    # people are counted once in any case: unique people opened
    (
        re.compile(
            r"\b(?:unique|distinct|different|individual)"
            r" (?:people|customers|clients|users|recipients|persons)"
            r"(?= (?:who |have |has |that |had )*(?:open|read|click|tap|convert|bought|buy|sign|opt|unsub))"
        ),
        "people",
    ),
    (re.compile(r"(?<=[a-z])\.(?=[a-z0-9])"), " "),
]


def tokens_of(text: str) -> list[str]:
    """Lower-case words and numbers of a question; hyphens, dots and quotes separate."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = text.replace("’", "'").replace("–", "-").replace("—", " ").replace("_", " ")
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return _TOKEN.findall(text)


def lemma(token: str) -> str:
    """Light singular: enough to match customers with customer on both sides of an index."""
    if len(token) <= 3 or not token.isalpha() or token.endswith(("ss", "us", "is")):
        return token
    if token.endswith("ies"):
        return token[:-3] + "y"
    if token.endswith(("ches", "shes", "xes", "sses")):
        return token[:-2]
    return token[:-1] if token.endswith("s") else token


def phrase(text: str) -> tuple[str, ...]:
    return tuple(lemma(token) for token in tokens_of(text))


@dataclass(frozen=True)
class Target:
    """What a phrase may mean. `value` is set for values of a dimension."""

    kind: Kind
    id: str
    value: str | int | None = None


@dataclass(frozen=True)
class Match:
    """Tokens [start, end) mean one of `targets`; `fuzzy` when the spelling was off."""

    start: int
    end: int
    targets: tuple[Target, ...]
    fuzzy: bool = False


def _same_letters(known: str, token: str) -> bool:
    """Short common words are corrected only for swapped letters, or for calendar words, a lost one."""
    calendar = known in ("week", "weeks", "month", "months", "year", "years")
    return sorted(known) == sorted(token) or (calendar and len(token) < len(known))


class Lexicon:
    """Index of every alias of a model plus the values found in the data."""

    def __init__(self, model: SemanticModel, values: Mapping[str, Iterable[str | int]] | None = None) -> None:
        self._index: dict[tuple[str, ...], dict[Target, None]] = {}
        self._values: dict[str, dict[str, str | int]] = {}
        self._exact: dict[tuple[str, ...], dict[Target, None]] = {}
        for metric in model.metrics.values():
            self._add((metric.label, *metric.aliases), Target("metric", metric.id))
        for dimension in model.dimensions.values():
            if not dimension.filter_only:
                self._add((dimension.label, *dimension.aliases), Target("dimension", dimension.id))
        self.newest_campaign: str | None = None
        for word in (*model.ambiguous, *model.bundles, *model.glossary):
            self._add((word,), Target("ambiguous", word))
        for dimension in model.dimensions.values():
            if dimension.filter_only:
                continue
            found = dict.fromkeys((*dimension.values, *((values or {}).get(dimension.id) or ())))
            for value in found:
                aliases = dimension.values.get(value, ())
                self._add_value(
                    dimension.id,
                    dimension.aliases,
                    value,
                    (*aliases, dimension.display(value)),
                    bool(aliases),
                )
        self._words = {word for key in self._index for word in key if len(word) >= 4 and word.isalpha()}
        self._longest = max((len(key) for key in self._index), default=1)
        self._flat = [(" ".join(key), key) for key in self._index if len("".join(key)) >= 4]

    def _add(self, texts: Iterable[str], target: Target) -> None:
        for text in texts:
            if key := phrase(text):
                self._index.setdefault(key, {})[target] = None
                # "conversion" is the rate, "conversions" are counted: an exact form wins over its lemma
                self._exact.setdefault(tuple(tokens_of(text)), {})[target] = None

    def _add_value(
        self, id: str, names: tuple[str, ...], value: str | int, texts: Iterable[str], named: bool
    ) -> None:
        target = Target("value", id, value)
        self._values.setdefault(id, {})[str(value).lower()] = value
        for text in {*texts, str(value)}:
            key = phrase(text)
            bare = len(key) == 1 and (key[0] in GENERIC or key[0].isdigit())
            if key and not bare:
                self._index.setdefault(key, {})[target] = None
            for name in names if bare or len(key) == 1 else ():
                other = phrase(name)
                if key and key != other:
                    self._index.setdefault((*key, *other), {})[target] = None
                    if key[0] in GENERIC:
                        self._index.setdefault((*other, *key), {})[target] = None

    def value_of(self, dimension: str, text: str) -> str | int | None:
        """The stored value of a dimension that reads like `text`."""
        return self._values.get(dimension, {}).get(text)

    def match(self, tokens: list[str], taken: set[int], known: frozenset[str]) -> list[Match]:
        """Longest exact matches over the free tokens, then near misses of what is left."""
        words = [lemma(token) for token in tokens]
        used = set(taken)
        found: list[Match] = []
        for size in range(min(self._longest, len(words)), 0, -1):
            for start in range(len(words) - size + 1):
                span = range(start, start + size)
                targets = self._exact.get(tuple(tokens[start : start + size])) or self._index.get(
                    tuple(words[start : start + size])
                )
                if targets and not used.intersection(span):
                    found.append(Match(start, start + size, tuple(targets)))
                    used.update(span)
        for size in (3, 2, 1):
            for start in range(len(words) - size + 1):
                span = range(start, start + size)
                if used.intersection(span) or all(tokens[i] in known for i in span):
                    continue
                if size > 1 and (tokens[start] in known or tokens[start + size - 1] in known):
                    continue
                if near := self.near(" ".join(words[start : start + size])):
                    found.append(Match(start, start + size, near, fuzzy=True))
                    used.update(span)
        return sorted(found, key=lambda m: m.start)

    def spell(self, tokens: list[str], known: frozenset[str]) -> tuple[list[str], list[str]]:
        """Tokens with near misses corrected to the one nearest word, and a note for each correction."""
        out, notes = [], []
        for token in tokens:
            word = lemma(token)
            fixed = None
            if len(token) >= 4 and token.isalpha() and not {word, token} & (self._words | known):
                fixed = self._nearest(token, word, known)
            out.append(fixed or token)
            if fixed:
                notes.append(f"read “{token}” as “{fixed}”")
        return out, notes

    def _nearest(self, token: str, word: str, known: frozenset[str]) -> str | None:
        limit = 1 if len(word) < 8 else 2
        pool = [*self._words, *(k for k in known if len(k) >= 5)]
        if len(token) == 4:  # so short, only a swap or a missing letter is a slip
            pool = [k for k in pool if len(k) == 5 or sorted(k) == sorted(token)]
        near = [
            (OSA.distance(candidate, word, score_cutoff=limit), candidate)
            for candidate in pool
            if (candidate[0] == token[0] or {candidate[0], token[0]} == {"c", "k"})
            and not (candidate in known and len(candidate) < 6 and not _same_letters(candidate, token))
            and abs(len(candidate) - len(word)) <= limit
        ]
        near = sorted({item for item in near if 0 < item[0] <= limit})
        least = [candidate for distance, candidate in near if distance == near[0][0]]
        if len(least) > 1:  # opend is opened rather than open: slips seldom change the last letter
            least = [candidate for candidate in least if candidate[-1] == token[-1]]
        return least[0] if len(least) == 1 else None

    def near(self, text: str, *, slack: int = 0) -> tuple[Target, ...] | None:
        """The one entry within the allowed edit distance, if no other meaning is as close."""
        length = len(text.replace(" ", ""))
        limit = (0 if length < 4 else 1 if length < 8 else 2) + slack
        best: list[tuple[int, tuple[str, ...]]] = []
        for flat, key in self._flat:
            if abs(len(flat) - len(text)) > limit or flat[0] != text[0]:
                continue
            distance = OSA.distance(flat, text, score_cutoff=limit)
            if distance <= limit and not (
                length == 4 and len(flat) == len(text) and sorted(flat) != sorted(text)
            ):
                best.append((distance, key))
        if limit == 0 or not best:
            return None
        least = min(distance for distance, _ in best)
        targets = dict.fromkeys(t for distance, key in best if distance == least for t in self._index[key])
        return tuple(targets) if len({(t.kind, t.id) for t in targets}) == 1 or len(best) == 1 else None

    def named(self, word: str) -> str | None:
        """The dimension with listed values that a word names: offer, channel, segment."""
        targets = self._index.get((lemma(word),), {})
        ids = [t.id for t in targets if t.kind == "dimension" and self._values.get(t.id)]
        return ids[0] if len(ids) == 1 else None

    def values(self, dimension: str, like: str) -> list[str | int]:
        """The known values of a dimension, the most similar to `like` first."""
        found = list(dict.fromkeys(self._values.get(dimension, {}).values()))
        return sorted(found, key=lambda v: -OSA.normalized_similarity(str(v).lower(), like))

    def suggestions(self, word: str, count: int = 3) -> list[Target]:
        """Nearest meanings of an unknown word, for one-click choices."""
        scored = sorted(
            (OSA.normalized_similarity(flat, lemma(word)), " ".join(key), key) for flat, key in self._flat
        )
        targets = dict.fromkeys(
            t for score, _, key in reversed(scored) if score >= 0.6 for t in self._index[key]
        )
        return [t for t in targets if t.kind in ("metric", "dimension")][:count]
