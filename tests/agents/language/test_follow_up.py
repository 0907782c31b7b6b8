"""A follow-up becomes the whole question; anything else stays as it is."""

from __future__ import annotations

import pytest

from smart_reach.agents.language.follow_up import Asked, follow_up

FIGURES = Asked(("insights",), "ctr by channel last 30 days")
COPY = Asked(("compliance",), 'Check this push: "Get 2% cashback, guaranteed"')
ACTION = Asked(("nba",), "Propose the next best action for slipping customers by email")
DRAFT = Asked(("content",), "Write 2 push variants for the travel card")


@pytest.mark.parametrize(
    ("text", "before", "labels", "whole"),
    [
        ("and last week?", FIGURES, ("insights",), "ctr by channel last week"),
        ("and for the previous month?", FIGURES, ("insights",), "ctr by channel for the last month"),
        ("just for SMS", FIGURES, ("insights",), "ctr last 30 days by sms"),
        ("break it down by segment", FIGURES, ("insights",), "ctr last 30 days by segment"),
        ("why is it so low?", FIGURES, ("insights",), "Why did ctr change last 30 days"),
        ("what about opens?", FIGURES, ("insights",), "opens by channel last 30 days"),
        ("fix it", COPY, ("compliance",), "Check this push copy: “Get 2% cashback, guaranteed”"),
        (
            "why is it not allowed?",
            COPY,
            ("compliance",),
            "Check this push copy: “Get 2% cashback, guaranteed”",
        ),
        ("and as sms?", COPY, ("compliance",), "Check this sms copy: “Get 2% cashback, guaranteed”"),
        (
            "make it sms instead",
            ACTION,
            ("nba",),
            "Propose the next best action for slipping customers by sms",
        ),
        ("and for students?", ACTION, ("nba",), "Propose the next best action by email for students"),
        ("make it warmer", DRAFT, ("content",), "Write 2 push variants for the travel card, in a warm tone"),
    ],
)
def test_a_follow_up_is_written_out(text: str, before: Asked, labels: tuple[str, ...], whole: str) -> None:
    assert follow_up(text, before) == Asked(labels, whole)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("and write the push", ACTION),
        ("Why was cus_000123 given the low fee card?", FIGURES),
        ("Show revenue by offer this month", FIGURES),
        ("thanks", FIGURES),
        ("why?", ACTION),
        ("why did clicks drop last week?", COPY),
        ("What is the fee of the travel card?", DRAFT),
        ("and last week?", Asked((), "")),
    ],
)
def test_a_request_of_its_own_stays(text: str, before: Asked) -> None:
    assert follow_up(text, before) is None
