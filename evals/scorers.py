"""Deterministic scorers: the same outcomes give the same figures. All figures are shares in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

from smart_reach.evals.cases import Outcome


def share(hits: int, of: int) -> float:
    """hits / of, and 0 where there is nothing to count."""
    return round(hits / of, 4) if of else 0.0


def accuracy(outcomes: Sequence[Outcome]) -> float:
    """Share of right answers."""
    return share(sum(outcome.right for outcome in outcomes), len(outcomes))


def precision(outcomes: Sequence[Outcome], label: str) -> float:
    """Of the cases answered with a label, the share that should be."""
    given = [outcome for outcome in outcomes if outcome.answer == label]
    return share(sum(outcome.case.expected == label for outcome in given), len(given))


def recall(outcomes: Sequence[Outcome], label: str) -> float:
    """Of the cases that should get a label, the share that do."""
    wanted = [outcome for outcome in outcomes if outcome.case.expected == label]
    return share(sum(outcome.answer == label for outcome in wanted), len(wanted))


def macro_f1(outcomes: Sequence[Outcome]) -> float:
    """Mean over the expected labels of the harmonic mean of precision and recall."""
    labels = sorted({outcome.case.expected for outcome in outcomes})
    scores = []
    for label in labels:
        p, r = precision(outcomes, label), recall(outcomes, label)
        scores.append(2 * p * r / (p + r) if p + r else 0.0)
    return round(sum(scores) / len(scores), 4) if scores else 0.0


def rate(outcomes: Sequence[Outcome], name: str) -> float:
    """Share of outcomes whose extra field `name` is true; those without the field do not count."""
    having = [outcome for outcome in outcomes if name in outcome.extra]
    return share(sum(bool(outcome.extra[name]) for outcome in having), len(having))


def answered_precision(outcomes: Sequence[Outcome]) -> float:
    """Share of right answers among those given without asking back."""
    return accuracy([outcome for outcome in outcomes if not outcome.extra.get("clarify")])
