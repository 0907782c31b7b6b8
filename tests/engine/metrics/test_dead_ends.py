"""Questions that used to lead nowhere: each now has an answer, a useful question back or a polite no."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from datetime import date, timedelta

import pytest

from smart_reach.engine.errors import InvalidInput, Unanswerable
from smart_reach.engine.metrics.answering.contributions import tell
from smart_reach.engine.metrics.answering.intervals import against_holdout
from smart_reach.engine.metrics.answering.story import Story, show
from smart_reach.engine.metrics.drivers import Cut, Drivers, Part
from smart_reach.engine.metrics.model import load_model
from smart_reach.engine.metrics.service import MetricsService
from smart_reach.engine.metrics.spec import Period, QuerySpec

TODAY = date(2026, 11, 20)
LAST_14 = (date(2026, 11, 7), TODAY)


@pytest.mark.parametrize(
    "question",
    [
        "What is unusual lately?",
        "Are there any anomalies?",
        "anything unusual in the last 14 days?",
        "anomalies in open rate in November",
        "did anything strange happen with opt-outs?",
    ],
)
def test_anomaly_questions_are_answered(demo: MetricsService, question: str) -> None:
    answer = demo.ask(question)
    assert answer.trust == "parsed"
    assert answer.text.startswith(("Nothing unusual", "On "))


def test_anomalies_without_a_figure_are_the_overview_s(demo: MetricsService) -> None:
    answer = demo.ask("Are there any anomalies?")
    shown = demo.overview({"days": 90})["anomalies"]
    assert answer.spec is not None
    assert answer.spec.metrics == demo.model.watched
    assert answer.row_count == len(shown) > 0


def test_a_count_is_watched_as_its_rate(demo: MetricsService) -> None:
    answer = demo.ask("anything odd with clicks?")
    assert answer.spec is not None
    assert answer.spec.metrics == ("ctr",)
    assert answer.table


def test_a_figure_without_days_is_said_to_have_none(demo: MetricsService) -> None:
    assert "cannot be judged day by day" in demo.ask("anomalies in reach").text


@pytest.mark.parametrize("word", ["lately", "recently", "now", "right now", "these days", "currently"])
def test_words_for_nowadays_are_the_last_14_days(demo: MetricsService, word: str) -> None:
    spec = demo.parse(f"ctr by channel {word}", TODAY).spec
    assert spec is not None
    assert spec.period is not None
    assert (spec.period.start, spec.period.end) == LAST_14


def test_nowadays_gives_way_to_a_date(demo: MetricsService) -> None:
    spec = demo.parse("what is the ctr now, in October", TODAY).spec
    assert spec is not None
    assert spec.period is not None
    assert spec.period.start == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("question", "start", "among"),
    [
        ("conversion rate for the moon offer", "There is no offer called moon; known are ", "Mortgage"),
        ("click rate in the pigeon channel", "There is no channel called pigeon; known are ", "Push"),
        ("ctr of the gold segment", "There is no segment called gold; known are ", "students"),
        ("ctr of the offer called blue moon", "There is no offer called blue moon; known are ", "Mortgage"),
    ],
)
def test_an_unknown_value_is_named_with_the_known_ones(
    demo: MetricsService, question: str, start: str, among: str
) -> None:
    ask = demo.ask(question).clarification
    assert ask is not None
    assert ask.question.startswith(start)
    assert among in ask.question
    assert len(ask.choices) >= 3
    for choice in ask.choices:
        spec = demo.parse(choice, TODAY).spec
        assert spec is not None
        assert spec.filters


@pytest.mark.parametrize(
    "question",
    ["how many unique people opened", "how many distinct customers opened", "how many peple opend"],
)
def test_people_are_counted_once(demo: MetricsService, question: str) -> None:
    spec = demo.parse(question, TODAY).spec
    assert spec is not None
    assert spec.metrics == ("people_opened",)


def test_a_misspelt_month_is_mended(demo: MetricsService) -> None:
    parsed = demo.parse("ctr in octber", TODAY)
    assert parsed.spec is not None
    assert parsed.spec.period is not None
    assert parsed.spec.period.start == date(2026, 10, 1)
    assert parsed.notes == ("read “octber” as “october”",)


def test_a_single_choice_says_what_it_leaves_out(demo: MetricsService) -> None:
    ask = demo.ask("ctr xylophonic").clarification
    assert ask is not None
    assert ask.question == "I do not know “xylophonic”. Shall I answer without it?"


@pytest.mark.parametrize(
    ("question", "metrics"),
    [
        ("average balance of customers", ("average_balance",)),
        ("funnel for push", ("reach", "people_opened", "people_clicked", "people_converted")),
        ("list the segments", ("customers",)),
        ("which offers do we have?", ("sends",)),
        ("what is the holdout?", ("holdout_rate",)),
    ],
)
def test_everyday_questions_have_an_answer(
    demo: MetricsService, question: str, metrics: tuple[str, ...]
) -> None:
    answer = demo.ask(question)
    assert answer.spec is not None
    assert answer.spec.metrics == metrics
    assert answer.table


def test_the_holdout_is_explained_but_never_dropped(demo: MetricsService) -> None:
    assert demo.ask("what is the holdout?").text.startswith("The holdout is")
    assert demo.ask("ctr by channel in the holdout").clarification is not None


def test_cohorts_are_the_overview_s(demo: MetricsService) -> None:
    answer = demo.ask("cohort retention for push")
    assert answer.table is not None
    page = demo.overview({"channel": "push"})
    assert len(answer.table["rows"]) == len(page["cohorts"]["rows"])
    assert answer.spec_text == "Weekly cohorts: share still spending, where channel is Push"
    assert demo.ask("cohort retention in Lisbon").clarification is not None


def test_the_last_campaign_is_a_filter(demo: MetricsService) -> None:
    ask = demo.ask("which message variant performed best in the last campaign").clarification
    assert ask is not None
    spec = demo.parse(ask.choices[0], TODAY).spec
    assert spec is not None
    assert spec.dimensions == ("variant",)
    assert [f.dimension for f in spec.filters] == ["campaign"]
    assert spec.order is not None


def test_an_uplift_has_the_normal_interval(demo: MetricsService) -> None:
    metric = demo.model.metric("uplift")
    n, x, held, y = 1000, 50, 200, 4
    cells = {"treated": n, "sum": x, "squares": x, "held": held, "held_sum": y, "held_squares": y}
    row = {"uplift": x / n - y / held, **{f"uplift__{k}": v for k, v in cells.items()}}
    bounds = against_holdout(metric, row)
    assert bounds is not None
    spread = math.sqrt((x - x**2 / n) / (n - 1) / n + (y - y**2 / held) / (held - 1) / held)
    assert bounds[1] - bounds[0] == pytest.approx(2 * 1.959964 * spread, rel=1e-6)
    assert against_holdout(metric, {**row, "uplift__held": 9}) is None


@pytest.mark.parametrize(
    "question", ["uplift", "uplift by channel", "incremental revenue", "uplift per week"]
)
def test_every_incremental_figure_has_an_interval(demo: MetricsService, question: str) -> None:
    answer = demo.ask(question)
    assert " interval " in answer.text
    assert answer.table is not None
    assert "Lower bound" in [column["label"] for column in answer.table["columns"]]


def test_overview_and_copilot_agree_on_uplift_and_its_interval(demo: MetricsService) -> None:
    tiles = {tile["id"]: tile for tile in demo.overview({"days": 14})["tiles"]}
    (row,) = demo.run(QuerySpec(("uplift",), period=Period(*LAST_14))).rows
    bounds = against_holdout(demo.model.metric("uplift"), row)
    assert bounds is not None
    low, high = (show(bound, "points") for bound in bounds)
    value = show(row["uplift"], "points")
    assert tiles["conversion_rate"]["note"] == f"uplift {value}, 95% CI {low} to {high}"
    (row,) = demo.run(QuerySpec(("incremental_revenue",), period=Period(*LAST_14))).rows
    bounds = against_holdout(demo.model.metric("incremental_revenue"), row)
    assert list(bounds or ()) == pytest.approx(tiles["incremental_revenue"]["interval"])


def told(change: float, groups: int, asked: str) -> str:
    parts = tuple(Part(f"g{i}", f"Group {chr(65 + i)}", 0.0, change / groups) for i in range(groups))
    drivers = Drivers("ctr", 0.08 + change, 0.08, (Cut("window", "Window", parts, 1.0),), "")
    spec = QuerySpec(("ctr",), period=Period(TODAY, TODAY), intent="drivers")
    story = Story()
    before = Period(TODAY - timedelta(days=1), TODAY - timedelta(days=1))
    tell(story, drivers, replace(spec, comparison=before), load_model("demo-bank"), asked=asked)
    return story.text()


def test_few_groups_are_all_told() -> None:
    text = told(-0.02, 4, "why did ctr fall")
    assert "fell by 2.00 pp" in text
    assert text.count("−0.50 pp") == 4
    assert told(-0.02, 8, "").count("pp)") == 2


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        (0.02, "why did ctr drop?", "did not fall; it rose by 2.00 pp"),
        (-0.02, "why did ctr rise?", "did not rise; it fell by 2.00 pp"),
        (0.02, "why did ctr rise?", "rate rose by 2.00 pp"),
        (0.0000001, "why did ctr rise?", "hardly changed"),
    ],
)
def test_the_direction_is_the_measured_one(change: float, asked: str, said: str) -> None:
    assert said in told(change, 4, asked)


def test_windows_of_both_periods_are_never_all_others(demo: MetricsService) -> None:
    answer = demo.ask("why did ctr change by window last week?")
    assert answer.table is not None
    assert "all others" not in [row[0] for row in answer.table["rows"]]


@pytest.mark.parametrize("unit", ["percent", "points", "money", "months", "count", "number"])
def test_minus_is_a_true_minus(unit: str) -> None:
    assert show(-12.5, unit).startswith("−")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "question", ["ctr from 5 nov to 1 nov", "ctr in the last 0 days", "ctr past 0 weeks"]
)
def test_an_impossible_period_is_asked_about(demo: MetricsService, question: str) -> None:
    answer = demo.ask(question)
    assert answer.clarification is not None
    assert "cannot be used" not in answer.text
    assert all(demo.parse(choice, TODAY).spec for choice in answer.clarification.choices)


def test_a_winter_still_spans_the_year(demo: MetricsService) -> None:
    spec = demo.parse("ctr from december to february", TODAY).spec
    assert spec is not None
    assert spec.period is not None
    assert (spec.period.start, spec.period.end) == (date(2025, 12, 1), date(2026, 2, 28))


def test_a_year_without_data_names_the_dates_there_are(demo: MetricsService) -> None:
    assert demo.ask("conversion rate last year").text.endswith(
        "The data reaches from 23 Aug 2026 to 20 Nov 2026."
    )


def test_the_unfinished_week_has_no_share(demo: MetricsService) -> None:
    monday = TODAY - timedelta(days=TODAY.weekday())
    for row in demo.overview()["cohorts"]["rows"]:
        week = next(
            m for m in (monday - timedelta(weeks=w) for w in range(9)) if f"{m:%d %b}" == row["cohort"]
        )
        over = (monday - week).days // 7
        assert all(value is not None for value in row["values"][:over])
        assert all(value is None for value in row["values"][over:])


def test_anomalies_of_a_page_lie_in_its_period(demo: MetricsService) -> None:
    page = demo.overview({"days": 7})
    assert all(page["period"]["from"] <= a["at"] <= page["period"]["to"] for a in page["anomalies"])
    assert len(demo.overview({"days": 90})["anomalies"]) > len(page["anomalies"])


def test_csv_has_money_in_currency_units(demo: MetricsService) -> None:
    rows = {row[0]: row for row in csv.reader(io.StringIO(demo.overview_csv())) if row}
    tiles = {tile["id"]: tile for tile in demo.overview()["tiles"]}
    money = tiles["incremental_revenue"]
    found = rows["Incremental revenue"]
    assert found[2] == "EUR"
    assert [float(found[i]) for i in (1, 3, 4, 5)] == pytest.approx(
        [money["value"] / 100, money["delta"] / 100, *(bound / 100 for bound in money["interval"])], abs=0.01
    )
    assert float(rows["Value per customer"][3]) == pytest.approx(tiles["yearly_spend"]["delta"])


@pytest.mark.parametrize("question", ["messages sent by channel", "delivered by channel", "opens by channel"])
def test_plural_figures_were(demo: MetricsService, question: str) -> None:
    assert " were highest for " in demo.ask(question).text


def test_campaigns_and_variants_read_as_words(demo: MetricsService) -> None:
    assert demo.model.dimension("campaign").display("cmp_h156") == "Campaign H156"
    assert demo.model.dimension("variant").display("cmp_h156-plain") == "Variant H156 plain"
    assert demo.model.dimension("variant").display("A") == "A"


@pytest.mark.parametrize("error", [InvalidInput("x", 3, "Use another."), Unanswerable("Not measured.")])
def test_an_error_on_the_way_is_a_polite_no(
    demo: MetricsService, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(demo._parser, "parse", fail)
    answer = demo.ask("ctr")
    assert answer.refusal is not None
    assert "cannot be used" not in answer.text


def test_a_figure_that_cannot_be_split_is_declined_in_words(demo: MetricsService) -> None:
    answer = demo.ask("why did reach change last week?")
    assert answer.text == "Only rates and sums can be split into contributions."
