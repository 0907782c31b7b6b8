"""Decides which specialist a request is for, in which order, or that it is for none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from smart_reach.agents.language.routing.classifier import LinearClassifier
from smart_reach.agents.language.routing.clauses import asks_for_check, requests_in
from smart_reach.agents.language.routing.corpus import OUT_OF_SCOPE, ROUTER_WEIGHTS, SPECIALISTS, load_yaml
from smart_reach.agents.language.routing.features import TextEmbedder

STEP_CONFIDENCE = 0.55
# A request that orders a check and quotes the copy leaves no doubt.
CERTAIN = 0.97
CHECKER = "compliance"


@dataclass(frozen=True)
class Route:
    """Where a request goes. `confidence` and `probabilities` lie in [0, 1].

    `plan` holds the specialists in the order in which a multi-step request names them; it is empty when
    the request is out of scope. With `clarify` the user should be asked to pick one of `choices`.
    """

    label: str
    confidence: float
    clarify: bool
    choices: tuple[str, ...]
    plan: tuple[str, ...]
    probabilities: Mapping[str, float] = field(repr=False)

    @property
    def declined(self) -> bool:
        """Whether the request is outside the product's job."""
        return self.label == OUT_OF_SCOPE and not self.clarify


class Router:
    """Routes by a small classifier; build with `load`. Safe to share between threads."""

    def __init__(self, classifier: LinearClassifier, embedder: TextEmbedder) -> None:
        self._classifier = classifier
        self._embedder = embedder

    @classmethod
    def load(cls, embedder: TextEmbedder | None = None) -> Router:
        """Read the shipped weights; the sentence model itself is loaded at the first request."""
        if embedder is None:
            from smart_reach.knowledge.embedder import Embedder

            embedder = Embedder()
        return cls(LinearClassifier.load(ROUTER_WEIGHTS), embedder)

    @property
    def threshold(self) -> float:
        """Confidence below which the router asks back."""
        return self._classifier.threshold

    def route(self, text: str) -> Route:
        """Route one request; any text is accepted, an empty one is out of scope."""
        clauses = requests_in(text)
        shares = self._shares(text, clauses)
        plan = self._plan(clauses)
        label = max(shares, key=shares.__getitem__)
        if len(plan) > 1 and label != OUT_OF_SCOPE:
            return Route(label if label in plan else plan[0], shares[label], False, (), plan, shares)
        confidence = shares[label]
        clarify = bool(text.strip()) and confidence < self.threshold
        return Route(
            label=label,
            confidence=confidence,
            clarify=clarify,
            choices=_choices(shares) if clarify else (),
            plan=() if label == OUT_OF_SCOPE else (label,),
            probabilities=shares,
        )

    def _shares(self, text: str, clauses: list[str]) -> dict[str, float]:
        """Probabilities of the whole text, sharpened by its one request where a scene surrounds it."""
        if not text.strip():
            return {label: float(label == OUT_OF_SCOPE) for label in self._classifier.labels}
        if asks_for_check(text) and len(clauses) < 2:
            rest = (1 - CERTAIN) / (len(self._classifier.labels) - 1)
            return {label: CERTAIN if label == CHECKER else rest for label in self._classifier.labels}
        whole = self._classifier.probabilities(text, self._embedder)
        if len(clauses) != 1 or len(clauses[0]) > 0.9 * len(text):
            return whole
        clause = self._classifier.probabilities(clauses[0], self._embedder)
        joint = {label: math.sqrt(whole[label] * clause[label]) for label in whole}
        total = sum(joint.values())
        return {label: share / total for label, share in joint.items()}

    def clauses(self, text: str) -> list[tuple[str | None, str]]:
        """The requests in a text, each with its specialist where that is clear."""
        known = {clause: label for label, clause in self.steps(text)}
        return [(known.get(clause), clause) for clause in requests_in(text)]

    def steps(self, text: str) -> list[tuple[str, str]]:
        """The (specialist, clause) pairs of a request that names several; unclear clauses are left out."""
        return self._steps(requests_in(text))

    def _steps(self, clauses: list[str]) -> list[tuple[str, str]]:
        found = []
        for clause in clauses:
            shares = self._classifier.probabilities(clause, self._embedder)
            label = max(shares, key=shares.__getitem__)
            if label in SPECIALISTS and shares[label] >= STEP_CONFIDENCE:
                found.append((label, clause))
        return found

    def _plan(self, clauses: list[str]) -> tuple[str, ...]:
        if len(clauses) < 2:
            return ()
        return tuple(dict.fromkeys(label for label, _ in self._steps(clauses)))


def _choices(shares: Mapping[str, float]) -> tuple[str, ...]:
    """The two or three likeliest specialists, in the words of the user's job."""
    names: dict[str, str] = load_yaml("replies")["choices"]
    ranked = sorted(SPECIALISTS, key=lambda label: -shares.get(label, 0.0))
    likely = [label for label in ranked if shares.get(label, 0.0) >= 0.1]
    return tuple(names[label] for label in (likely if len(likely) >= 2 else ranked)[:3])
