"""A linear classifier whose fitted weights ship with the package: loads in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smart_reach.agents.language.routing.features import DIMENSIONS, Floats, TextEmbedder, hashed, sentence
from smart_reach.engine.errors import Integrity

HASHED_WEIGHT = 1.0


@dataclass(frozen=True)
class LinearClassifier:
    """Multinomial logistic regression over sentence vector and hashed n-grams.

    `weights` has shape (labels, 384 + BUCKETS), `bias` (labels,), `idf` (BUCKETS,). `source` is the hash
    of the utterances it was fitted on; `threshold` the probability below which it should not be trusted.
    """

    labels: tuple[str, ...]
    weights: Floats
    bias: Floats
    idf: Floats
    source: str
    threshold: float

    @classmethod
    def load(cls, path: Path) -> LinearClassifier:
        """Read fitted weights. Raises `Integrity` when the file is missing or not one of ours."""
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(
                    labels=tuple(str(label) for label in data["labels"]),
                    weights=data["weights"].astype(np.float32),
                    bias=data["bias"].astype(np.float32),
                    idf=data["idf"].astype(np.float32),
                    source=str(data["source"]),
                    threshold=float(data["threshold"]),
                )
        except (OSError, KeyError, ValueError) as error:
            raise Integrity(
                f"{path.name} cannot be read: {error}",
                hint="Run `python -m smart_reach.agents.language.train`.",
            ) from error

    def save(self, path: Path) -> None:
        """Write the weights compressed, at half precision."""
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            idf=self.idf.astype(np.float16),
            source=np.array(self.source),
            threshold=np.array(self.threshold),
        )

    def probabilities(self, text: str, embedder: TextEmbedder) -> dict[str, float]:
        """Probability of each label; they add up to 1."""
        vector, grams = sentence(embedder, text), hashed(text, self.idf)
        scores = self.weights[:, :DIMENSIONS] @ vector
        scores += self.weights[:, DIMENSIONS:] @ (HASHED_WEIGHT * grams)
        scores += self.bias
        exponents = np.exp(scores - scores.max())
        shares = exponents / exponents.sum()
        return dict(zip(self.labels, (float(share) for share in shares), strict=True))
