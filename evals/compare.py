"""Ship or don't ship: a paired comparison, case by case, with a base run.

A candidate ships when no figure is under its floor and it is not worse than the base. Worse means that
the exact McNemar test on the cases both runs answered rejects equality at 5 % in the base's favour: of
the cases on which the two differ, too many went from right to wrong to be chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import comb
from typing import Any, Final

ALPHA: Final = 0.05


@dataclass(frozen=True)
class Comparison:
    """Paired counts. `p_value` is the one-sided probability of so many losses, were the runs alike."""

    base: str
    cases: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    p_value: float

    @property
    def worse(self) -> bool:
        """Whether the candidate is worse than chance explains."""
        return len(self.lost) > len(self.gained) and self.p_value <= ALPHA

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "gained": list(self.gained), "lost": list(self.lost), "worse": self.worse}


def compare(base: str, before: Mapping[str, bool], after: Mapping[str, bool]) -> Comparison:
    """Compare right/wrong per case id; cases that only one run has do not count."""
    shared = sorted(before.keys() & after.keys())
    gained = tuple(case for case in shared if after[case] and not before[case])
    lost = tuple(case for case in shared if before[case] and not after[case])
    return Comparison(base, len(shared), gained, lost, mcnemar(len(lost), len(gained)))


def mcnemar(lost: int, gained: int) -> float:
    """Exact one-sided McNemar (sign) test: P(X >= lost) for X ~ Binomial(lost + gained, 1/2)."""
    total = lost + gained
    if total == 0:
        return 1.0
    tail = sum(comb(total, count) for count in range(lost, total + 1))
    return min(1.0, tail / float(2**total))


def below_floors(figures: Mapping[str, float], floors: Mapping[str, float]) -> tuple[str, ...]:
    """Sentences naming each figure that is under its floor."""
    return tuple(
        f"{name} is {figures[name]:.3f}, under its floor of {floor:.3f}"
        for name, floor in sorted(floors.items())
        if figures[name] < floor
    )
