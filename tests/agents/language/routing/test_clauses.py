"""Splitting a request into what it asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.agents.language.routing.clauses import quoted, requests_in


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (
            "Find who is slipping, propose an action and write the push",
            ["Find who is slipping", "propose an action", "write the push"],
        ),
        ("Show clicks by offer, channel and region", ["Show clicks by offer, channel, region"]),
        ('Check "write now, act and win" please', ['Check "write now, act and win" please']),
        ("Our last mail was dull. Could you write a new one?", ["write a new one?"]),
        ("First find the sleepers; then suggest an offer", ["find the sleepers", "suggest an offer"]),
        ("slipping customers", []),
    ],
)
def test_requests_in(text: str, clauses: list[str]) -> None:
    assert requests_in(text) == clauses


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    assert all(isinstance(clause, str) for clause in requests_in(text))


def test_the_longest_quoted_span_is_the_copy() -> None:
    assert quoted('Is "free" fine in "Your free card awaits"?') == "Your free card awaits"
    assert quoted("no quotes") is None
