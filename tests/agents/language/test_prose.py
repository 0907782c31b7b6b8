"""Figures in prose: by reference, or the template."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.agents.language.prose import check_rendered, check_slots, render_prose

FACTS = {"ctr": "6.84%", "ctr.delta": "0.9 pp", "reach": "12,480"}


@pytest.mark.parametrize(
    "prose",
    [
        "Click-through is {ctr}, up {ctr.delta}.",
        "No one complained, and one of the segments grew.",
        "The plan for cus_000123 is PRP-0004, an A/B test.",
        "First comes push.",
    ],
)
def test_prose_by_reference_stands(prose: str) -> None:
    assert check_slots(prose, FACTS) == []


@pytest.mark.parametrize(
    ("prose", "text"),
    [
        ("Click-through is 6.84%.", "6.84%"),
        ("It doubled.", "doubled"),
        ("About a third of them left.", "third"),
        ("Twenty-one customers bought.", "Twenty-one"),
        ("We reached 12,480 people with {ctr}.", "12,480"),
        ("One in ten clicked.", "One"),
        ("It cost €5.", "€5"),
        ("A rise of several percent.", "percent"),
        ("Ends on 3 May.", "3"),
        ("{nothing} happened", "{nothing}"),
        ("½ of it", "½"),
        ("٣ customers", "٣"),
    ],
)
def test_a_figure_of_its_own_does_not(prose: str, text: str) -> None:
    assert check_slots(prose, FACTS)[0].text == text


def test_refused_prose_gives_way_to_the_template_and_the_reason_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        prose = render_prose("Clicks rose by 12%.", FACTS, template="Clicks are {ctr}.")
    assert (prose.text, prose.source) == ("Clicks are 6.84%.", "template")
    assert "12%" in (prose.reason or "")
    assert "template used" in caplog.text


def test_good_prose_is_filled() -> None:
    assert render_prose("Now {ctr}.", FACTS, template="-").text == "Now 6.84%."
    assert render_prose("  ", FACTS, template="Clicks are {ctr}.").source == "template"


def test_finished_text_may_hold_displays_and_nothing_else() -> None:
    assert check_rendered("Reach was 12,480 at 6.84%.", FACTS) == []
    assert [p.text for p in check_rendered("Reach was 112,480 at 6.8%.", FACTS)] == ["112,480", "6.8%"]


@given(st.integers(min_value=0, max_value=10**9))
def test_every_integer_is_seen(value: int) -> None:
    assert check_slots(f"We sold {value} cards.", FACTS)
    assert check_slots(f"We sold {value:,} cards.", FACTS)
