"""Reads a short request that only changes the one before it, and writes the whole question it stands for.

Explicit rules, no guess: a text that names something of its own is a request of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from smart_reach.agents.language.routing.clauses import quoted
from smart_reach.agents.language.vocabulary import alias_hits, without
from smart_reach.engine.catalog.words import CHANNELS, OFFERS

SEGMENTS: Final = (
    *("students", "young-professionals", "families", "affluent", "retirees", "slipping"),
    *("new-customers", "dormant-cards", "high-balance", "previous-buyers", "over-60", "all"),
)
_KINDS: Final[tuple[tuple[str, ...], ...]] = (tuple(CHANNELS), SEGMENTS, tuple(OFFERS))
_LONGEST: Final = 10
_PLEASE: Final = r"^\W*(?:(?:and|so|but|please|then|now|ok|okay|also|can you|could you)\W+)*"
_LEAD: Final = re.compile(
    r"^\W*(?:and|now|ok|okay|so|then|but|only|just|what about|how about|what if|the same|same|"
    r"instead|by|per|for|"
    r"with|via|through|on|in|over|during|since|as an?|use|try|yesterday|today|why|how come|warmer|"
    r"friendlier|"
    r"plainer|simpler|more|(?:the )?(?:last|past|previous|this) (?:{} )?(?:day|week|month|quarter|year)s?"
    r"|(?:please )?(?:make|show|break|split|do|send|put|give me|say|tell me|write) "
    r"(?:it|that|this|them|why|down)"
    r"|break down|split by|drill down)\b".replace("{}", r"\w+"),
    re.I,
)
_NUMBERED: Final = r"(?:\d+|two|three|four|six|seven|ten|twelve|thirty)"
_UNIT: Final = r"(?:day|week|month|quarter|year)s?"
_MONTH: Final = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)(?:\s+\d{4})?"
)
_PERIOD: Final = re.compile(
    rf"(?:\b(?:for|in|over|during|from|within|since|of)\s+)?(?:\bthe\s+)?"
    rf"(?:\b(?:last|past|previous|prior|this|current)\s+(?:{_NUMBERED}\s+)?{_UNIT}\b|\byesterday\b|\btoday\b"
    rf"|\b(?<=in ){_MONTH}\b|\b(?<=since ){_MONTH}\b|\b(?<=for ){_MONTH}\b)",
    re.I,
)
_DIMENSION: Final = (
    r"(?:channels?|customer segments?|segments?|offers?|products?|campaigns?|variants?|regions?|cities|city|"
    r"age(?: (?:band|group)s?)?|income(?: bands?)?|jobs?|marital status|education|windows?|hours?|weekdays?|"
    r"days?|weeks?|months?|daily|weekly|monthly)"
)
_SPLIT: Final = re.compile(rf"\b(?:by|per|across|for each)\s+{_DIMENSION}(?:\s+and\s+{_DIMENSION})?\b", re.I)
_METRIC: Final = re.compile(
    r"\b(?:click[- ]?through(?: rates?)?|click[- ]rates?|ctr|clicks?|open[- ]rates?|opens?|"
    r"conversion[- ]rates?|conversions?|converted|revenue|opt[- ]?outs?(?: rates?)?|unsubscribes?|bounces?|"
    r"complaints?|reach|sends?|sent|delivered|deliver(?:y|ies)(?: rates?)?|spend|visits|uplift|"
    r"churn(?: risk)?|balance)\b",
    re.I,
)
_WHY: Final = re.compile(
    rf"{_PLEASE}(?:(?:tell|show) me |explain )?(?:why|how come|what explains|explain)"
    r"(?:\s+(?:(?:is|are|was|were|did|does|do|has)\s+)?(?:it|that|this|they|so|not)\b.{0,40})?\W*$",
    re.I,
)
_ASKS_WHY: Final = re.compile(rf"{_PLEASE}(?:why|how come|explain)\b", re.I)
_OWN_SUBJECT: Final = re.compile(
    r"\b(?:customers?|cus_\d+|campaign|experiment|test|proposal|rule|terms?)\b", re.I
)
_FIX: Final = re.compile(
    rf"{_PLEASE}(?:fix|repair|correct|mend|rewrite|improve|why|what(?:'s| is) wrong|"
    r"how (?:can|do|should) (?:i|we) (?:fix|say|change)|what should|which rule)\b.{0,50}$",
    re.I,
)
# An order with an object of its own is no follow-up ("and write the push").
_OWN_ORDER: Final = re.compile(
    r"\b(?:write|draft|compose|create|check|review|compare|find|plan|start|launch|approve|list|"
    r"how (?:many|much)|who|which(?! rule))\b(?! (?:it|this|that|them)\b)",
    re.I,
)
_CUSTOMER: Final = re.compile(r"\bcus_\d+\b", re.I)


@dataclass(frozen=True)
class Asked:
    """What was asked before: the specialists that worked on it in their order, and the whole request."""

    labels: tuple[str, ...]
    request: str


def follow_up(text: str, before: Asked) -> Asked | None:
    """The whole request that a follow-up stands for, with its specialists; None for a request of its own."""
    if not before.labels or len(text.split()) > _LONGEST or not (_LEAD.match(text) or _FIX.match(text)):
        return None
    if _OWN_ORDER.search(text):
        return None
    for label in reversed(before.labels):
        merged = _MERGERS[label](text, before.request) if label in _MERGERS else None
        if merged is not None:
            return Asked((label,) if label in {"insights", "compliance"} else before.labels, merged)
    return None


def _figures(text: str, base: str) -> str | None:
    """A question about figures with its period, split, filter or metric replaced; or asked for the reason."""
    if _WHY.match(text):
        return None if _OWN_SUBJECT.search(text) or _METRIC.search(text) else _reason(base)
    if _ASKS_WHY.match(text):
        return None
    period, split, metric = _PERIOD.search(text), _SPLIT.search(text), _METRIC.search(text)
    merged, changed = base.rstrip(" ?.!"), False
    if metric and (old := _METRIC.search(merged)) and len(text.split()) <= 5:
        merged, changed = merged[: old.start()] + metric.group(0) + merged[old.end() :], True
    elif metric:
        return None
    if filtered := _replaced(text, merged, _SPLIT):
        merged, changed = filtered, True
    if split:
        merged, changed = f"{_tidy(_SPLIT.sub('', merged))} {split.group(0)}", True
    if period:
        merged, changed = f"{_tidy(_PERIOD.sub('', merged))} {_dated(period.group(0))}", True
    return _tidy(merged) if changed else None


def _dated(period: str) -> str:
    """A period that can stand at the end of a question."""
    return re.sub(r"\b(?:previous|prior)\b", "last", re.sub(r"^(?:and|from)\s+", "", period.strip()))


def _reason(base: str) -> str | None:
    metric = _METRIC.search(base)
    if metric is None:
        return None
    period = _PERIOD.search(base)
    return _tidy(f"Why did {metric.group(0)} change {period.group(0) if period else ''}")


def _replaced(text: str, base: str, split: re.Pattern[str] | None = None) -> str | None:
    """The base with the channel, segment or offer that `text` names in place of its own."""
    merged, changed = base, False
    words = _SPLIT.sub("", text)
    for values in _KINDS:
        if hits := alias_hits(values, words):
            if split is not None:
                merged = _drop_split(merged, values)
            merged, changed = f"{without(values, merged)} {_named(hits[0][1], values)}", True
    return _tidy(merged) if changed else None


def _drop_split(base: str, values: tuple[str, ...]) -> str:
    """A split by what is now filtered to one value says nothing."""
    word = {CHANNELS[0]: "channels?", SEGMENTS[0]: "segments?", OFFERS[0]: "(?:offers?|products?)"}[values[0]]
    return re.sub(rf"\b(?:by|per|across)\s+{word}\b", "", base, flags=re.I)


def _named(value: str, values: tuple[str, ...]) -> str:
    word = {"in_app": "in-app"}.get(value, value.replace("-", " ") if values[0] != SEGMENTS[0] else value)
    return f"{'by' if values[0] == CHANNELS[0] else 'for'} {'the ' if values[0] == OFFERS[0] else ''}{word}"


def _action(text: str, base: str) -> str | None:
    """A decision for another channel, group, offer or customer."""
    if _METRIC.search(text) and not alias_hits(tuple(CHANNELS), text):
        return None
    if customer := _CUSTOMER.search(text):
        return _CUSTOMER.sub(customer.group(0), base, count=1) if _CUSTOMER.search(base) else None
    return _replaced(text, base.rstrip(" ?.!"))


def _draft(text: str, base: str) -> str | None:
    """The same draft in another tone, for another channel or offer."""
    merged = _replaced(text, base.rstrip(" ?.!"))
    tone = re.search(
        r"\b(warm|warmer|friendly|friendlier|plain|plainer|simple|simpler|benefit[- ]led)\b", text, re.I
    )
    if tone:
        said = {"warmer": "warm", "friendlier": "friendly", "plainer": "plain", "simpler": "simple"}
        word = said.get(tone.group(0).lower(), tone.group(0).lower())
        kept = re.sub(r",? in an? [\w -]+ tone", "", merged or base.rstrip(" ?.!"))
        return f"{kept}, in a {word} tone"
    return merged


def _checked(text: str, base: str) -> str | None:
    """The same copy again: to mend it, to say why, or as copy for another channel."""
    if _METRIC.search(text) or re.search(r"\bcustomers?\b|\bcus_\d", text, re.I):
        return None
    copy = quoted(base)
    if copy is None:
        _, colon, tail = base.partition(":")
        copy = tail.strip() if colon else None
    if copy is None:
        return None
    said = alias_hits(tuple(CHANNELS), text) or alias_hits(tuple(CHANNELS), base.replace(copy, " "))
    if not _FIX.match(text) and not alias_hits(tuple(CHANNELS), text):
        return None
    return f"Check this{' ' + said[0][1].replace('_', '-') if said else ''} copy: “{copy}”"


def _tidy(text: str) -> str:
    return re.sub(r"\s+([,?.!])", r"\1", re.sub(r"\s+", " ", text)).strip(" ,")


_MERGERS: Final[Mapping[str, Callable[[str, str], str | None]]] = {
    "insights": _figures,
    "nba": _action,
    "content": _draft,
    "compliance": _checked,
}
