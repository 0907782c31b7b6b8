"""Semantic models as YAML; one may extend another: leave things out, change some, say the rest anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def read_model(path: Path) -> dict[str, Any]:
    """The YAML tree of a model, with what it extends already put in."""
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "extends" not in raw:
        return raw
    base = read_model(path.parent / raw.pop("extends"))
    without, change = raw.pop("without", {}), raw.pop("change", {})
    for part, ids in without.items():
        for id in ids:
            del base[part][id]
    gone = set(without.get("metrics", ()))
    for part in ("ambiguous", "bundles"):
        base[part] = {word: [id for id in ids if id not in gone] for word, ids in base[part].items()}
    for part, changes in change.items():
        for id, values in changes.items():
            base[part][id] = {**base[part][id], **values}
    return {**base, **raw}
