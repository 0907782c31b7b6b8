"""Our feature definitions as Feast objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smart_reach.engine.features.definitions import FeatureSet

ENTITY, KEY, TIME, STAMP = "customer", "customer_id", "as_of", "as_of_us"


def view_name(features: FeatureSet) -> str:
    """The name of the feature view: `demo_bank`, `own_data`, …"""
    return features.kind.replace("-", "_")


def objects(features: FeatureSet, data: Path) -> tuple[Any, Any]:
    """The entity and the feature view over the Parquet files in `data`.

    Beside the features the view has `as_of_us`, the moment of the row in microseconds since 1970: a read
    that finds no row gives null there, and every other null is a missing value.
    """
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64, Int64, String

    entity = Entity(
        name=ENTITY,
        join_keys=[KEY],
        value_type=ValueType.STRING,
        description="A person the bank may contact.",
    )
    fields = [Field(name=STAMP, dtype=Int64, description="Moment of the row, µs since 1970.")]
    for one in features.definitions:
        dtype = Float64 if one.dtype == "number" else String
        fields.append(Field(name=one.name, dtype=dtype, description=one.description, tags=_tags(one)))
    source = FileSource(name=f"{view_name(features)}_source", path=str(data), timestamp_field=TIME)
    view = FeatureView(
        name=view_name(features),
        entities=[entity],
        schema=[Field(name=KEY, dtype=String), *fields],
        source=source,
        description=f"Features of the {features.kind} workspace, as of each moment they were computed at.",
        owner=features.definitions[0].owner,
    )
    return entity, view


def _tags(one: Any) -> dict[str, str]:
    """What Feast has no field for."""
    tags = {
        "label": one.label,
        "aggregation": one.aggregation,
        "source": one.source,
        "window_days": "" if one.window_days is None else str(one.window_days),
        "zone": one.zone,
        "owner": one.owner,
        "freshness_hours": str(int(one.freshness.total_seconds() // 3600)),
    }
    return {name: value for name, value in tags.items() if value}
