"""Fits the shipped weights: `python -m smart_reach.agents.language.train`.

The threshold below which the router asks back is chosen by cross-validation in which all requests of one
author (per label) are left out together; no test set is read here.
"""

from __future__ import annotations

import logging
import random
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smart_reach.agents.language.routing.augment import augmented
from smart_reach.agents.language.routing.classifier import HASHED_WEIGHT, LinearClassifier
from smart_reach.agents.language.routing.corpus import (
    ROUTER_WEIGHTS,
    TOOL_WEIGHTS,
    Utterance,
    ambiguous_utterances,
    corpus_hash,
    routing_utterances,
    tool_utterances,
)
from smart_reach.agents.language.routing.features import (
    BUCKETS,
    Floats,
    TextEmbedder,
    bucket_counts,
    hashed,
    sentence,
)

log = logging.getLogger(__name__)
STRENGTH: Final = 6.0
PRECISION_WANTED: Final = 0.9
_FOLDS: Final = 5


def fit(
    rows: list[Utterance], embedder: TextEmbedder, *, threshold: float, vectors: Floats
) -> LinearClassifier:
    """Fit on rows (and their augmented forms) whose sentence vectors are given in the same order."""
    from sklearn.linear_model import LogisticRegression

    idf = inverse_document_frequency([row.text for row in rows])
    model = LogisticRegression(C=STRENGTH, max_iter=3000, tol=1e-5)
    model.fit(_matrix(rows, vectors, idf), [row.label for row in rows])
    return LinearClassifier(
        labels=tuple(str(label) for label in model.classes_),
        weights=np.asarray(model.coef_, dtype=np.float32),
        bias=np.asarray(model.intercept_, dtype=np.float32),
        idf=idf,
        source="",
        threshold=threshold,
    )


def inverse_document_frequency(texts: list[str]) -> Floats:
    """ln((1 + n) / (1 + df)) + 1 per bucket, as in scikit-learn's TfidfTransformer; 0 where df < 2."""
    frequency = np.zeros(BUCKETS, dtype=np.float32)
    for text in texts:
        frequency[list(bucket_counts(text))] += 1
    idf = np.log((1 + len(texts)) / (1 + frequency)) + 1
    return np.where(frequency >= 2, idf, 0).astype(np.float32)


def _matrix(rows: list[Utterance], vectors: Floats, idf: Floats) -> Any:
    from scipy import sparse

    grams = sparse.vstack([sparse.csr_matrix(HASHED_WEIGHT * hashed(row.text, idf)) for row in rows])
    return sparse.hstack([sparse.csr_matrix(vectors), grams]).tocsr()


def embed_all(rows: list[Utterance], embedder: TextEmbedder) -> Floats:
    """Sentence vectors, shape (rows, 384)."""
    return np.vstack([sentence(embedder, row.text) for row in rows])


def out_of_fold(
    rows: list[Utterance], everything: list[Utterance], vectors: Floats, embedder: TextEmbedder
) -> tuple[list[bool], list[float]]:
    """Correctness and confidence of each row when its author had no part in the fit."""
    folds = _author_folds(rows)
    right, confidence = [False] * len(rows), [0.0] * len(rows)
    for fold in range(_FOLDS):
        keep = [i for i, row in enumerate(everything) if folds.get((row.label, row.author)) != fold]
        model = fit([everything[i] for i in keep], embedder, threshold=0.0, vectors=vectors[keep])
        for index, row in enumerate(rows):
            if folds[row.label, row.author] == fold:
                shares = model.probabilities(row.text, embedder)
                best = max(shares, key=shares.__getitem__)
                right[index], confidence[index] = best == row.label, shares[best]
    return right, confidence


def _author_folds(rows: list[Utterance]) -> dict[tuple[str, str], int]:
    chance = random.Random(5)
    folds: dict[tuple[str, str], int] = {}
    for label in sorted({row.label for row in rows}):
        authors = sorted({row.author for row in rows if row.label == label})
        chance.shuffle(authors)
        folds.update({(label, author): place % _FOLDS for place, author in enumerate(authors)})
    return folds


def choose_threshold(right: list[bool], confidence: list[float]) -> float:
    """The lowest probability (step .01, from .30 to .60) at which answers reach the wanted precision."""
    correct: npt.NDArray[np.bool_] = np.array(right)
    shares = np.array(confidence)
    for threshold in np.arange(0.30, 0.60, 0.01):
        answered = shares >= threshold
        if answered.any() and correct[answered].mean() >= PRECISION_WANTED:
            return round(float(threshold), 2)
    return 0.6


def main() -> None:
    """Fit both classifiers and write their weights."""
    from dataclasses import replace

    from smart_reach.knowledge.embedder import Embedder

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    embedder = Embedder()
    rows = routing_utterances()
    unsure = ambiguous_utterances()
    everything = augmented([*rows, *unsure])
    vectors = embed_all(everything, embedder)
    right, confidence = out_of_fold(rows, everything, vectors, embedder)
    threshold = choose_threshold(right, confidence)
    log.info("routing: %d utterances, %.3f right when the author is new", len(rows), np.mean(right))
    answered = np.array(confidence) >= threshold
    log.info("threshold %.2f: answers %.3f, right %.3f of them", threshold, answered.mean(),
             np.array(right)[answered].mean())  # fmt: skip
    model = fit(everything, embedder, threshold=threshold, vectors=vectors)
    replace(model, source=corpus_hash([*rows, *unsure])).save(ROUTER_WEIGHTS)
    tools = tool_utterances()
    both = augmented(tools)
    model = fit(both, embedder, threshold=0.0, vectors=embed_all(both, embedder))
    replace(model, source=corpus_hash(tools)).save(TOOL_WEIGHTS)


if __name__ == "__main__":
    main()
