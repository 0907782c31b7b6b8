"""Prose whose every figure is a slot bound to a fact, and the checker that proves it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from smart_reach.engine.errors import Integrity
from smart_reach.engine.metrics.model import Unit
from smart_reach.engine.money import SYMBOLS

_SLOT = re.compile(r"\{([a-z][a-z0-9_.]*)\}")
_NUMERAL = re.compile(r"\d+(?:[.,]\d+)*(?:\s?%)?")
_UNITS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|zero"
_TENS = "(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_LARGE = (
    "hundred|thousand|million|billion|dozen|half|twice|thrice|doubled?|tripled?|quarter|thirds?|per-?cent"
)
_NUMBER_WORD = re.compile(rf"\b(?:{_UNITS}|{_TENS}|{_LARGE})\b", re.IGNORECASE)
_CAUSAL = re.compile(
    r"\b(?:caus\w+|because|due to|thanks to|led to|results? in|drove|drives|driven by)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Fact:
    """One figure or name in the text: its value, how it reads, and the cell it comes from."""

    id: str
    value: Any
    display: str
    source: str

    def as_json(self) -> dict[str, Any]:
        value = (
            self.value
            if isinstance(self.value, (int, float, str, bool)) or self.value is None
            else str(self.value)
        )
        return {"id": self.id, "value": value, "display": self.display, "source": self.source}


class Story:
    """Collects facts and a template; `text` fills the slots."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._parts: list[str] = []

    def fact(self, value: Any, display: str, source: str) -> str:
        """Register a fact; returns its slot for use in a sentence."""
        for known in self.facts:
            if (known.display, known.source) == (display, source):
                return "{" + known.id + "}"
        item = Fact(f"f{len(self.facts) + 1}", value, display, source)
        self.facts.append(item)
        return "{" + item.id + "}"

    def say(self, sentence: str) -> None:
        self._parts.append(sentence)

    @property
    def template(self) -> str:
        return " ".join(self._parts)

    def text(self) -> str:
        """The rendered text. Raises Integrity when a figure in it has no fact."""
        by_id = {fact.id: fact.display for fact in self.facts}
        rendered = _SLOT.sub(lambda m: by_id[m[1]], self.template)
        if loose := ungrounded(rendered, self.facts):
            raise Integrity(f"The answer's text holds figures without a source: {', '.join(loose)}.")
        return rendered


def ungrounded(text: str, facts: list[Fact]) -> list[str]:
    """Numerals and number words of a text that lie in no fact's display, and causal verbs."""
    covered = [False] * len(text)
    for display in sorted({f.display for f in facts if f.display}, key=len, reverse=True):
        # a display counts only as a whole: "12" does not cover the start of "125" or "12.5"
        pattern = (
            re.compile(r"(?<![\d.,])" + re.escape(display) + r"(?![\d%])(?![.,]\d)")
            if display[-1:].isdigit()
            else re.compile(r"(?<![\d.,])" + re.escape(display))
        )
        for match in pattern.finditer(text):
            covered[match.start() : match.end()] = [True] * len(display)
    loose = [
        m[0]
        for pattern in (_NUMERAL, _NUMBER_WORD)
        for m in pattern.finditer(text)
        if not all(covered[m.start() : m.end()])
    ]
    return loose + [m[0] for m in _CAUSAL.finditer(text) if not all(covered[m.start() : m.end()])]


def show(value: float | int | None, unit: Unit, currency: str = "EUR") -> str:
    """A figure as people read it. Money is in minor units, shares are fractions."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if unit == "money":
        return money(value, currency)
    if unit == "percent":
        text = f"{value * 100:.2f}%"
    elif unit == "points":
        text = f"{value * 100:+.2f} pp"
    elif unit == "months":
        text = f"{value:.1f} months"
    elif unit == "count":
        text = f"{round(value):,}"
    else:
        text = f"{value:,.1f}"
    return text.replace("-", "−")


def money(minor: float, currency: str = "EUR") -> str:
    """€4.12 M, €12,345, €3.40."""
    amount, sign = abs(minor) / 100, "−" if minor < 0 else ""
    symbol = SYMBOLS.get(currency, currency + " ")
    if amount >= 999_995:
        return f"{sign}{symbol}{amount / 1e6:,.2f} M"
    return f"{sign}{symbol}{amount:,.0f}" if amount >= 1000 else f"{sign}{symbol}{amount:,.2f}"


def show_change(now: float, before: float, unit: Unit, currency: str = "EUR") -> str:
    """The size of a change without its direction: points for shares, percent of the base for amounts."""
    if unit in ("percent", "points"):
        return f"{abs(now - before) * 100:.2f} pp"
    if before:
        return f"{abs(now / before - 1) * 100:.1f}%"
    return show(abs(now - before), unit, currency)


def wilson(num: float, den: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927), in fractions."""
    if den <= 0:
        return (0.0, 0.0)
    p = num / den
    centre = (p + z * z / (2 * den)) / (1 + z * z / den)
    half = z * math.sqrt(p * (1 - p) / den + z * z / (4 * den * den)) / (1 + z * z / den)
    return (max(0.0, centre - half), min(1.0, centre + half))
