"""What the features mean, for people: a table in Markdown, or the same as JSON."""

from __future__ import annotations

from typing import Any

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.features.definitions import FeatureDefinition, FeatureSet
from smart_reach.engine.features.registry import FEATURE_SETS

_HEAD = ("Feature", "Meaning", "From", "Window", "Zone", "Fresh within", "Owner")


def describe(kind: str) -> list[dict[str, Any]]:
    """Every feature of a kind of workspace, in order. Raises `InvalidInput` for an unknown kind."""
    return [_facts(one) for one in _set(kind).definitions]


def describe_markdown(kind: str) -> str:
    """The same as a page."""
    features = _set(kind)
    rows = [
        (
            f"`{one['name']}`",
            f"{one['label']}. {one['description']}" if one["description"] != one["label"] else one["label"],
            one["computed"],
            one["window"],
            one["zone"],
            one["freshness"],
            one["owner"],
        )
        for one in describe(kind)
    ]
    lines = [
        f"# Features of {features.kind} workspaces",
        "",
        "A value counts only events that had happened before its moment and were known by it; machine "
        "opens and clicks never count.",
        "",
        _row(_HEAD),
        _row(["---"] * len(_HEAD)),
        *(_row(row) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _set(kind: str) -> FeatureSet:
    if kind not in FEATURE_SETS:
        raise InvalidInput("kind", kind, f"Use one of {', '.join(FEATURE_SETS)}.")
    return FEATURE_SETS[kind]


def _facts(one: FeatureDefinition) -> dict[str, Any]:
    hours = int(one.freshness.total_seconds() // 3600)
    return {
        "name": one.name,
        "dtype": one.dtype,
        "label": one.label,
        "description": one.description,
        "entity": one.entity,
        "aggregation": one.aggregation,
        "source": one.source,
        "value": one.value,
        "key": one.key,
        "computed": _computed(one),
        "window_days": one.window_days,
        "window": f"{one.window_days} days" if one.window_days else "all history",
        "zone": "the customer's" if one.zone == "customer" else one.zone,
        "owner": one.owner,
        "freshness_hours": hours,
        "freshness": f"{hours // 24} days" if hours > 24 else f"{hours} hours",
    }


def _computed(one: FeatureDefinition) -> str:
    """How the value comes about, in a few words and the condition itself."""
    value = " ".join(one.value.split())
    texts = {
        "count": "events where {source}",
        "sum": "sum of {value} where {source}",
        "any": "any event where {source}",
        "last_time": "newest event where {source}",
        "first_time": "oldest event where {source}",
        "latest": "newest {value} where {source}",
        "standing": "different {key} whose newest event where {source} says {value}",
        "formula": "{value}",
        "given": "comes with the data set",
    }
    return texts[one.aggregation].format(source=one.source, value=value, key=one.key)


def _row(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
