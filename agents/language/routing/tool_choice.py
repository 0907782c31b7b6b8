"""Chooses among a specialist's tools by example requests; unknown tools by their description."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from smart_reach.agents.language.routing.classifier import LinearClassifier
from smart_reach.agents.language.routing.corpus import TOOL_WEIGHTS, load_yaml
from smart_reach.agents.language.routing.features import TextEmbedder, sentence

_UNKNOWN_WEIGHT: Final = 0.6
# What the classifier's shares count for once a rule has named the tool.
_DOUBT: Final = 0.4


class ToolChooser:
    """Ranks bound tools for a request; build with `load`."""

    def __init__(self, classifier: LinearClassifier, embedder: TextEmbedder) -> None:
        self._classifier = classifier
        self._embedder = embedder

    @classmethod
    def load(cls, embedder: TextEmbedder) -> ToolChooser:
        """Read the shipped weights."""
        return cls(LinearClassifier.load(TOOL_WEIGHTS), embedder)

    def rank(self, text: str, descriptions: Mapping[str, str]) -> list[tuple[str, float]]:
        """(tool, share), best first. `descriptions` maps each bound tool's name to what it does."""
        shares = self._classifier.probabilities(text, self._embedder)
        known = {name: shares[name] for name in descriptions if name in shares}
        total = sum(known.values()) or 1.0
        ranked = {name: share / total for name, share in known.items()}
        for name in descriptions.keys() - known.keys():
            words = f"{name.replace('_', ' ')}. {descriptions[name]}"
            likeness = float(sentence(self._embedder, text) @ sentence(self._embedder, words))
            ranked[name] = max(0.0, likeness) * _UNKNOWN_WEIGHT
        if certain := next((tool for tool in _ruled(text) if tool in descriptions), None):
            ranked = {name: share * _DOUBT for name, share in ranked.items()} | {certain: 1.0}
        return sorted(ranked.items(), key=lambda pair: (-pair[1], pair[0]))


def _ruled(text: str) -> list[str]:
    """Tools whose rule fits the text, in the order of the rules."""
    rules = load_yaml("tool_rules")["rules"]
    return [str(rule["tool"]) for rule in rules if re.search(rule["pattern"], text, re.IGNORECASE)]


def specialist_of(tool: str) -> str | None:
    """The specialist that owns an engine tool, or None for a tool this package does not know."""
    entry = load_yaml("tool_examples").get(tool)
    return None if entry is None else str(entry["specialist"])
