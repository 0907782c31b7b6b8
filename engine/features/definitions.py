"""What a feature is: whose, from which events, over which window, how put together, and who owns it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from smart_reach.engine.errors import InvalidInput

Aggregation = Literal[
    "count", "sum", "any", "last_time", "first_time", "latest", "standing", "formula", "given"
]
"""How events become one value of a customer.

count       how many events
sum         total of `value`; 0 without events
any         1 (true) when there is any
last_time   when the newest happened; first_time: when the oldest did
latest      `value` of the newest event that has one, ties broken by event id
standing    how many different `key` there are whose newest event says `value` (a condition)
formula     `value` over other features, helpers and columns of the population
given       comes with the data set; the store only keeps it
"""

UTC_ZONE, CUSTOMER_ZONE = "UTC", "customer"
DAILY, WEEKLY = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class FeatureDefinition:
    """One column of the features table, as code.

    `source`: the condition on events (SQL over `happened`); empty for formulas. `window_days`: only events
    of so many days before the moment; None means all history. `zone`: whether local hours of the customer
    play a part. `freshness`: how old a value may be before it misleads. `column`: its SQL type.
    """

    name: str
    dtype: Literal["number", "category"]
    label: str
    description: str
    aggregation: Aggregation = "given"
    source: str = ""
    value: str = ""
    key: str = ""
    window_days: int | None = None
    column: str = "DOUBLE"
    entity: str = "customer"
    zone: str = UTC_ZONE
    owner: str = "Customer analytics"
    freshness: timedelta = WEEKLY

    def __post_init__(self) -> None:
        if self.aggregation not in ("formula", "given") and not self.source:
            raise InvalidInput("source", self.name, "An aggregation needs a condition on events.")
        if self.aggregation in ("sum", "latest", "standing", "formula") and not self.value:
            raise InvalidInput("value", self.name, f"{self.aggregation} needs a value.")
        if (self.aggregation == "standing") != bool(self.key):
            raise InvalidInput("key", self.name, "standing, and nothing else, needs a key.")


@dataclass(frozen=True)
class FeatureSet:
    """The features of one kind of workspace. `helpers` are computed on the way and not kept.

    `population`: `customers` (the lake's table, from the day they joined) or `events` (whoever an event
    known at the moment speaks of). `kinds`: only these events are read; empty for all. `imported`: the
    condition on events whose past the bank knew when it happened, although we received it later (files of
    history). A set without aggregations comes with its file.
    """

    kind: str
    definitions: tuple[FeatureDefinition, ...]
    helpers: tuple[FeatureDefinition, ...] = ()
    population: Literal["customers", "events"] = "customers"
    kinds: tuple[str, ...] = ()
    imported: str = "false"

    def __post_init__(self) -> None:
        names = [one.name for one in self.everything]
        for name in names:
            if names.count(name) > 1:
                raise InvalidInput("feature", name, "Give every feature and helper its own name.")

    @property
    def everything(self) -> tuple[FeatureDefinition, ...]:
        """Helpers first: a formula may use what stands before it."""
        return self.helpers + self.definitions

    @property
    def computed(self) -> bool:
        """False when the values come with the data set and cannot be refreshed."""
        return any(one.aggregation != "given" for one in self.everything)


def number(
    name: str, label: str, description: str = "", *, column: str = "INTEGER", value: str = ""
) -> FeatureDefinition:
    """A number made by a formula, or given when there is none."""
    kind: Aggregation = "formula" if value else "given"
    return FeatureDefinition(name, "number", label, description or label, kind, value=value, column=column)


def category(name: str, label: str, description: str = "", *, value: str = "") -> FeatureDefinition:
    """A text made by a formula, or given when there is none."""
    kind: Aggregation = "formula" if value else "given"
    return FeatureDefinition(
        name, "category", label, description or label, kind, value=value, column="VARCHAR"
    )


def count(name: str, label: str, source: str, days: int | None, description: str = "") -> FeatureDefinition:
    """How many events there were in a window."""
    text = description or label
    return FeatureDefinition(name, "number", label, text, "count", source, window_days=days, column="INTEGER")


def total(name: str, label: str, source: str, days: int | None, description: str = "") -> FeatureDefinition:
    """The sum of the events' amounts in a window, minor units."""
    text = description or label
    value = "amount_minor"
    return FeatureDefinition(
        name, "number", label, text, "sum", source, value, window_days=days, column="BIGINT"
    )


def helper(
    name: str, aggregation: Aggregation, source: str = "", value: str = "", days: int | None = None
) -> FeatureDefinition:
    """Something computed on the way."""
    return FeatureDefinition(
        name, "number", name, name, aggregation, source, value, window_days=days, column=""
    )


def local(definitions: Iterable[FeatureDefinition]) -> tuple[FeatureDefinition, ...]:
    """The same features, marked as depending on the customer's own time zone."""
    return tuple(replace(one, zone=CUSTOMER_ZONE) for one in definitions)
