"""Facts as people read them: each once, with its source in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from smart_reach.ui.chat.protocol import Json

_PLACE = re.compile(r"^(?:comparison |previous )?row \d+ · ")


def plain_facts(facts: Iterable[Mapping[str, Any]]) -> list[Json]:
    """Facts for people: each once, its source in plain words, no constants of the method."""
    shown: dict[tuple[str, str], Json] = {}
    for fact in facts:
        source = str(fact.get("source") or "")
        if not source.startswith("constant"):
            plain = plain_source(source)
            shown.setdefault((str(fact.get("display")), plain), {**fact, "source": plain})
    return list(shown.values())


def plain_source(source: str) -> str:
    """Where a figure comes from, as people say it: "row 0 · click_rate" is "Click rate"."""
    text = _PLACE.sub("", source)
    before = source.startswith(("comparison row", "comparison ·", "previous row"))
    text = re.sub(r"^(?:period|comparison|derived) · ", "", text)
    text = re.sub(r"^day (\d{4}-\d\d-\d\d) · (.+)$", r"\2, \1", text)
    text = re.sub(r"^day (\d{4}-\d\d-\d\d)$", "day", text)
    text = re.sub(r"^Wilson (lower|upper) bound of (.+)$", r"\2, \1 end of the interval", text)
    text = re.sub(r"^(change|difference) (?:of|in) (.+)$", r"\2, \1", text)
    text = re.sub(r"^hidden groups$", "groups too small to show", text)
    text = re.sub(r"^(\S+) numerator$", r"\1, counted", text)
    text = re.sub(r"^(\S+) denominator$", r"\1, out of", text)
    text = re.sub(r"(?<=[a-z])_(?=[a-z])", " ", text)
    words = f"{text}, before" if before and text else text
    return words[:1].upper() + words[1:]
