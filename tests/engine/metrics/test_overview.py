"""The Overview's figures agree with the semantic layer and have the promised shape."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.overview import OverviewFilters
from smart_reach.engine.metrics.overview.counts import Arm, incremental
from smart_reach.engine.metrics.service import MetricsService
from smart_reach.engine.metrics.spec import Filter, Period, QuerySpec

PERIOD = Period(date(2026, 11, 7), date(2026, 11, 20))


def tile(page: dict[str, object], id: str) -> dict[str, object]:
    tiles = page["tiles"]
    assert isinstance(tiles, list)
    return next(t for t in tiles if t["id"] == id)


def test_the_page_has_the_promised_shape(demo: MetricsService) -> None:
    page = demo.overview({"days": "14"})
    json.dumps(page, allow_nan=False)
    assert set(page) == {
        "period",
        "as_of",
        "received_at",
        "freshness_s",
        "demo",
        "currency",
        "raw",
        "snapshot",
        "filters",
        "tiles",
        "volumes",
        "churn",
        "value",
        "funnel",
        "cohorts",
        "heatmap",
        "daily",
        "anomalies",
    }
    assert len(page["tiles"]) >= 8
    for item in page["tiles"]:
        assert set(item) == {
            "id",
            "label",
            "value",
            "unit",
            "display",
            "delta",
            "delta_display",
            "better",
            "interval",
            "note",
            "spark",
            "spark_labels",
            "definition",
            "machine",
            "sql",
        }
        assert len(item["spark"]) == len(item["spark_labels"])
        assert item["sql"].startswith(("SELECT", "WITH"))
    assert len(page["heatmap"]["values"]) == 7
    assert all(len(row) == 24 for row in page["heatmap"]["values"])
    assert sum(step["worst"] for step in page["funnel"]["steps"]) == 1
    assert page["funnel"]["steps"][-1]["holdout_share"] is not None
    assert len(page["daily"]["dates"]) == 14


@pytest.mark.parametrize(
    "metric",
    ["reach", "delivered", "open_rate", "ctr", "conversion_rate", "opt_out_rate", "incremental_revenue"],
)
@pytest.mark.parametrize(
    ("given", "filters"),
    [
        ({}, ()),
        ({"channel": "push"}, (Filter("channel", "in", ("push",)),)),
        ({"segment": "students"}, (Filter("segment", "in", ("students",)),)),
    ],
)
def test_a_tile_is_the_semantic_layer_s_figure(
    demo: MetricsService, metric: str, given: dict[str, str], filters: tuple[Filter, ...]
) -> None:
    page = demo.overview({"days": 14, **given})
    (row,) = demo.run(QuerySpec((metric,), filters=filters, period=PERIOD)).rows
    assert float(str(tile(page, metric)["value"])) == pytest.approx(float(row[metric]), rel=1e-9)


def test_the_snapshot_tiles_agree_with_the_analyst(demo: MetricsService) -> None:
    page = demo.overview()
    for metric in ("churn_risk", "yearly_spend"):
        (row,) = demo.run(QuerySpec((metric,))).rows
        assert float(str(tile(page, metric)["value"])) == pytest.approx(float(row[metric]))


def test_cohorts_are_shares_of_their_size(demo: MetricsService, demo_frames: dict[str, pd.DataFrame]) -> None:
    for row in demo.overview()["cohorts"]["rows"]:
        assert row["size"] >= 10
        assert all(value is None or 0 <= value <= 1 for value in row["values"])


def test_the_interval_of_incremental_revenue_is_welch_s() -> None:
    treated = Arm(sent=100, revenue=5000.0, revenue_sq=500_000.0)
    held = Arm(sent=50, revenue=1000.0, revenue_sq=50_000.0)
    found = incremental(treated, held)
    assert found is not None
    estimate, low, high = found
    assert estimate == pytest.approx(100 * (50 - 20))
    spread = ((500_000 - 5000**2 / 100) / 99 / 100 + (50_000 - 1000**2 / 50) / 49 / 50) ** 0.5
    assert high - low == pytest.approx(2 * 1.6448536 * 100 * spread, rel=1e-6)
    assert incremental(treated, Arm(sent=5)) is None


def test_people_are_pseudonymous_and_counted(demo: MetricsService) -> None:
    found = demo.people("ctr", {"days": 14}, limit=5)
    (row,) = demo.run(QuerySpec(("people_clicked",), period=PERIOD)).rows
    assert found["total"] == row["people_clicked"]
    assert len(found["items"]) == 5
    assert set(found["items"][0]) == {"id", "segment", "region", "age_band", "what", "at"}
    assert demo.people("churn_risk")["total"] > 0
    with pytest.raises(InvalidInput):
        demo.people("ctr; DROP TABLE events")


@pytest.mark.parametrize("name", ["offer", "channel", "segment"])
@pytest.mark.parametrize("value", ["x' OR '1'='1", "y'; DROP TABLE events; --", "no-such"])
def test_filters_that_nothing_answers_to_are_refused(demo: MetricsService, name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        demo.overview({name: value})
    assert float(str(tile(demo.overview(), "reach")["value"])) > 0


@pytest.mark.parametrize("days", [0, 367, "x"])
def test_odd_days_are_refused(days: object) -> None:
    with pytest.raises(InvalidInput):
        OverviewFilters.of({"days": days or "0"})


def test_a_bank_marketing_page_anchors_on_its_last_event(marketing: MetricsService) -> None:
    page = marketing.overview({"days": 90})
    assert page["period"]["to"].startswith("2010-11")
    (row,) = marketing.run(
        QuerySpec(
            ("conversion_rate",),
            period=Period(
                date.fromisoformat(page["period"]["from"]), date.fromisoformat(page["period"]["to"])
            ),
        )
    ).rows
    assert float(str(tile(page, "conversion_rate")["value"])) == pytest.approx(row["conversion_rate"])
    assert marketing.people("conversion_rate", {"days": 90})["total"] == tile(page, "conversions")["value"]


def test_csv_holds_tiles_funnel_and_days(demo: MetricsService) -> None:
    lines = demo.overview_csv({"days": 7}).splitlines()
    assert lines[0] == "metric,value,unit,change,low,high,definition"
    assert sum(line.startswith("2026-11-") for line in lines) == 7


def test_the_future_is_not_counted(demo: MetricsService) -> None:
    early = MetricsService(demo._connect, "demo-bank", FixedClock(datetime(2026, 10, 1, 12, tzinfo=UTC)))
    assert early.overview({"days": 7})["period"]["to"] == "2026-10-01"


def test_machine_events_are_counted_on_request(demo: MetricsService) -> None:
    people, raw = demo.overview({"days": 14}), demo.overview({"days": 14, "raw": "1"})
    for page, metric in ((people, "ctr"), (raw, "ctr_raw")):
        (row,) = demo.run(QuerySpec((metric,), period=PERIOD)).rows
        assert tile(page, "ctr")["value"] == pytest.approx(row[metric])
    assert tile(people, "ctr")["machine"]["value"] == pytest.approx(tile(raw, "ctr")["value"])  # type: ignore[index]
    assert tile(raw, "ctr")["machine"]["value"] == pytest.approx(tile(people, "ctr")["value"])  # type: ignore[index]
    assert "clicked_raw" in str(tile(raw, "ctr")["sql"])
    assert raw["raw"] is True
    assert demo.people("ctr", {"raw": "1"})["total"] > demo.people("ctr")["total"]


def test_volumes_are_the_semantic_layer_s_counts(demo: MetricsService) -> None:
    volumes = {item["id"]: item for item in demo.overview({"days": 14})["volumes"]}
    assert list(volumes) == [
        *("sends", "delivered", "opens", "clicks", "conversions", "revenue"),
        *("opt_outs", "complaints", "bounces"),
    ]
    for metric, item in volumes.items():
        (row,) = demo.run(QuerySpec((metric,), period=PERIOD)).rows
        assert item["value"] == pytest.approx(float(row[metric])), metric
    assert volumes["delivered"]["share"] == pytest.approx(
        volumes["delivered"]["value"] / volumes["sends"]["value"]
    )


def test_spreads_count_every_customer_with_features(
    demo: MetricsService, demo_frames: dict[str, pd.DataFrame]
) -> None:
    page = demo.overview({"days": 14})
    features = demo_frames["features"]
    newest = features[features["as_of"] == features["as_of"].max()]
    risky = sum(band["count"] for band in page["churn"]["bands"] if band["at_risk"])
    assert risky == int((newest["days_since_active"] >= 45).sum())
    for part in ("churn", "value"):
        assert sum(band["count"] for band in page[part]["bands"]) == len(newest)
        assert sum(band["before_share"] for band in page[part]["bands"]) == pytest.approx(1)


def test_an_event_of_the_future_does_not_move_the_newest(demo: MetricsService) -> None:
    early = MetricsService(demo._connect, "demo-bank", FixedClock(datetime(2026, 10, 1, 12, tzinfo=UTC)))
    page = early.overview({"days": 7})
    assert page["as_of"] <= "2026-10-01T12:00:00+00:00"
    assert page["freshness_s"] >= 0


@pytest.mark.parametrize("snapshot", ["x", "-1", "1.5"])
def test_odd_snapshots_are_refused(snapshot: str) -> None:
    with pytest.raises(InvalidInput, match="snapshot"):
        OverviewFilters.of({"snapshot": snapshot})
