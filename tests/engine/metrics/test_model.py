"""The model files name only what exists; a broken model does not load."""

from __future__ import annotations

import pytest
import yaml

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.metrics.model import FILES, FOLDER, build_model, load_model


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_model_is_whole(kind: str) -> None:
    model = load_model(kind)
    assert model.kind == kind
    assert all(m.definition and m.aliases and m.label for m in model.metrics.values())
    assert set(model.ambiguous["kpi"]) <= set(model.metrics)


def test_an_unknown_kind_is_not_found() -> None:
    with pytest.raises(NotFound):
        load_model("shop")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metrics", "ctr", "source"), "nowhere"),
        (("metrics", "ctr", "unit"), "furlongs"),
        (("metrics", "ctr", "value"), "COUNT(*)"),
        (("dimensions", "channel", "columns"), {"nowhere": "m.channel"}),
        (("ambiguous", "rate"), ["nps"]),
    ],
)
def test_a_broken_model_is_refused(path: tuple[str, ...], value: object) -> None:
    raw = yaml.safe_load((FOLDER / FILES["demo-bank"]).read_text(encoding="utf-8"))
    place = raw
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InvalidInput):
        build_model(raw)
