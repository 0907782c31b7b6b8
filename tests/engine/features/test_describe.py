"""The features in words."""

from __future__ import annotations

import json

import pytest

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.features.describe import describe, describe_markdown
from smart_reach.engine.features.registry import FEATURE_SETS


@pytest.mark.parametrize("kind", FEATURE_SETS)
def test_every_feature_is_described(kind: str) -> None:
    rows = describe(kind)
    assert [row["name"] for row in rows] == [one.name for one in FEATURE_SETS[kind].definitions]
    assert all(row["label"] and row["description"] and row["computed"] and row["owner"] for row in rows)
    json.dumps(rows)
    page = describe_markdown(kind)
    table = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(table) == len(rows) + 2
    assert {line.replace("\\|", "").count("|") for line in table} == {8}


def test_the_words_say_how_it_comes_about() -> None:
    spend = next(row for row in describe("own-data") if row["name"] == "spend_30d_minor")
    assert spend["computed"] == "sum of amount_minor where kind = 'transaction'"
    assert (spend["window"], spend["zone"], spend["freshness"]) == ("30 days", "UTC", "24 hours")
    window = next(row for row in describe("demo-bank") if row["name"] == "preferred_window")
    assert window["zone"] == "the customer's"
    with pytest.raises(InvalidInput, match="own-data"):
        describe("their-data")
