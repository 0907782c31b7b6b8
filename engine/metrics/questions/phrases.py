"""Small words of questions: what they steer, and which of them carry no meaning of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

import yaml

from smart_reach.engine.metrics.model import FOLDER
from smart_reach.engine.metrics.questions.dates import NUMBERS
from smart_reach.engine.metrics.spec import Filter, FilterOp


@dataclass(frozen=True)
class Words:
    """The word lists of models/words.yaml."""

    known: frozenset[str]
    grouping: frozenset[str]
    exclude: frozenset[str]
    versus: frozenset[str]
    comparative: frozenset[str]
    weak: frozenset[str]
    weakest: frozenset[str]
    unless_grouped: frozenset[str]
    down: frozenset[str]
    up: frozenset[str]


@lru_cache
def vocabulary() -> Words:
    """Read once, when the first question comes."""
    raw = yaml.safe_load((FOLDER / "words.yaml").read_text(encoding="utf-8"))
    return Words(**{name: frozenset(text.split()) for name, text in raw.items()})


_CHANGE = re.compile(
    r"\b(?:chang(?:e|ed|es|ing)|grow|grew|growth|rise|rose|risen|drop(?:ped)?|fall|fell|fallen"
    r"|declin(?:e|ed|ing)|increased?|decreased?|improved?|move[ds]?"
    r"|(?:go|goes|going|gone|went|is|are) (?:up|down)"
    r"|up or down|worse than before|better than before)\b"
)
_TREND = re.compile(
    r"\b(?:over time|trend(?:s|ing)?|develop(?:ed|ment)?|evol(?:ve|ved|ution)|course of|time series|history"
    r"|historically|progress(?:ed|ion)?|by time(?! of)|time line|timeline)\b"
)
_DRIVERS = re.compile(
    r"\b(?:why|contribut\w+|drivers?|(?:what|who) (?:is |was |lies )?behind|reasons?|what moved|what changed"
    r"|explain(?:ed|s)? (?:the|this|that))\b"
)
_ANOMALIES = re.compile(
    r"\b(?:anomal\w+|unusual\w*|outliers?|strange\w*|odd|weird|spikes?|abnormal\w*|irregular\w*"
    r"|suspicious)\b"
)
_LISTING = re.compile(
    r"\b(?:list|name|names of|show (?:me )?(?:all|the)|(?:what|which) .*"
    r"(?:are there|do (?:we|you) (?:have|know)|exist))\b"
)
_NUMBER = (
    r"(\d{1,3}|" + "|".join(n for n in NUMBERS if " " not in n and n not in ("a", "couple", "few")) + ")"
)
_ENDS = "top|best|highest|bottom|worst|lowest|leading|biggest|largest|smallest"
# not after a number: in “18–24, lowest first” the 24 belongs to the age band
_TOP = re.compile(rf"\b({_ENDS}|first) {_NUMBER}\b|(?<!\d )\b{_NUMBER} ({_ENDS}|most|least)\b")
_YEARS = r"(?: years?(?: old| of age)?)?\b(?! (?:day|week|month|percent|%|euro|eur|message|click))"
_AGE_RULES: tuple[tuple[str, FilterOp], ...] = (
    (r"\b(?:(?:aged )?(?:over|above)|older than|more than|past) (\d{2})" + _YEARS, "gt"),
    (r"\b(?:(?:aged )?(?:under|below)|younger than|less than) (\d{2})" + _YEARS, "lt"),
    (r"\b(?:aged )?at least (\d{2})" + _YEARS + r"|\b(\d{2}) (?:years )?(?:and|or) older\b", "ge"),
    (r"\b(?:aged )?at most (\d{2})" + _YEARS + r"|\b(\d{2}) (?:years )?(?:and|or) younger\b", "le"),
)
_AGE = [(re.compile(pattern), op) for pattern, op in _AGE_RULES]
_AGED_BETWEEN = re.compile(r"\b(?:aged?|ages) (?:between |from )?(\d{2}) (?:and|to) (\d{2})\b")


@dataclass
class Cues:
    """What the small words say. `taken`: tokens explained; `numbers`: tokens no alias may use."""

    direction: str | None = None  # asc | desc
    judging: bool = False  # best, worst: the good end depends on the metric
    limit: int | None = None
    trend: bool = False
    change: bool = False
    drivers: bool = False
    anomalies: bool = False
    when: bool = False
    listing: bool = False
    place: bool = False
    age: list[Filter] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)


def find_cues(text: str, ends: dict[int, int], dates: set[int], has_age: bool) -> Cues:
    """Read the small words of a normalised text; `ends` maps a character to its token."""
    cues = Cues()

    def take(match: re.Match[str]) -> bool:
        span = {ends[c] for c in range(match.start(), match.end()) if c in ends}
        if span & (dates | cues.taken):
            return False
        cues.taken |= span
        cues.numbers |= span
        return True

    if (match := _TOP.search(text)) and take(match):
        number = match[2] or match[3]
        cues.limit = int(number) if number.isdigit() else NUMBERS[number]
    spoken = text.split()
    for word in spoken:
        if cues.direction is None and (word in vocabulary().down or word in vocabulary().up):
            cues.direction = "asc" if word in vocabulary().down else "desc"
            cues.judging = word in ("best", "worst")
    if has_age:
        _ages(text, cues, take)
    cues.drivers = bool(_DRIVERS.search(text))
    cues.anomalies = bool(_ANOMALIES.search(text))
    for pattern, name in ((_TREND, "trend"), (_CHANGE, "change")):
        for match in pattern.finditer(text):
            setattr(cues, name, True)
            cues.taken |= {ends[c] for c in range(match.start(), match.end()) if c in ends}
    cues.when = bool(re.search(r"\bwhen\b|\b(?:what|which|best|worst) (?:day and )?time\b", text))
    cues.listing = bool(_LISTING.search(text))
    cues.place = "where" in spoken
    return cues


def _ages(text: str, cues: Cues, take: object) -> None:
    assert callable(take)
    if (match := _AGED_BETWEEN.search(text)) and take(match):
        cues.age += [Filter("age", "ge", (int(match[1]),)), Filter("age", "le", (int(match[2]),))]
    for pattern, op in _AGE:
        if (match := pattern.search(text)) and take(match):
            number = next(g for g in match.groups() if g)
            cues.age.append(Filter("age", op, (int(number),)))
