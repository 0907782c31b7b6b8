"""QuerySpec: a question as data, over the closed vocabulary of a semantic model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.model import GENERIC, Dimension, SemanticModel

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")
FilterOp = Literal["in", "not_in", "gt", "ge", "lt", "le"]
Intent = Literal["value", "drivers", "anomalies"]


@dataclass(frozen=True)
class Period:
    """Whole days in the bank's zone, both ends included."""

    start: date
    end: date
    label: str = ""

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InvalidInput(
                "period", f"{self.start} to {self.end}", "The end must not be before the start."
            )

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def before(self) -> Period:
        """The period of the same length that ends the day before this one starts."""
        end = self.start - timedelta(days=1)
        return Period(end - timedelta(days=self.days - 1), end, "the period before")

    @property
    def dates(self) -> str:
        if self.start == self.end:
            return day_text(self.start)
        return f"{day_text(self.start)} to {day_text(self.end)}"


@dataclass(frozen=True)
class Filter:
    """Keep rows whose dimension is (not) among values, or compares with one number."""

    dimension: str
    op: FilterOp
    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Order:
    """Sort groups by a metric."""

    by: str
    descending: bool = True


@dataclass(frozen=True)
class QuerySpec:
    """What to compute. Every id is checked by `validate`; there is no free text in it."""

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    period: Period | None = None
    comparison: Period | None = None
    grain: Grain | None = None
    order: Order | None = None
    limit: int | None = None
    intent: Intent = "value"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; dates as ISO text."""
        out: dict[str, Any] = asdict(self)
        for key in ("period", "comparison"):
            if out[key] is not None:
                out[key] = {**out[key], "start": str(out[key]["start"]), "end": str(out[key]["end"])}
        return out


def day_text(day: date) -> str:
    """3 May 2010."""
    return f"{day.day} {day:%b %Y}"


def validate(spec: QuerySpec, model: SemanticModel) -> QuerySpec:
    """Check a spec against the model; returns it with period cleared where the source is a snapshot.

    Raises InvalidInput naming the field, the value and what can be used.
    """
    if not 1 <= len(spec.metrics) <= 6:
        raise InvalidInput("metrics", spec.metrics, "Ask for one to six metrics.")
    sources = {model.metric(id).source for id in spec.metrics}
    if len(sources) > 1:
        raise InvalidInput(
            "metrics", spec.metrics, "These are measured on different things; ask one at a time."
        )
    source = model.sources[sources.pop()]
    if len(spec.dimensions) > 2 or len(set(spec.dimensions)) != len(spec.dimensions):
        raise InvalidInput("dimensions", spec.dimensions, "Group by at most two different dimensions.")
    for id in (*spec.dimensions, *(f.dimension for f in spec.filters)):
        if source.id not in model.dimension(id).columns:
            label = model.metric(spec.metrics[0]).label
            raise InvalidInput(
                "dimension", id, f"{label} cannot be split by {model.dimension(id).label.lower()}."
            )
    if any(model.dimension(id).filter_only for id in spec.dimensions):
        raise InvalidInput("dimensions", spec.dimensions, "Age can only be filtered; group by age band.")
    for item in spec.filters:
        _check_filter(item, model)
    if spec.grain is not None and spec.grain not in GRAINS:
        raise InvalidInput("grain", spec.grain, f"Use one of {', '.join(GRAINS)}.")
    if spec.limit is not None and not 1 <= spec.limit <= 1000:
        raise InvalidInput("limit", spec.limit, "Use 1 to 1000.")
    if spec.order is not None and spec.order.by not in spec.metrics:
        raise InvalidInput("order", spec.order.by, "Sort by a metric that is asked for.")
    if source.time is None:
        if spec.grain is not None:
            label = model.metric(spec.metrics[0]).label
            raise InvalidInput("grain", spec.grain, f"{label} is a snapshot and has no course over time.")
        return replace(spec, period=None, comparison=None)
    return spec


def _check_filter(item: Filter, model: SemanticModel) -> None:
    dimension = model.dimension(item.dimension)
    wanted: type = int if dimension.type == "int" else str
    if not item.values or any(type(v) is not wanted for v in item.values):
        raise InvalidInput(f"filters.{item.dimension}", item.values, f"Give {wanted.__name__} values.")
    if item.op in ("gt", "ge", "lt", "le"):
        if wanted is not int or len(item.values) != 1:
            raise InvalidInput(f"filters.{item.dimension}", item.values, "Compare with one whole number.")
    elif item.op not in ("in", "not_in"):
        raise InvalidInput(f"filters.{item.dimension}", item.op, "Use in, not_in, gt, ge, lt or le.")


_OPS = {"gt": "over", "ge": "at least", "lt": "under", "le": "at most"}


def filter_text(item: Filter, model: SemanticModel) -> str:
    """Region is Lisbon; age over 60."""
    dimension = model.dimension(item.dimension)
    if item.op in _OPS:
        return f"{dimension.label.lower()} {_OPS[item.op]} {item.values[0]}"
    names = " or ".join(dimension.display(v) for v in item.values)
    return f"{dimension.label.lower()} {'is' if item.op == 'in' else 'is not'} {names}"


def describe(spec: QuerySpec, model: SemanticModel) -> str:
    """The spec in plain words, as shown under every answer."""
    text = " and ".join(model.metric(id).label for id in spec.metrics)
    if spec.dimensions:
        text += " by " + " and ".join(model.dimension(id).label.lower() for id in spec.dimensions)
    if spec.grain:
        text += f" per {spec.grain}"
    if spec.filters:
        text += ", where " + " and ".join(filter_text(f, model) for f in spec.filters)
    timeless = model.sources[model.metric(spec.metrics[0]).source].time is None
    if timeless:
        text += ", newest snapshot"
    else:
        text += f", {spec.period.dates}" if spec.period else ", all dates"
    if spec.comparison:
        text += f", compared with {spec.comparison.dates}"
    if spec.order:
        text += f", {'highest' if spec.order.descending else 'lowest'} first"
    if spec.limit:
        text += f", {spec.limit} rows"
    return text


def _spoken(dimension: Dimension, value: str | int) -> str:
    """A value that says nothing alone (yes, high) is spoken with its dimension's name."""
    alone = str(value) not in GENERIC
    return dimension.display(value) if alone else f"{dimension.label.lower()} {value}"


def question_of(spec: QuerySpec, model: SemanticModel) -> str:
    """A canonical question that parses back to this spec: what one-click choices say."""
    text = " and ".join(model.metric(id).label for id in spec.metrics)
    if spec.dimensions:
        text += " by " + " and ".join(model.dimension(id).label.lower() for id in spec.dimensions)
    if spec.grain:
        text += f" per {spec.grain}"
    for item in spec.filters:
        dimension = model.dimension(item.dimension)
        if item.op in _OPS:
            text += f", {_OPS[item.op]} {item.values[0]}"
        else:
            names = " and ".join(_spoken(dimension, v) for v in item.values)
            text += f", {'for' if item.op == 'in' else 'excluding'} {names}"
    if spec.period:
        text += f", from {day_text(spec.period.start)} to {day_text(spec.period.end)}"
    if spec.comparison and spec.period:
        text += " vs the period before"
    if spec.order:
        text += f", {'highest' if spec.order.descending else 'lowest'} first"
    return text + (f", top {spec.limit}" if spec.limit else "")
