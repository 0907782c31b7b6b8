"""What the analyst does not do, recognised before anything is parsed: and what to ask instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import yaml

from smart_reach.engine.metrics.model import FOLDER


@dataclass(frozen=True)
class Refusal:
    """A polite no: a stable code, the sentence, and questions that do work."""

    code: str
    text: str
    choices: tuple[str, ...] = ()


# "Customers who clicked" is a group and is counted; "who clicked" asks for names.
_WHO = re.compile(r"\b(?:customers|people|clients|recipients) who \w+", re.IGNORECASE)


@lru_cache
def _rules() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    raw = yaml.safe_load((FOLDER / "refusals.yaml").read_text(encoding="utf-8"))
    return tuple(
        (code, re.compile("|".join(rule["patterns"]), re.IGNORECASE), rule["reason"])
        for code, rule in raw.items()
    )


def refuse(text: str) -> Refusal | None:
    """The refusal for a question, or None if it may be parsed."""
    folded = text.replace("’", "'").strip()
    counted = _WHO.sub("customers ", folded)
    for code, pattern, reason in _rules():
        if code == "personal" and not pattern.search(counted):
            continue
        if pattern.search(folded):
            return Refusal(code, reason)
    return None
