"""Checks figures in prose: a model may point at a fact by its slot, it may not write a figure itself.

Prose holds slots such as `{ctr.delta}`. Every numeral, percentage and number word outside a slot is a
figure that nothing vouches for; one is enough to put the template in the prose's place.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

log = logging.getLogger(__name__)

SLOT: Final = re.compile(r"\{([A-Za-z][\w.:@-]*)\}")
_UNITS = """zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand
    million billion"""
_SHARES = """half halves halved third thirds quarter quarters double doubled triple tripled twice thrice dozen
    dozens percent per-cent"""
_WORDS: Final = "|".join(sorted((*_UNITS.split(), *_SHARES.split()), key=len, reverse=True))
_FIGURE: Final = re.compile(
    r"[€$£]?\s?[-+−]?\d[\d.,  ]*\d\s?%?|[€$£]?[-+−]?\d\s?%?|%|[²³½¼¾⅓⅔]"
    rf"|\b(?:(?:{_WORDS})(?:[\s-](?:and[\s-])?(?:{_WORDS}|one))*)\b"
    r"|\bone\b(?=\s+(?:in|out\s+of|percent|per\s+cent|point|third|quarter|half|hundred|thousand|million))",
    re.IGNORECASE,
)
_IDENTIFIER: Final = re.compile(r"\b(?:cus_\d+|(?:PRP|EXP|DEC)-\w+|[AB]/[AB])\b", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """A figure or slot that cannot stand: where it is and why."""

    start: int
    end: int
    text: str
    reason: Literal["figure without a fact", "unknown slot"]


@dataclass(frozen=True)
class Prose:
    """Text that may be shown; `source` says who wrote it and `reason` why the model's was refused."""

    text: str
    source: Literal["model", "template"]
    reason: str | None = None


def check_slots(prose: str, facts: Mapping[str, str]) -> list[Problem]:
    """Problems of prose before its slots are filled: unknown slots, and figures outside slots."""
    problems = [
        Problem(slot.start(), slot.end(), slot.group(0), "unknown slot")
        for slot in SLOT.finditer(prose)
        if slot.group(1) not in facts
    ]
    hidden = _blank(_IDENTIFIER, _blank(SLOT, prose))
    problems += [
        Problem(figure.start(), figure.end(), figure.group(0).strip(), "figure without a fact")
        for figure in _FIGURE.finditer(hidden)
    ]
    return sorted(problems, key=lambda problem: problem.start)


def check_rendered(text: str, displays: Mapping[str, str]) -> list[Problem]:
    """Problems of finished text: figures that are part of no fact's display."""
    hidden = _blank(_IDENTIFIER, text)
    for display in sorted(filter(None, displays.values()), key=len, reverse=True):
        whole = re.compile(rf"(?<![\w.,]){re.escape(display)}(?![\w%]|[.,]\d)")
        hidden = _blank(whole, hidden)
    return [
        Problem(figure.start(), figure.end(), figure.group(0).strip(), "figure without a fact")
        for figure in _FIGURE.finditer(hidden)
    ]


def render_prose(prose: str, facts: Mapping[str, str], *, template: str) -> Prose:
    """Fill a model's prose when every figure in it is a fact, else fill the reviewed template.

    `facts` maps a slot to its display text. The refusal is logged with its reason, without the prose.
    """
    if prose.strip() and not (problems := check_slots(prose, facts)):
        return Prose(_filled(prose, facts), "model")
    reason = (
        "the model wrote nothing"
        if not prose.strip()
        else "; ".join(sorted({f"{problem.reason}: {problem.text}" for problem in problems}))
    )
    log.warning("prose refused, template used: %s", reason)
    return Prose(_filled(template, facts), "template", reason)


def _filled(text: str, facts: Mapping[str, str]) -> str:
    return SLOT.sub(lambda slot: facts.get(slot.group(1), slot.group(0)), text)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with every match replaced by as many blanks, so that places stay the same."""
    return pattern.sub(lambda match: "\x00" * len(match.group(0)), text)
