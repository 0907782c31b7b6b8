"""The steps of a request that names several: each clause with its specialist and its own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smart_reach.agents.language.follow_up import SEGMENTS, Asked, follow_up
from smart_reach.agents.language.routing.clauses import quoted
from smart_reach.agents.language.vocabulary import alias_hits
from smart_reach.engine.catalog.words import OFFERS

_LEANS: Final = re.compile(
    r"\b(?:it|them|they|those|these|that|this|he|she|winner|winning|best one|result|there|same|why)\b", re.I
)
_WHY: Final = re.compile(r"^\W*(?:(?:tell|show) me |explain |say )?why\W*$", re.I)
_CUSTOMER: Final = re.compile(r"\bcus_\d+\b", re.I)


@dataclass(frozen=True)
class Step:
    """One specialist's part of a request."""

    label: str
    text: str

    @property
    def stands_alone(self) -> bool:
        """Whether the step names its own subject, so that it makes sense after another one failed."""
        if quoted(self.text):
            return True
        if _LEANS.search(self.text):
            return False
        if self.label in {"insights", "compliance"}:
            return True
        named = alias_hits(OFFERS, self.text) or (self.label == "nba" and alias_hits(SEGMENTS, self.text))
        return bool(named or _CUSTOMER.search(self.text))


def plan_steps(clauses: Sequence[tuple[str | None, str]]) -> list[Step]:
    """Steps in order; neighbours of one specialist are one step, except a "why" after a question."""
    steps: list[Step] = []
    for place, (found, clause) in enumerate(clauses):
        # "Compare … and tell me why" is about what happened, whatever else "compare" may mean.
        asks_why = place + 1 < len(clauses) and _WHY.match(clauses[place + 1][1])
        label = "insights" if asks_why else found
        if _WHY.match(clause) and steps and steps[-1].label == "insights":
            merged = follow_up("why?", Asked(("insights",), steps[-1].text))
            steps.append(Step("insights", merged.request if merged else clause))
        elif label is None:
            continue
        elif steps and steps[-1].label == label:
            steps[-1] = Step(label, f"{steps[-1].text}. {clause}")
        else:
            steps.append(Step(label, clause))
    return steps
