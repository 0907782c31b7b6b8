"""Greetings, help and the things that are asked for and do not exist: fixed words, no specialist."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from smart_reach.agents.language.routing.corpus import OUT_OF_SCOPE, load_yaml
from smart_reach.agents.language.vocabulary import alias_hits
from smart_reach.engine.catalog.words import OFFERS

_WHOLE: Final = ("greet", "thanks", "help", "approvals", "shorter", "formal", "translate")
_PRODUCT: Final = re.compile(
    r"\b(?:for|about|on|promoting|selling|of)\s+(?:an?\s+|the\s+|our\s+|my\s+|some\s+)?(?:new\s+)?"
    r"((?:[\w-]+\s+){0,2}(?:product|card|loan|account|insurance|fund|pension|deposit|credit|bond)s?"
    r"|bitcoins?|crypto\w*|stocks?|shares|gold|nfts?|pensions?|etfs?)\b",
    re.I,
)
_WRITES: Final = re.compile(
    r"^\W*(?:(?:please|can you|could you|now|and)\W+)*(?:write|draft|compose|create|prepare|make|give me)\b"
    r"|^\W*(?:copy|push|e-?mail|sms|variants?|headlines?)\b",
    re.I,
)
_VAGUE: Final = re.compile(
    r"\b(?:this|that|best|same|chosen|decided|recommended|right|top|winning|next|any|our|each|all|"
    r"cards?|loans?|insurances?|savings)\s+(?:product|card|loan|account|insurance|deposit)s?$|^(?:product|card|loan|"
    r"account|insurance|deposit|credit)s?$",
    re.I,
)


@dataclass(frozen=True)
class Smalltalk:
    """What is answered without a specialist; `choices` are complete requests."""

    text: str
    choices: tuple[str, ...] = ()
    route: str = OUT_OF_SCOPE
    declined: bool = False


def smalltalk(text: str) -> Smalltalk | None:
    """The fixed answer to a text, or None for a request that a specialist should see."""
    said, words = re.sub(r"\s+", " ", text).strip(" .!?,;:-"), load_yaml("smalltalk")
    for name in _WHOLE:
        if name == "translate" and re.search(r"[\"“«]", text):
            continue
        if re.fullmatch(words[name]["pattern"], said, re.IGNORECASE):
            entry = words[name]
            writes = name in {"shorter", "formal", "translate"}
            return Smalltalk(
                entry["text"],
                tuple(entry.get("choices", ())),
                "content" if writes else OUT_OF_SCOPE,
                declined=writes,
            )
    if (product := unknown_offer(text)) is None:
        return None
    offers = ", ".join(offer.replace("-", " ") for offer in OFFERS)
    return Smalltalk(
        words["unknown_offer"]["text"].format(what=product, offers=offers), route="content", declined=True
    )


def unknown_offer(text: str) -> str | None:
    """A product that copy is wanted for and that the bank does not offer."""
    named = _PRODUCT.search(text)
    if named is None or not _WRITES.match(text) or alias_hits(tuple(OFFERS), text):
        return None
    return None if _VAGUE.search(named.group(1)) else named.group(1)
