"""The closed list of segments. Each is a rule over feature columns, for pandas and for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from smart_reach.engine.decisioning.rules import Mask, Rule, all_hold
from smart_reach.engine.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class Segment:
    """A named group. `alternatives`: rule sets of which the first whose columns exist is used.

    `words` are stems by which people call the group, besides its label.
    """

    id: str
    label: str
    description: str
    alternatives: tuple[tuple[Rule, ...], ...] = ((),)
    words: tuple[str, ...] = ()

    def rules(self, columns: Iterable[str]) -> tuple[Rule, ...]:
        """The rules that these columns can answer. Raises InvalidInput when none can."""
        known = set(columns)
        for rules in self.alternatives:
            if all(rule.field in known for rule in rules):
                return rules
        usable = ", ".join(segment.id for segment in available(known))
        raise InvalidInput("segment", self.id, f"This workspace has no data for it. Use one of {usable}.")

    def members(self, frame: pd.DataFrame) -> Mask:
        """Which rows belong, (n,)."""
        return all_hold(self.rules(frame.columns), frame)

    def why(self, columns: Iterable[str]) -> str:
        """Why a customer is in: `spending is under 80 % of the two months before and …`."""
        rules = self.rules(columns)
        return " and ".join(rule.text for rule in rules) if rules else "every customer"


def _of_kind(
    id: str, label: str, description: str, job: str | None = None, words: tuple[str, ...] = ()
) -> Segment:
    kinds = (Rule("segment", "=", label.lower(), f"the customer belongs to the {label.lower()} segment"),)
    if job is None:
        return Segment(id, label, description, (kinds,), words)
    other = (Rule("job", "=", job, f"the job is {job}"),)
    return Segment(id, label, description, (kinds, other), words)


SEGMENTS: tuple[Segment, ...] = (
    Segment(
        "all",
        "Everybody",
        "Every customer of the workspace.",
        words=("all customers", "everyone", "whole base"),
    ),
    Segment(
        "slipping",
        "Slipping away",
        "Active before, clearly less so now.",
        (
            (
                Rule("spend_trend", "<", 0.8, "spending fell below 80 % of what it was"),
                Rule("days_since_active", ">=", 7, "there was no activity for a week"),
            ),
        ),
        ("slip", "fading", "drift", "less active", "falling", "churn", "lapsing", "leaving"),
    ),
    _of_kind("students", "Students", "Students.", "student", ("student", "universit")),
    _of_kind(
        "young-professionals", "Young professionals", "Young people in their first jobs.", words=("young",)
    ),
    _of_kind("families", "Families", "Households with children.", words=("famil", "parent", "children")),
    _of_kind("affluent", "Affluent", "High income and savings.", words=("affluent", "wealth", "rich")),
    _of_kind("retirees", "Retirees", "Retired customers.", "retired", ("retire", "pension")),
    Segment(
        "new-customers",
        "New customers",
        "Joined within the last six months.",
        ((Rule("tenure_months", "<=", 6, "the customer joined in the last 6 months"),),),
        ("new customer", "newcomer", "joined", "recent customer"),
    ),
    Segment(
        "dormant-cards",
        "Dormant cards",
        "Hold a card and hardly use it.",
        (
            (
                Rule("has_card", "=", 1, "the customer holds a card"),
                Rule("spend_30d_minor", "<", 10_000, "less than €100 was spent in 30 days"),
            ),
        ),
        ("dormant", "unused card", "idle card", "inactive card"),
    ),
    Segment(
        "high-balance",
        "High balance",
        "More than €10,000 on the account.",
        ((Rule("balance_minor", ">=", 1_000_000, "the balance is at least €10,000"),),),
        ("balance", "large account", "saver"),
    ),
    Segment(
        "previous-buyers",
        "Said yes before",
        "Accepted an offer in an earlier campaign.",
        ((Rule("poutcome", "=", "success", "the previous campaign ended in a yes"),),),
        ("previous buyer", "accepted before", "said yes", "earlier campaign"),
    ),
    Segment(
        "over-60",
        "Over 60",
        "Aged 60 or more.",
        ((Rule("age", ">=", 60, "the customer is 60 or older"),),),
        ("over 60", "older", "senior", "60 and"),
    ),
)


def segment(segment_id: str) -> Segment:
    """One segment. Raises NotFound with the closed list."""
    for one in SEGMENTS:
        if one.id == segment_id:
            return one
    raise NotFound(
        f"There is no segment {segment_id!r}.", hint=f"Use one of {', '.join(s.id for s in SEGMENTS)}."
    )


def available(columns: Iterable[str]) -> list[Segment]:
    """Segments that these feature columns can answer."""
    known = set(columns)
    return [
        one
        for one in SEGMENTS
        if any(all(rule.field in known for rule in rules) for rules in one.alternatives)
    ]


def named(description: str, columns: Iterable[str]) -> Segment:
    """The segment that a description names, by label or stem; the longest match wins.

    Raises NotFound with the choices when it names none of them.
    """
    text = description.lower()
    choices = available(columns)
    scores = [
        max((len(word) for word in (one.label.lower(), one.id, *one.words) if word in text), default=0)
        for one in choices
    ]
    if not scores or max(scores) == 0:
        raise NotFound(
            f"No group of customers is called {description!r}.",
            hint=f"Groups: {', '.join(one.label for one in choices)}.",
        )
    return choices[scores.index(max(scores))]
