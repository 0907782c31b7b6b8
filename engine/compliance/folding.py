"""Text as a reader (or a clever writer) sees it: one plain alphabet, with the way back to the original."""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Problem = Literal["markup", "hidden"]

_MARKUP = re.compile(r"<[A-Za-z/!?][^<>]*>|&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_SQUARED = re.compile(r"(?:SQUARED|CIRCLED|INDICATOR SYMBOL|PARENTHESIZED).* ([A-Z])$")
_MARKS = "™℠"
# Letters of other scripts that look like Latin ones: Cyrillic, Greek, Armenian and a few Latin look-alikes.
_LOOKALIKES = str.maketrans(
    {
        pair[0]: pair[1]
        for pair in [
            "аa",
            "еe",
            "оo",
            "рp",
            "сc",
            "уy",
            "хx",
            "кk",
            "мm",
            "нh",
            "вb",
            "іi",
            "јj",
            "ѕs",
            "ԁd",
            "ԛq",
            "ԝw",
            "һh",
            "ӏl",
            "ʟl",
            "гr",
            "пn",
            "тt",
            "зe",
            "ьb",
            "АA",
            "ЕE",
            "ОO",
            "РP",
            "СC",
            "УY",
            "ХX",
            "КK",
            "МM",
            "НH",
            "ВB",
            "ІI",
            "ЈJ",
            "ЅS",
            "ТT",
            "αa",
            "οo",
            "εe",
            "ρp",
            "νv",
            "ιi",
            "κk",
            "τt",
            "υu",
            "χx",
            "ωw",
            "γy",
            "ηn",
            "βb",
            "σo",
            "ΑA",
            "ΟO",
            "ΕE",
            "ΡP",
            "ΝN",
            "ΙI",
            "ΚK",
            "ΤT",
            "ΥY",
            "ΧX",
            "ΗH",
            "ΒB",
            "ΖZ",
            "ΜM",
            "օo",
            "ոn",
            "սu",
            "ցg",
            "ɡg",
            "ıi",
            "ɑa",
            "ᴏo",
            "ƒf",
        ]
    }
)
_DASHES = dict.fromkeys("‐‑‒–—−﹘﹣－", "-")
_QUOTES = dict.fromkeys("’‘ʼ′＇`´", "'")


@dataclass(frozen=True)
class Oddity:
    """A stretch of the original that should not be there, and what may stand in its place."""

    problem: Problem
    start: int
    end: int
    instead: str


@dataclass(frozen=True)
class Folded:
    """Lower-case plain text. Character i of `text` comes from original[starts[i]:ends[i]]."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    oddities: tuple[Oddity, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a folded span (folded end exclusive)."""
        if start >= end:
            at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return at, at
        return self.starts[start], self.ends[end - 1]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The folded span of an original span."""
        return bisect_left(self.starts, start), bisect_left(self.starts, end)


def fold(text: str) -> Folded:
    """Strip markup and invisible characters, decode entities, unify digits, letters, dashes and quotes."""
    if text.isascii() and "<" not in text and "&" not in text and text.replace("\n", " ").isprintable():
        return Folded(text.lower(), tuple(range(len(text))), tuple(range(1, len(text) + 1)), ())
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    oddities: list[Oddity] = []

    def put(characters: str, start: int, end: int) -> None:
        for character in characters:
            plain, _ = _fold_character(character)
            out.append(plain)
            starts.extend([start] * len(plain))
            ends.extend([end] * len(plain))

    at = 0
    for found in [*_MARKUP.finditer(text), None]:
        stop = found.start() if found else len(text)
        for index in range(at, stop):
            plain, odd = _fold_character(text[index])
            out.append(plain)
            starts.extend([index] * len(plain))
            ends.extend([index + 1] * len(plain))
            if odd is not None:
                oddities.append(Oddity("hidden", index, index + 1, odd))
        if found is None:
            break
        decoded = html.unescape(found.group()) if found.group().startswith("&") else ""
        if decoded == found.group():  # "&nosuch;" is no entity: plain text
            put(decoded, found.start(), found.end())
        else:
            oddities.append(Oddity("markup", found.start(), found.end(), decoded))
            put(decoded, found.start(), found.end())
        at = found.end()
    return Folded("".join(out), tuple(starts), tuple(ends), tuple(oddities))


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> tuple[str, str | None]:
    """Plain form of one character, and what should replace it if it should not be in a message."""
    if character in "\n\t" or " " <= character <= "~":
        return character.lower(), None
    if character in _DASHES or character in _QUOTES:
        return _DASHES.get(character) or _QUOTES[character], None
    category = unicodedata.category(character)
    if category in {"Mn", "Me"}:
        return "", None if category == "Mn" else ""
    if category == "Zs":
        return " ", None
    if category[0] in "CZ":
        return ("\n", "\n") if category in {"Zl", "Zp"} or character in "\r\x0b\x0c\x85" else ("", "")
    number = unicodedata.numeric(character, None)
    if number is not None:
        digits = f"{number:g}"
        return digits, digits
    return _fold_letter(character, category)


def _fold_letter(character: str, category: str) -> tuple[str, str | None]:
    compatible = unicodedata.normalize("NFKC", character)
    base = "".join(c for c in unicodedata.normalize("NFKD", compatible) if not unicodedata.combining(c))
    name = unicodedata.name(character, "")
    if category == "So" and (squared := _SQUARED.search(name)):
        base = squared.group(1)
    plain = base.translate(_LOOKALIKES).casefold()
    if category[0] == "L":
        ordinary = name.startswith("LATIN") and compatible == character and base.casefold() == plain
        if ordinary:
            return plain, None
        latin = plain if plain.isascii() else ""
        return plain, latin.upper() if character.isupper() else latin
    disguised = any(c.isalnum() for c in plain) and character not in _MARKS
    return plain, plain if disguised else None
