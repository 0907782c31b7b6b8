"""Group-sequential bounds by numeric recursion, and a confidence sequence for unplanned looks.

Spending: Lan & DeMets (1983), O'Brien–Fleming type, one-sided: α(t) = 2 − 2 Φ(z₁₋α⁄₂ / √t).
Recursion: Armitage, McPherson & Rowe (1969) on the score process B(t) = Z √t, whose increments are
independent N(0, Δt). Five equal looks at α = .025 give 4.877, 3.357, 2.680, 2.290, 2.031.
Confidence sequence: one-sided asymptotic, Waudby-Smith et al. (arXiv 2103.06476, appendix on one-sided).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from smart_reach.engine.errors import InvalidInput

Array = NDArray[np.float64]
_REACH = 8.5  # standard deviations below zero where nothing is left
_TINY = 1e-13  # less error than this cannot be spent numerically: no bound yet


def obf_spending(fraction: float, alpha: float) -> float:
    """Error that may have been spent when this share of the information is in; all of it at 1."""
    if fraction >= 1.0:
        return alpha
    if fraction <= 0.0:
        return 0.0
    return float(2.0 * ndtr(-ndtri(1.0 - alpha / 2.0) / math.sqrt(fraction)))


def obf_bounds(fractions: Sequence[float], alpha: float) -> list[float]:
    """One-sided upper bounds on z for looks at rising information fractions (unequal ones too).

    Infinity where next to nothing may be spent yet. Earlier bounds do not depend on later looks.
    """
    return list(_bounds(tuple(float(fraction) for fraction in fractions), float(alpha)))


@lru_cache(maxsize=512)
def _bounds(fractions: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    _require(fractions, alpha)
    bounds: list[float] = []
    nodes, mass = np.zeros(1), np.ones(1)  # B(0) = 0
    before = spent = 0.0
    for number, fraction in enumerate(fractions):
        sd = math.sqrt(fraction - before)
        allowed = obf_spending(fraction, alpha) - spent
        edge = _edge(nodes, mass, sd, allowed, fraction) if allowed > _TINY else math.inf
        bounds.append(edge / math.sqrt(fraction))
        if edge < math.inf:
            spent += allowed
        if number + 1 < len(fractions):
            finest = min(sd, math.sqrt(fractions[number + 1] - fraction))
            nodes, mass = _carry_on(nodes, mass, sd, edge, fraction, finest)
        before = fraction
    return tuple(bounds)


def _edge(nodes: Array, mass: Array, sd: float, allowed: float, fraction: float) -> float:
    """The b with P(still in, then B > b) = allowed."""

    def surplus(edge: float) -> float:
        return float(mass @ ndtr((nodes - edge) / sd)) - allowed

    top = 10.0 * math.sqrt(fraction)
    if surplus(-top) <= 0.0:  # less probability is left than may be spent: any z crosses
        return -top
    return float(brentq(surplus, -top, top, xtol=1e-11))


def _carry_on(
    nodes: Array, mass: Array, sd: float, edge: float, fraction: float, finest: float
) -> tuple[Array, Array]:
    """Quadrature nodes below the bound and the probability mass at each after this look."""
    low = -_REACH * math.sqrt(fraction)
    high = min(edge, _REACH * math.sqrt(fraction))
    count = int(min(2001, max(201, 6 * (high - low) / finest))) | 1
    grid = np.linspace(low, high, count)
    weights = np.full(count, 2.0)
    weights[1::2] = 4.0
    weights[0] = weights[-1] = 1.0
    weights *= (high - low) / (count - 1) / 3.0  # Simpson
    steps = (grid[:, None] - nodes[None, :]) / sd
    density = np.exp(-0.5 * steps**2) @ mass / (sd * math.sqrt(2.0 * math.pi))
    return grid, density * weights


def _require(fractions: tuple[float, ...], alpha: float) -> None:
    if not 0.0 < alpha < 0.5:
        raise InvalidInput("alpha", alpha, "Use an error rate above 0 and below .5.")
    rising = all(a < b for a, b in zip((0.0, *fractions), fractions, strict=False))
    if not fractions or not rising or fractions[-1] > 1.0 + 1e-12:
        raise InvalidInput("fractions", fractions, "Use rising shares of the information in (0, 1].")


def sequence_margin(count: int, sd: float, alpha: float, *, tuned_for: int = 1000) -> float:
    """Half-width m of a one-sided confidence sequence: mean − m is a lower bound at every count at once.

    `sd`: standard deviation of one observation; `tuned_for`: the count at which it is tightest.
    """
    if count <= 0:
        return math.inf
    slack = -2.0 * math.log(2.0 * alpha)
    rho2 = (slack + math.log(slack + 1.0)) / tuned_for
    scale = count * rho2 + 1.0
    return sd * math.sqrt(2.0 * scale / (count**2 * rho2) * math.log(1.0 + math.sqrt(scale) / (2.0 * alpha)))
