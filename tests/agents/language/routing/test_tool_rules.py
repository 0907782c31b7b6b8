"""Requests whose tool or specialist leaves no doubt, and the copy that a request quotes."""

from __future__ import annotations

import pytest

from smart_reach.agents.language.routing.clauses import quoted
from smart_reach.agents.language.routing.router import Router
from smart_reach.agents.language.routing.tool_choice import ToolChooser
from smart_reach.agents.language.vocabulary import ValueFinder
from smart_reach.knowledge.embedder import Embedder

TOOLS = {"experiment_status": "Say how it stands.", "plan_experiment": "Plan one."}
SEGMENTS = (
    *("all", "slipping", "students", "young-professionals", "families", "affluent", "retirees"),
    *("new-customers", "dormant-cards", "high-balance", "previous-buyers", "over-60"),
)


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("how is the experiment going", "experiment_status"),
        ("how are our experiments doing", "experiment_status"),
        ("is the test finished", "experiment_status"),
        ("Start an A/B test for the travel card", "plan_experiment"),
        ("plan an A/B test of two subject lines", "plan_experiment"),
        ("how big a sample do I need", "plan_experiment"),
        ("how long should the test run", "plan_experiment"),
    ],
)
def test_the_tool_of_an_experiment(embedder: Embedder, router: Router, text: str, tool: str) -> None:
    assert ToolChooser.load(embedder).rank(text, TOOLS)[0][0] == tool
    assert router.route(text).label == "experimentation"


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        ("Check this push: “Get 2% cashback”", "Get 2% cashback"),
        ('Check this email: "Open today"', "Open today"),
        ("Check this sms: 'Don't miss it'", "Don't miss it"),
        ("review this for the mortgage: «A home of your own»", "A home of your own"),
    ],
)
def test_a_check_of_quoted_copy_is_certain(router: Router, text: str, copy: str) -> None:
    route = router.route(text)
    assert (route.label, route.confidence >= 0.9) == ("compliance", True)
    assert quoted(text) == copy


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("target young people", "young-professionals"),
        ("an action for everybody", "all"),
        ("the whole base", "all"),
        ("for the over 65s", "retirees"),
        ("pensioners please", "retirees"),
        ("seniors", "retirees"),
        ("rich customers", "affluent"),
        ("those who are lapsing", "slipping"),
        ("inactive customers", "slipping"),
        ("propose the next best action", None),
    ],
)
def test_segment_words(embedder: Embedder, text: str, segment: str | None) -> None:
    assert ValueFinder(embedder).find(SEGMENTS, text) == segment
