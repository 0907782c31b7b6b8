"""Greetings, help and what does not exist are answered in fixed words; work is not."""

from __future__ import annotations

import pytest

from smart_reach.agents.language.smalltalk import smalltalk


@pytest.mark.parametrize("text", ["hi", "Hello!", "thanks", "help", "What can you do?", "who are you?"])
def test_basics_come_with_five_examples(text: str) -> None:
    said = smalltalk(text)
    assert said is not None
    assert (said.route, len(said.choices)) == ("out_of_scope", 5)


@pytest.mark.parametrize(
    "text",
    [
        "What needs my approval?",
        "show pending proposals",
        "approve it",
        "approve proposal 1",
        "Can I approve it here?",
    ],
)
def test_approval_is_pointed_to_its_page(text: str) -> None:
    said = smalltalk(text)
    assert said is not None
    assert "Approvals page" in said.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Write copy for a bitcoin product", "does not offer “bitcoin product”"),
        ("translate it to French", "English only"),
        ("make it shorter", "cannot set the length"),
        ("more formal please", "plain, warm and benefit-led"),
    ],
)
def test_what_does_not_exist_is_said(text: str, words: str) -> None:
    said = smalltalk(text)
    assert said is not None
    assert words in said.text
    assert said.declined


@pytest.mark.parametrize(
    "text",
    [
        "Write a push for the travel card",
        "Write copy for the best offer",
        "Show me the ctr",
        "who has to approve a campaign",
        "propose an action for students",
        "write an email about our savings account",
    ],
)
def test_work_goes_to_a_specialist(text: str) -> None:
    assert smalltalk(text) is None
