"""Routing: the shipped weights, the golden set, steps, clarifying and declining."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.agents.language.routing import corpus
from smart_reach.agents.language.routing.augment import augmented
from smart_reach.agents.language.routing.classifier import LinearClassifier
from smart_reach.agents.language.routing.corpus import LABELS, SPECIALISTS, corpus_hash
from smart_reach.agents.language.routing.features import hashed, normalise
from smart_reach.agents.language.routing.router import Router
from smart_reach.engine.errors import Integrity
from smart_reach.evals.cases import load_cases


def test_the_shipped_weights_were_fitted_on_the_shipped_utterances() -> None:
    routing = LinearClassifier.load(corpus.ROUTER_WEIGHTS)
    tools = LinearClassifier.load(corpus.TOOL_WEIGHTS)
    everything = [*corpus.routing_utterances(), *corpus.ambiguous_utterances()]
    assert routing.source == corpus_hash(everything)
    assert tools.source == corpus_hash(corpus.tool_utterances())
    assert set(routing.labels) == set(LABELS)


def test_there_are_enough_utterances_and_none_twice() -> None:
    rows = corpus.routing_utterances()
    counts = {label: sum(row.label == label for row in rows) for label in LABELS}
    assert all(counts[label] >= 300 for label in SPECIALISTS)
    assert counts["out_of_scope"] >= 400
    assert len({row.text.lower() for row in rows}) == len(rows)


def test_no_golden_case_was_trained_on() -> None:
    trained = {normalise(row.text) for row in corpus.routing_utterances()}
    assert not [
        case.given["text"]
        for case in load_cases("routing", key="label")
        if normalise(case.given["text"]) in trained
    ]


def test_golden_requests_are_routed(router: Router) -> None:
    cases = load_cases("routing", key="label")
    routes = [(case.expected, router.route(case.given["text"])) for case in cases]
    right = sum(expected == route.label for expected, route in routes)
    assert right / len(cases) >= 0.88
    outside = [route.label == "out_of_scope" for expected, route in routes if expected == "out_of_scope"]
    assert sum(outside) / len(outside) >= 0.92


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            ('Check this push copy: "Travel more"', "compliance"),
            ("Write a push about travelling more", "content"),
        ),
        (("Which offer for the families?", "nba"), ("How did the offer do with families?", "insights")),
        (("Test two subject lines", "experimentation"), ("Write two subject lines", "content")),
        (("Why did clicks drop?", "insights"), ("Who should get the travel card?", "nba")),
        (
            ("How many contacts per week are allowed?", "compliance"),
            ("Find customers who are slipping", "insights"),
        ),
        (("Promote the winner", "experimentation"), ("May we say that the fee is zero?", "compliance")),
    ],
)
def test_neighbours_are_told_apart(router: Router, first: tuple[str, str], second: tuple[str, str]) -> None:
    for text, label in (first, second):
        assert router.route(text).label == label


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("Find who is slipping, propose an action, and write the push", ("insights", "nba", "content")),
        ("Find who is slipping, propose an action, write the push", ("insights", "nba", "content")),
        ("Write a push for the travel card, then check it for compliance", ("content", "compliance")),
        ("Show clicks by offer and channel", ("insights",)),
        ("Write a friendly push for families, with the annual fee", ("content",)),
        ("what's the weather", ()),
    ],
)
def test_the_plan_names_the_specialists_in_order(router: Router, text: str, plan: tuple[str, ...]) -> None:
    assert router.route(text).plan == plan


def test_an_unclear_request_gets_choices(router: Router) -> None:
    texts = [
        "the campaign",
        "travel card",
        "do the thing with the customers",
        "the mailing again",
        "something on the mortgage",
    ]
    asked = [route for route in map(router.route, texts) if route.clarify]
    assert len(asked) >= 3
    assert all(2 <= len(route.choices) <= 3 and not route.declined for route in asked)


def test_nothing_said_is_out_of_scope(router: Router) -> None:
    route = router.route("  ")
    assert (route.label, route.clarify, route.plan) == ("out_of_scope", False, ())


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_a_route_with_probabilities(router: Router, text: str) -> None:
    route = router.route(text)
    assert route == router.route(text)
    assert route.label in LABELS
    assert sum(route.probabilities.values()) == pytest.approx(1.0, abs=1e-4)
    assert set(route.plan) <= set(SPECIALISTS)


@settings(deadline=None)
@given(st.text(max_size=100))
def test_hashed_rows_have_length_one_or_zero(text: str) -> None:
    import numpy as np

    row = hashed(text, np.ones(1 << 14, dtype=np.float32))
    norm = float(np.linalg.norm(row))
    assert norm == pytest.approx(1.0, abs=1e-4) or norm == 0.0


def test_augmentation_is_the_same_each_time() -> None:
    rows = corpus.routing_utterances()[:50]
    assert augmented(rows) == augmented(rows)
    assert len(augmented(rows)) == 150


def test_a_broken_weights_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "router.npz"
    path.write_text(json.dumps({}))
    with pytest.raises(Integrity, match=r"router\.npz"):
        LinearClassifier.load(path)
