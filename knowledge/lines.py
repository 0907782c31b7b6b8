"""The reviewed copy: lines per offer and tone, layouts per channel and tone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from smart_reach.engine.errors import InvalidInput

Tone = Literal["plain", "warm", "benefit-led"]
Length = Literal["short", "long"]
TONES: tuple[Tone, ...] = ("plain", "benefit-led", "warm")
LENGTHS: tuple[Length, ...] = ("short", "long")
_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Layout:
    """How one message of a channel is put together; `subject` is None where the channel has none."""

    tone: Tone
    length: Length
    subject: str | None
    body: str


@dataclass(frozen=True)
class OfferCopy:
    """The reviewed lines of one offer. References are local: `{term:apr}` is this offer's `apr`."""

    topic: str
    cta: Mapping[str, str]
    headlines: Mapping[str, str]
    hooks: Mapping[str, str]
    details: tuple[str, ...]
    support: Mapping[str, str]
    extras: tuple[str, ...]

    def lines(self, tone: Tone) -> dict[str, str]:
        """The lines that a layout may name, for one tone."""
        return {
            "topic": self.topic,
            "headline": self.headlines[tone],
            "hook": self.hooks[tone],
            "detail1": self.details[0],
            "detail2": self.details[1],
            "support": self.support[tone],
            "extra": " ".join(self.extras),
        }


def require_tone(value: str) -> Tone:
    for tone in TONES:
        if tone == value:
            return tone
    raise InvalidInput("tone", value, f"Use one of {', '.join(TONES)}.")


def require_length(value: str) -> Length:
    for length in LENGTHS:
        if length == value:
            return length
    raise InvalidInput("length", value, f"Use one of {', '.join(LENGTHS)}.")


@lru_cache(maxsize=1)
def offer_copy() -> Mapping[str, OfferCopy]:
    """Every offer's reviewed lines."""
    found: dict[str, OfferCopy] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        if path.stem != "channels":
            found |= {offer_id: _copy(entry) for offer_id, entry in _read(path).items()}
    return found


@lru_cache(maxsize=1)
def layouts() -> Mapping[str, Mapping[Tone, tuple[Layout, ...]]]:
    """Layouts by channel and tone, in the order in which they are preferred."""
    return {
        channel: {
            tone: tuple(
                Layout(tone, require_length(e["length"]), e.get("subject"), e["body"]) for e in tones[tone]
            )
            for tone in TONES
        }
        for channel, tones in _read(_FOLDER / "channels.yaml").items()
    }


def _copy(entry: Mapping[str, Any]) -> OfferCopy:
    return OfferCopy(
        entry["topic"],
        entry["cta"],
        entry["headlines"],
        entry["hooks"],
        tuple(entry["details"]),
        entry["support"],
        tuple(entry.get("extras", ())),
    )


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
