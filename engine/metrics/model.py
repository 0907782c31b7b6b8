"""The semantic model: which metrics and dimensions exist, what they mean, and how each is computed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.metrics.extending import read_model

Unit = Literal["count", "percent", "money", "points", "months", "number"]
UNITS: tuple[Unit, ...] = ("count", "percent", "money", "points", "months", "number")
# Values that mean nothing alone: they match only together with their dimension's name.
GENERIC = {
    "yes",
    "no",
    "unknown",
    "true",
    "false",
    "other",
    "none",
    "high",
    "low",
    "middle",
    "success",
    "failure",
}
FOLDER = Path(__file__).parent / "models"
FILES = {
    "demo-bank": "demo_bank.yaml",
    "bank-marketing": "bank_marketing.yaml",
    "own-data": "own_data.yaml",
}


@dataclass(frozen=True)
class Join:
    """A relation that may be joined: `LEFT JOIN relation AS alias ON on`."""

    alias: str
    relation: str
    on: str


@dataclass(frozen=True)
class Source:
    """A base relation with its time column (None: a snapshot), row policy and declared joins."""

    id: str
    relation: str
    alias: str
    customer: str
    time: str | None
    where: str | None
    joins: dict[str, Join]


@dataclass(frozen=True)
class Metric:
    """`value` is an aggregate; a ratio has `num` and `den` instead."""

    id: str
    source: str
    label: str
    unit: Unit
    definition: str
    aliases: tuple[str, ...]
    value: str | None = None
    num: str | None = None
    den: str | None = None
    additive: bool = False
    better: Literal["up", "down"] = "up"
    requires: tuple[str, ...] = ()
    plural: bool = False
    watch: str | None = None  # the rate whose odd days are told when this count is asked about
    arms: dict[str, str] = field(default_factory=dict)  # aggregates of both arms, for the interval

    @property
    def verb(self) -> str:
        """Was or were, as the label asks for."""
        return "were" if self.plural else "was"

    @property
    def is_ratio(self) -> bool:
        return self.num is not None

    @property
    def sql(self) -> str:
        """The aggregate expression that is this metric."""
        return self.value if self.value is not None else f"({self.num}) * 1.0 / NULLIF({self.den}, 0)"


@dataclass(frozen=True)
class Dimension:
    """A closed set of values to group and filter by. `columns` maps a source to its expression."""

    id: str
    label: str
    columns: dict[str, str]
    aliases: tuple[str, ...]
    values: dict[str | int, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str | int, str] = field(default_factory=dict)
    ordered: tuple[str, ...] | None = None
    type: Literal["str", "int"] = "str"
    filter_only: bool = False
    index: bool = True
    humanise: bool = False
    strip: str = ""

    def display(self, value: object) -> str:
        """What a person reads instead of the stored value."""
        if value is None:
            return "(none)"
        if isinstance(value, (str, int)) and value in self.labels:
            return self.labels[value]
        text = str(value)
        if self.strip and text.lower().startswith(self.strip):
            bare = text[len(self.strip) :].replace("-", " ").replace("_", " ")
            return f"{self.label} {bare[:1].upper()}{bare[1:]}"
        return text.replace("-", " ").replace("_", " ").capitalize() if self.humanise else text


@dataclass(frozen=True)
class SemanticModel:
    """Everything a question can be about in one kind of workspace."""

    kind: str
    label: str
    zone: str
    currency: str
    default_period: str | None
    minimum_group: int
    monthly: bool
    sources: dict[str, Source]
    ctes: dict[str, str]
    metrics: dict[str, Metric]
    dimensions: dict[str, Dimension]
    ambiguous: dict[str, tuple[str, ...]]
    verified: dict[str, str]
    starters: tuple[dict[str, str], ...]
    watched: tuple[str, ...] = ()
    bundles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    glossary: dict[str, dict[str, Any]] = field(default_factory=dict)

    def metric(self, id: str) -> Metric:
        if id not in self.metrics:
            raise InvalidInput("metric", id, f"Use one of {', '.join(self.metrics)}.")
        return self.metrics[id]

    def dimension(self, id: str) -> Dimension:
        if id not in self.dimensions:
            raise InvalidInput("dimension", id, f"Use one of {', '.join(self.dimensions)}.")
        return self.dimensions[id]

    def relations(self) -> set[str]:
        """Every view that a compiled query may read."""
        named = {s.relation for s in self.sources.values()}
        named |= {j.relation for s in self.sources.values() for j in s.joins.values()}
        return (named - set(self.ctes)) | {"events", "features"}


def in_currency(model: SemanticModel, currency: str) -> SemanticModel:
    """The model of a workspace that counts in its own currency: sums of several would mean nothing."""
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise InvalidInput("currency", currency, "Use three letters, such as EUR.")
    bought = model.sources["transactions"]
    own = f"({bought.where}) AND {bought.alias}.currency = '{currency}'"
    sources = {**model.sources, bought.id: replace(bought, where=own)}
    return replace(model, currency=currency, sources=sources)


@lru_cache
def load_model(kind: str) -> SemanticModel:
    """The model of a workspace kind. Raises NotFound for a kind without a model."""
    if kind not in FILES:
        raise NotFound(f"There is no semantic model for {kind!r}.", hint=f"Kinds: {', '.join(FILES)}.")
    return build_model(read_model(FOLDER / FILES[kind]))


def build_model(raw: dict[str, Any]) -> SemanticModel:
    """Turn the YAML tree into a model and check that everything it names exists."""
    model = SemanticModel(
        kind=raw["kind"],
        label=raw["label"],
        zone=raw["zone"],
        currency=raw["currency"],
        default_period=raw.get("default_period"),
        minimum_group=int(raw["minimum_group"]),
        monthly=raw.get("resolution") == "month",
        sources={id: _source(id, value) for id, value in raw["sources"].items()},
        ctes=dict(raw.get("ctes") or {}),
        metrics={id: _metric(id, value) for id, value in raw["metrics"].items()},
        dimensions={id: _dimension(id, value) for id, value in raw["dimensions"].items()},
        ambiguous={word: tuple(ids) for word, ids in (raw.get("ambiguous") or {}).items()},
        verified={row["question"]: row["same_as"] for row in raw.get("verified") or []},
        starters=tuple(raw.get("starters") or ()),
        watched=tuple(raw["watched"]),
        bundles={word: tuple(ids) for word, ids in (raw.get("bundles") or {}).items()},
        glossary=dict(raw.get("glossary") or {}),
    )
    _check(model)
    return model


def _source(id: str, raw: dict[str, Any]) -> Source:
    joins = {a: Join(a, j["relation"], j["match"]) for a, j in (raw.get("joins") or {}).items()}
    return Source(
        id, raw["relation"], raw["alias"], raw["customer"], raw.get("time"), raw.get("where"), joins
    )


def _metric(id: str, raw: dict[str, Any]) -> Metric:
    label = raw["label"]
    plural = raw["unit"] == "count" and label.endswith("s")
    return Metric(
        id=id,
        **{
            "plural": plural,
            **raw,
            "aliases": tuple(raw["aliases"]),
            "requires": tuple(raw.get("requires") or ()),
        },
    )


def _dimension(id: str, raw: dict[str, Any]) -> Dimension:
    values = {v: tuple(a) for v, a in (raw.get("values") or {}).items()}
    ordered = raw.get("ordered")
    return Dimension(
        id=id,
        **{
            **raw,
            "aliases": tuple(raw["aliases"]),
            "values": values,
            "ordered": None if ordered is None else tuple(ordered),
        },
    )


def _check(model: SemanticModel) -> None:
    for metric in model.metrics.values():
        if metric.source not in model.sources or metric.unit not in UNITS:
            raise InvalidInput(f"metrics.{metric.id}", metric.source, "Name a declared source and unit.")
        if (metric.value is None) == (metric.num is None or metric.den is None):
            raise InvalidInput(f"metrics.{metric.id}", metric.value, "Give `value`, or `num` with `den`.")
    for dimension in model.dimensions.values():
        if unknown := set(dimension.columns) - set(model.sources):
            raise InvalidInput(f"dimensions.{dimension.id}", sorted(unknown), "Name declared sources.")
    lists = {**model.ambiguous, **model.bundles, "watched": model.watched}
    for word, ids in lists.items():
        if unknown := set(ids) - set(model.metrics):
            raise InvalidInput(f"ambiguous.{word}", sorted(unknown), "Name declared metrics.")
