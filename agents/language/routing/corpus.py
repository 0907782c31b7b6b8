"""The utterances that teach routing and tool choice, and the hash that ties weights to them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from smart_reach.engine.errors import Integrity

PACKAGE: Final = Path(__file__).resolve().parents[1]
DATA: Final = PACKAGE / "data"
UTTERANCES: Final = PACKAGE / "utterances"
ROUTER_WEIGHTS: Final = DATA / "router.npz"
TOOL_WEIGHTS: Final = DATA / "tools.npz"
SPECIALISTS: Final = ("insights", "nba", "content", "compliance", "experimentation")
OUT_OF_SCOPE: Final = "out_of_scope"
LABELS: Final = (*SPECIALISTS, OUT_OF_SCOPE)


@dataclass(frozen=True)
class Utterance:
    """One request as somebody might say it; `author` names the style it was written in."""

    text: str
    label: str
    author: str


def routing_utterances() -> list[Utterance]:
    """All training requests that belong to one label, in file order."""
    return [
        Utterance(row["text"], label, row["author"]) for label in LABELS for row in _lines(f"{label}.jsonl")
    ]


def ambiguous_utterances() -> list[Utterance]:
    """Requests that could be for any specialist, once for each: a fit on them learns to be unsure."""
    rows = _lines("ambiguous.jsonl")
    return [Utterance(row["text"], label, row["author"]) for row in rows for label in SPECIALISTS]


def _lines(name: str) -> list[dict[str, str]]:
    text = (UTTERANCES / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def tool_utterances() -> list[Utterance]:
    """Example requests of each engine tool; `author` is the specialist that owns the tool."""
    return [
        Utterance(text, tool, entry["specialist"])
        for tool, entry in load_yaml("tool_examples").items()
        for text in entry["examples"]
    ]


def corpus_hash(rows: list[Utterance]) -> str:
    """SHA-256 over labels and texts; the shipped weights carry the hash of what they were fitted on."""
    lines = "\n".join(f"{row.label}\t{row.text}" for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


@lru_cache(maxsize=8)
def load_yaml(name: str) -> dict[str, Any]:
    """A data file of this package. Raises `Integrity` when it is missing."""
    path = DATA / f"{name}.yaml"
    if not path.is_file():
        raise Integrity(f"{path.name} is missing from the package.", hint="Install smart-reach again.")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
