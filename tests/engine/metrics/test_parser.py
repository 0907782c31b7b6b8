"""Questions and what they should mean: paraphrases, typos, slang, ambiguous, unanswerable, hostile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.metrics.model import load_model
from smart_reach.engine.metrics.questions.lexicon import Lexicon
from smart_reach.engine.metrics.questions.parser import Parsed, Parser
from smart_reach.engine.metrics.questions.periods import Anchor
from smart_reach.engine.metrics.spec import Filter, Order, Period, QuerySpec, question_of, validate

KINDS = {"d": "demo-bank", "b": "bank-marketing"}
BANDS = ["18–24", "25–34", "35–44", "45–54", "55–64", "65+"]
VALUES: dict[str, dict[str, list[str | int]]] = {
    "demo-bank": {
        "region": ["Lisbon", "Porto", "Madrid", "Barcelona", "London", "Azores"],
        "segment": ["students", "young professionals", "families", "affluent", "retirees"],
        "channel": ["email", "push", "sms", "in_app", "social"],
        "offer": [
            "rewards-card",
            "low-fee-card",
            "travel-card",
            "platinum-card",
            "personal-loan",
            "car-loan",
            "mortgage",
            "home-insurance",
            "travel-insurance",
            "life-insurance",
            "savings-account",
            "term-deposit",
        ],
        "age_band": [*BANDS],
        "income_band": ["low", "middle", "high"],
        "variant": ["A", "B"],
    },
    "bank-marketing": {
        "job": [
            "admin.",
            "blue-collar",
            "entrepreneur",
            "housemaid",
            "management",
            "retired",
            "self-employed",
            "services",
            "student",
            "technician",
            "unemployed",
            "unknown",
        ],
        "marital": ["divorced", "married", "single", "unknown"],
        "education": [
            "basic.4y",
            "basic.6y",
            "basic.9y",
            "high.school",
            "illiterate",
            "professional.course",
            "university.degree",
            "unknown",
        ],
        "contact_type": ["cellular", "telephone"],
        "housing": ["yes", "no", "unknown"],
        "loan": ["yes", "no", "unknown"],
        "default": ["no", "unknown", "yes"],
        "poutcome": ["failure", "nonexistent", "success"],
        "age_band": [*BANDS],
    },
}
ANCHORS = {"demo-bank": Anchor(date(2026, 11, 20)), "bank-marketing": Anchor(date(2010, 11, 26), True)}
QUESTIONS = [
    tuple(line.split("|", 2))
    for line in (Path(__file__).parent / "questions.txt").read_text(encoding="utf-8").splitlines()
]
_SIGNS = {"in": "=", "not_in": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def shorthand(spec: QuerySpec) -> str:
    """`ctr by channel where region=Lisbon @ 2026-10-01..2026-10-31 ~ … per week desc #5 (drivers)`."""
    out = "+".join(spec.metrics)
    if spec.dimensions:
        out += " by " + "+".join(spec.dimensions)
    if spec.filters:
        out += " where " + " & ".join(
            f"{f.dimension}{_SIGNS[f.op]}{'/'.join(map(str, f.values))}" for f in spec.filters
        )
    out += f" @ {spec.period.start}..{spec.period.end}" if spec.period else ""
    out += f" ~ {spec.comparison.start}..{spec.comparison.end}" if spec.comparison else ""
    out += f" per {spec.grain}" if spec.grain else ""
    out += (" desc" if spec.order.descending else " asc") if spec.order else ""
    out += f" #{spec.limit}" if spec.limit else ""
    return out + (f" ({spec.intent})" if spec.intent != "value" else "")


def outcome(parsed: Parsed) -> str:
    if parsed.spec is not None:
        return shorthand(parsed.spec)
    if parsed.clarification is not None:
        return "ASK"
    assert parsed.refusal is not None
    return f"NO {parsed.refusal.code}"


@lru_cache
def parser(kind: str) -> Parser:
    return Parser(load_model(kind), Lexicon(load_model(kind), VALUES[kind]))


def parse(kind: str, text: str) -> Parsed:
    return parser(kind).parse(text, ANCHORS[kind])


@pytest.mark.parametrize(("kind", "question", "expected"), QUESTIONS)
def test_a_question_means_what_it_says(kind: str, question: str, expected: str) -> None:
    assert outcome(parse(KINDS[kind], question)) == expected


def test_the_set_is_large_and_mixed() -> None:
    kinds = [expected.split()[0] for _, _, expected in QUESTIONS]
    assert len(QUESTIONS) >= 200
    assert kinds.count("ASK") >= 20
    assert kinds.count("NO") >= 35


@pytest.mark.parametrize(("kind", "question", "expected"), [q for q in QUESTIONS if q[2] == "ASK"])
def test_every_choice_of_a_clarification_can_be_asked(kind: str, question: str, expected: str) -> None:
    clarification = parse(KINDS[kind], question).clarification
    assert clarification is not None
    assert clarification.choices
    for choice in clarification.choices:
        assert parse(KINDS[kind], choice).spec is not None, choice


def test_a_verified_question_says_so() -> None:
    parsed = parse("bank-marketing", "conversion rate by job, last 3 months!")
    assert parsed.trust == "verified"
    assert parse("demo-bank", "conversion rate by segment, last 3 months").trust == "parsed"


def test_a_correction_is_told() -> None:
    assert any("chanel" in note for note in parse("demo-bank", "ctr by chanel").notes)


@pytest.mark.parametrize("kind", KINDS.values())
def test_every_alias_finds_its_metric(kind: str) -> None:
    model = load_model(kind)
    for metric in model.metrics.values():
        for alias in (metric.label, *metric.aliases):
            parsed = parse(kind, alias)
            found = parsed.spec.metrics if parsed.spec else ()
            assert found == (metric.id,), (alias, outcome(parsed))


PERIODS = st.builds(
    lambda start, days: Period(start, date.fromordinal(start.toordinal() + days)),
    st.dates(date(2026, 1, 1), date(2026, 8, 1)),
    st.integers(1, 90),
)


@st.composite
def specs(draw: Callable[..., object], kind: str) -> QuerySpec:
    model = load_model(kind)
    metric = draw(st.sampled_from(sorted(model.metrics)))
    source = model.metric(str(metric)).source
    fitting = sorted(d.id for d in model.dimensions.values() if source in d.columns and not d.filter_only)
    dimensions = draw(st.lists(st.sampled_from(fitting), max_size=2, unique=True))
    assert isinstance(dimensions, list)
    others = [d for d in fitting if d not in dimensions and d in VALUES[kind] and d not in ("variant",)]
    chosen = draw(st.lists(st.sampled_from(others), max_size=2, unique=True)) if others else []
    assert isinstance(chosen, list)
    filters = tuple(Filter(d, "in", (draw(st.sampled_from(VALUES[kind][d])),)) for d in sorted(chosen))  # type: ignore[arg-type]
    timed = model.sources[source].time is not None
    period = draw(PERIODS) if timed else None
    order = Order(str(metric), bool(draw(st.booleans()))) if dimensions and draw(st.booleans()) else None
    return QuerySpec((str(metric),), tuple(dimensions), filters, period, order=order)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS.values())
@given(data=st.data())
def test_a_canonical_question_parses_back(kind: str, data: st.DataObject) -> None:
    spec = validate(data.draw(specs(kind)), load_model(kind))  # type: ignore[arg-type]
    question = question_of(spec, load_model(kind))
    parsed = parse(kind, question)
    assert parsed.spec is not None, (question, outcome(parsed), parsed.clarification)
    got = parsed.spec
    assert (got.metrics, set(got.dimensions), set(got.filters), got.order) == (
        spec.metrics,
        set(spec.dimensions),
        set(spec.filters),
        spec.order,
    ), question
    if spec.period and got.period:
        assert (got.period.start, got.period.end) == (spec.period.start, spec.period.end)


@given(st.text(max_size=120))
def test_any_text_gets_exactly_one_kind_of_reply(text: str) -> None:
    parsed = parse("demo-bank", text)
    assert sum(x is not None for x in (parsed.spec, parsed.clarification, parsed.refusal)) == 1
