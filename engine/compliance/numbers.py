"""Finds everything in a folded text that states a quantity: digits, money, percentages, dates, words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from smart_reach.engine.compliance.folding import Folded
from smart_reach.engine.compliance.wordnumbers import NUMBER_WORD, ORDINALS, value_of_words
from smart_reach.engine.english import MONTHS

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|april|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMBER = r"\d{1,3}(?:[ ']\d{3})+(?![\d])(?:[.,]\d+)?|\d+(?:[.,]\d+)*"
_WORDS = rf"(?:{NUMBER_WORD})(?:(?:[ -]and)?[ -]+(?:{NUMBER_WORD})|[ -]point(?:[ -](?:{NUMBER_WORD}))+)*"
_CURRENCY = r"€|\$|£|¥|\b(?:eur|usd|gbp)\b"
_PERCENT = r"%|‰|\b(?:percent(?:age)?s?|per[ -]cent|pct|percentage[ -]points?|basis[ -]points?|bps)\b"
_NOUN = (
    r"month|year|day|week|hour|minute|visit|point|trip|claim|payment|instalment|night|mile"
    r"|time|device"
)
_MONEY_WORD = r"euros?|eur|cents?|dollars?|usd|pounds?|gbp|quid"

_DATE = re.compile(
    rf"\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ -](?P<m1>{_MONTH})\b\.?(?:,?[ -](?P<y1>\d{{4}})\b)?"
    rf"|\b(?P<m2>{_MONTH})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y2>\d{{4}})\b)?"
    r"|\b(?P<y3>\d{4})-(?P<m3>\d{2})-(?P<d3>\d{2})\b"
    r"|\b(?P<d4>\d{1,2})[/.](?P<m4>\d{1,2})[/.](?P<y4>\d{4}|\d{2})\b"
)
_QUANTITY = re.compile(
    rf"(?:(?P<before>{_CURRENCY})\s?)?"
    rf"(?:(?P<digits>{_NUMBER})|\b(?P<words>{_WORDS})\b)"
    r"(?:\s?(?P<scale>k|m|bn|thousand|million|billion)\b)?"
    rf"(?:(?P<after>\s?(?:{_CURRENCY}|{_PERCENT})|[ -](?:{_MONEY_WORD})\b)"
    rf"|[ -](?:(?:lounge|monthly|calendar|working) )?(?P<noun>{_NOUN})s?\b)?"
    rf"|(?P<stray>{_CURRENCY}|{_PERCENT})"
    rf"|\b(?P<ordinal>{ORDINALS})(?=[ -](?:(?:{_WORDS}|\d+)[ -])?(?:{_NOUN})s?\b)"
    r"|\b(?:(?:no|without(?: an?| any)?) (?:[a-z-]+ ){0,3}?(?P<none>fees?|charges?|interest|excess|deposit)"
    r"|(?P<waived>fees?|charges?|interest) (?:is |are |will be )?waived)\b"
)
# Letters set apart ("t w e n t y", "t.w.e.n.t.y") read as a word all the same.
_SPACED = re.compile(r"(?<![a-z])(?:[a-z][ .*_·|/-]{1,2}){2,}[a-z](?![a-z])")
# Roman numerals in capitals from three letters on, in any case from four; and the words that look like one.
_NUMERAL = re.compile(
    r"(?<![^\W_])(?=[IVXLCDM]{3}|[IVXLCDMivxlcdm]{4})"
    r"(?i:m{0,4}(?:cm|cd|d?c{0,4})(?:xc|xl|l?x{0,4})(?:ix|iv|v?i{0,4}))(?![^\W_])"
)
_NO_NUMERALS = frozenset({"mix", "dix", "mmm", "liv"})
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_CODES = {
    "€": "EUR",
    "e": "EUR",
    "$": "USD",
    "u": "USD",
    "d": "USD",
    "£": "GBP",
    "g": "GBP",
    "p": "GBP",
    "q": "GBP",
}
_RANGE = re.compile(r"\s?(?:-|to|and|or|until)\s?")


@dataclass(frozen=True)
class Quantity:
    """One stated quantity at [start, end) of the folded text.

    `values` are its possible readings ("1.000" may be one or a thousand; money in major units, dates as
    yyyymmdd with year 0 when none is said); empty when only a sign such as "%" stands there. `unit` is
    percent, a currency code, date, zero (a "no fee"), a singular noun, or None.
    """

    start: int
    end: int
    values: frozenset[float]
    unit: str | None


@lru_cache(maxsize=1024)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Every quantity of a folded text in order; no digit is ever left out."""
    dates = list(_dates(text))
    # A date is masked so that its day and year are not read once more.
    masked = list(text)
    for date in dates:
        masked[date.start : date.end] = "#" * (date.end - date.start)
    found = [*dates, *_plain("".join(masked)), *_spaced(text)]
    found.sort(key=lambda quantity: quantity.start)
    return tuple(_share_units(text, found))


def numerals(text: str, folded: Folded) -> Iterator[Quantity]:
    """Roman numerals ("MMXX") of an original text, at their folded places; capitals matter."""
    for hit in _NUMERAL.finditer(text):
        if hit.group().casefold() not in _NO_NUMERALS:
            yield Quantity(*folded.span(*hit.span()), frozenset(), None)


def _plain(text: str) -> Iterator[Quantity]:
    for match in _QUANTITY.finditer(text):
        values, unit = _read(match)
        if match["words"] in {"one", "ones"} and unit is None and not match["before"]:
            continue  # "in one place" is not a quantity that a term could state; "one percent" is
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        yield Quantity(start, match.end(), frozenset(values), unit)


def _read(match: re.Match[str]) -> tuple[set[float], str | None]:
    if match["stray"]:
        return set(), _unit(match["stray"])
    if match["none"] or match["waived"]:
        return {0.0}, "zero"
    if match["ordinal"]:
        return {float(ORDINALS.split("|").index(match["ordinal"]) + 1)}, "ordinal"
    unit = _unit((match["before"] or match["after"] or "").strip(" -"))
    if unit is None and match["noun"]:
        unit = match["noun"]
    if match["digits"]:
        values = _readings(match["digits"], unit)
    else:
        value = value_of_words(match["words"])
        values = set() if value is None else {value}
    scale = _SCALES.get(match["scale"] or "", 1.0)
    return {value * scale for value in values}, unit


def _unit(sign: str) -> str | None:
    if not sign:
        return None
    if re.fullmatch(_PERCENT, sign):
        return "points" if sign.startswith(("bps", "basis", "‰")) else "percent"
    if sign.startswith("cent"):
        return "cent"
    return _CODES.get(sign[0], sign)


def _readings(digits: str, unit: str | None) -> set[float]:
    plain = digits.replace(" ", "").replace("'", "")
    if plain.count(",") + plain.count(".") == 0:
        return {float(plain)}
    last = max(plain.rfind(","), plain.rfind("."))
    grouped = float(plain.replace(",", "").replace(".", ""))
    head = plain[:last].replace(",", "").replace(".", "")
    decimal = float(f"{head}.{plain[last + 1 :]}")
    same_mark_twice = plain.count(plain[last]) > 1
    if same_mark_twice:
        return {grouped}
    if len(plain) - last - 1 == 3 and unit != "percent" and len(head) <= 3:
        return {grouped} if plain[last] == "," else {grouped, decimal}
    return {decimal}


def _dates(text: str) -> Iterator[Quantity]:
    for match in _DATE.finditer(text):
        parts = {key[0]: value for key, value in match.groupdict().items() if value}
        day = int(parts["d"])
        months = [_month(parts["m"])]
        year = int(parts.get("y", "0"))
        year += 2000 if 0 < year < 100 else 0
        values = {float(year * 10000 + month * 100 + day) for month in months}
        if match["d4"]:  # 3/4/2027 may be read either way
            values.add(float(year * 10000 + day * 100 + months[0]))
        yield Quantity(match.start(), match.end(), frozenset(values), "date")


def _month(word: str) -> int:
    if word.isdigit():
        return int(word)
    return next(index for index, month in enumerate(MONTHS, 1) if month.startswith(word[:3]))


def _spaced(text: str) -> Iterator[Quantity]:
    for match in _SPACED.finditer(text):
        word = re.sub(r"[^a-z]", "", match.group())
        if re.search(rf"(?:{NUMBER_WORD}|percent)", word):
            yield Quantity(match.start(), match.end(), frozenset(), None)


def _share_units(text: str, found: list[Quantity]) -> Iterator[Quantity]:
    """In "12 to 60 months" both numbers are months."""
    for index, quantity in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        if (
            following is not None
            and quantity.unit is None
            and following.unit not in {None, "date", "zero"}
            and _RANGE.fullmatch(text[quantity.end : following.start])
        ):
            quantity = replace(quantity, unit=following.unit)
        yield quantity
