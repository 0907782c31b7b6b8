"""Arguments from requests: found in the text or left out."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from smart_reach.agents.language.arguments import ArgumentFiller, Said
from smart_reach.agents.language.vocabulary import ValueFinder
from smart_reach.knowledge.embedder import Embedder

Offer = Literal[
    "rewards-card", "low-fee-card", "travel-card", "platinum-card", "personal-loan", "car-loan", "mortgage",
    "home-insurance", "travel-insurance", "life-insurance", "savings-account", "term-deposit",
]  # fmt: skip
Segment = Literal["all", "slipping", "students", "young-professionals", "families", "affluent", "retirees",
                  "new-customers", "dormant-cards", "high-balance"]  # fmt: skip
Channel = Literal["email", "push", "sms", "in_app", "social"]


class Draft(BaseModel):
    offer: Offer
    channel: Channel
    tone: Literal["friendly", "formal", "playful"] | None = None
    count: int = Field(default=2, ge=1, le=5)


class Decide(BaseModel):
    segment: Segment
    offer: Offer | None = None
    channel: Channel | None = None


class One(BaseModel):
    customer_id: str


class Copy(BaseModel):
    text: str
    channel: Channel | None = None


@pytest.fixture(scope="session")
def filler(embedder: Embedder) -> ArgumentFiller:
    return ArgumentFiller(ValueFinder(embedder))


def fill(filler: ArgumentFiller, model: type[BaseModel], text: str, **said: str) -> dict[str, Any]:
    return filler.fill(model.model_json_schema(), Said(text, text, **said)).args


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "write three warm subject lines for the travel card newsletter",
            {"offer": "travel-card", "channel": "email", "tone": "friendly", "count": 3},
        ),
        ("Travel insurance push, formal", {"offer": "travel-insurance", "channel": "push", "tone": "formal"}),
        ("a text message on the auto loan", {"offer": "car-loan", "channel": "sms"}),
        ("emial for the morgage", {"offer": "mortgage", "channel": "email"}),
        ("2 versions of an SMS about savings", {"offer": "savings-account", "channel": "sms", "count": 2}),
        ("9 variants of a push for platinum", {"offer": "platinum-card", "channel": "push"}),
    ],
)
def test_a_draft_is_read(filler: ArgumentFiller, text: str, wanted: dict[str, Any]) -> None:
    assert fill(filler, Draft, text) == wanted
    Draft.model_validate(wanted)


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("what should we send customers who are slipping", "slipping"),
        ("propose a loan to people in their twenties", "young-professionals"),
        ("best offer for pensioners", "retirees"),
        ("win back dormant cardholders", "dormant-cards"),
        ("studnts and the travel card", "students"),
    ],
)
def test_a_segment_is_read(filler: ArgumentFiller, text: str, segment: str) -> None:
    assert fill(filler, Decide, text)["segment"] == segment


def test_what_is_not_said_is_missing_and_not_made_up(filler: ArgumentFiller) -> None:
    filled = filler.fill(Draft.model_json_schema(), Said("write a push", "write a push"))
    assert filled.args == {"channel": "push"}
    assert "rewards-card" in filled.missing["offer"]


def test_a_required_value_may_come_from_an_earlier_step(filler: ArgumentFiller) -> None:
    args = fill(filler, Draft, "write the push", result="Propose the rewards card to slipping customers.")
    assert args == {"offer": "rewards-card", "channel": "push"}


def test_an_optional_value_does_not(filler: ArgumentFiller) -> None:
    args = fill(filler, Decide, "propose an action for students", context="The mortgage did well by email.")
    assert args == {"segment": "students"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("decide CUS_000123 now", {"customer_id": "cus_000123"}),
        ("what about customer 4711?", {"customer_id": "cus_004711"}),
        ("what about the 3 best?", {}),
    ],
)
def test_ids_are_read_by_their_pattern(filler: ArgumentFiller, text: str, wanted: dict[str, Any]) -> None:
    assert fill(filler, One, text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('Check this push: "Get 2% today"', {"text": "Get 2% today", "channel": "push"}),
        (
            "is this okay as an sms: Your card is waiting for you",
            {"text": "Your card is waiting for you", "channel": "sms"},
        ),
        ("check the copy", {}),
    ],
)
def test_copy_is_what_is_quoted(filler: ArgumentFiller, text: str, wanted: dict[str, Any]) -> None:
    assert fill(filler, Copy, text) == wanted


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120))
def test_every_filled_value_is_valid(filler: ArgumentFiller, text: str) -> None:
    filled = filler.fill(Draft.model_json_schema(), Said(text, text))
    if not filled.missing:
        Draft.model_validate(filled.args)
    assert filled.args.keys().isdisjoint(filled.missing)
