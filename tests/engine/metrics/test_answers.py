"""Answers: every figure has a cell, empty stays empty, charts fit, nothing personal leaks."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import Integrity, InvalidInput
from smart_reach.engine.metrics.answering.story import Fact, Story, money, show, ungrounded, wilson
from smart_reach.engine.metrics.service import MetricsService, rows_csv, table_csv
from smart_reach.engine.metrics.spec import Filter, Period, QuerySpec

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

QUESTIONS = [
    line.split("|", 2)
    for line in (Path(__file__).parent / "questions.txt").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(("kind", "question", "expected"), QUESTIONS)
def test_every_answer_is_grounded(
    demo: MetricsService, marketing: MetricsService, kind: str, question: str, expected: str
) -> None:
    answer = (demo if kind == "d" else marketing).ask(question)
    message = json.dumps(answer.as_json(), allow_nan=False)
    assert not re.search(r"cus_\d|\bm\d{2,}\b", message)
    if answer.spec is None:
        assert expected == "ASK" or expected.startswith("NO")
        assert answer.trust == "none"
        assert answer.table is None
        return
    assert not ungrounded(answer.text, list(answer.facts)), answer.text
    assert answer.text not in ("The table holds the figures.", "The table holds the contributions."), (
        "fell back"
    )
    assert answer.trust in ("verified", "parsed")
    assert answer.spec_text
    assert answer.freshness


@pytest.mark.parametrize(
    ("question", "chart"),
    [
        ("ctr by channel", "bar"),
        ("ctr per day last 2 weeks", "line"),
        ("ctr by weekday and hour", "heatmap"),
        ("push vs email ctr by income band", "bar"),
        ("ctr", None),
    ],
)
def test_the_chart_fits_the_shape(demo: MetricsService, question: str, chart: str | None) -> None:
    answer = demo.ask(question)
    assert (answer.chart or {}).get("type") == chart
    if answer.chart:
        assert all(len(line["values"]) == len(answer.chart["x"]["values"]) for line in answer.chart["series"])


def test_no_data_is_no_story(demo: MetricsService) -> None:
    answer = demo.ask("ctr by channel in May 2024")
    assert answer.text.startswith("There is nothing to report")
    assert answer.table is None
    assert answer.chart is None
    assert answer.row_count == 0


def test_an_empty_workspace_says_so() -> None:
    service = MetricsService(lambda: duckdb.connect(), "demo-bank", FixedClock(NOW))
    answer = service.ask("ctr by channel")
    assert answer.refusal is not None
    assert "no data" in answer.text


def test_old_data_anchors_relative_dates_and_says_so(marketing: MetricsService) -> None:
    answer = marketing.ask("conversion rate by job, last 3 months")
    assert answer.trust == "verified"
    assert answer.spec is not None
    assert answer.spec.period is not None
    assert answer.spec.period.end == date(2010, 11, 30)
    assert "The data ends on" in answer.text


def test_the_same_question_works_on_both_kinds(demo: MetricsService, marketing: MetricsService) -> None:
    for service in (demo, marketing):
        answer = service.ask("conversion rate by job, last 3 months")
        assert answer.spec is not None
        assert (answer.spec.metrics, answer.spec.dimensions) == (("conversion_rate",), ("job",))
        assert answer.table


def test_a_small_group_never_shows(demo: MetricsService) -> None:
    day = date(2026, 11, 2)
    spec = QuerySpec(
        ("ctr",), ("region",), (Filter("segment", "in", ("students",)),), Period(day, day + timedelta(days=3))
    )
    answer = demo.answer(spec)
    rows = demo.run(spec).rows
    assert all(row["group_size"] >= 10 for row in rows)
    assert "Azores" not in json.dumps(answer.as_json()["table"])


@pytest.mark.parametrize(
    ("text", "facts", "loose"),
    [
        ("Rate was 5.00%.", ["5.00%"], []),
        ("Rate was 5.00%.", ["5.0%"], ["5.00%"]),
        ("Rate was 15.00%.", ["5.00%"], ["15.00%"]),
        ("1,234 clicks", ["1,234"], []),
        ("1,234 clicks", ["234"], ["1,234"]),
        ("12 of 125", ["12"], ["125"]),
        ("three channels rose", [], ["three"]),
        ("it doubled", [], ["doubled"]),
        ("half of them", [], ["half"]),
        ("rose because of push", [], ["because"]),
        ("Q3 was best", ["Q3"], []),
        ("Q3 was best", [], ["3"]),
        ("no figures here", [], []),
    ],
)
def test_the_checker_finds_loose_figures(text: str, facts: list[str], loose: list[str]) -> None:
    assert ungrounded(text, [Fact(f"f{i}", None, d, "") for i, d in enumerate(facts)]) == loose


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_changed_figure_is_always_found(true: int, told: int) -> None:
    facts = [Fact("f1", true, f"{true:,}", "cell")]
    assert bool(ungrounded(f"Clicks: {told:,} in all", facts)) == (true != told)


def test_a_story_with_a_loose_figure_does_not_render() -> None:
    story = Story()
    story.say("There were 5 clicks.")
    with pytest.raises(Integrity):
        story.text()


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.06843, "percent", "6.84%"),
        (412_000_000, "money", "€4.12 M"),
        (1_234_500, "money", "€12,345"),
        (340, "money", "€3.40"),
        (0.012, "points", "+1.20 pp"),
        (12345, "count", "12,345"),
        (None, "percent", "–"),
        (12.34, "months", "12.3 months"),
    ],
)
def test_figures_read_well(value: float | None, unit: str, shown: str) -> None:
    assert show(value, unit) == shown  # type: ignore[arg-type]


def test_negative_money_and_wilson() -> None:
    assert money(-123_456) == "−€1,235"
    low, high = wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


def test_csv_is_whole_and_defused(demo: MetricsService) -> None:
    text = table_csv(demo.ask("ctr by channel"))
    assert text.splitlines()[0] == "Channel,Click-through rate"
    assert len(text.splitlines()) == 6
    assert rows_csv([["=1+1", 2]]) == "'=1+1,2\n"
    with pytest.raises(InvalidInput):
        table_csv(demo.ask("hello"))
