"""What is shown, from the service's JSON: the same after a reload as while it happened."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput, Retryable
from smart_reach.engine.governance.users import User
from smart_reach.ui.chat import render
from smart_reach.ui.chat.bridge import short
from smart_reach.ui.chat.cards import asks_for_approvals, waiting
from smart_reach.ui.chat.data_layer import cut
from smart_reach.ui.chat.facts import plain_facts, plain_source
from smart_reach.ui.chat.load import handshake_ok
from smart_reach.ui.chat.protocol import is_uuid, thread_uuid
from smart_reach.ui.chat.turn import Turn

ANA = User("usr_ana", "Ana Ruiz", "ana@demo-bank.example", "manager")
SAMPLES = json.loads((Path(__file__).parent / "samples.json").read_text(encoding="utf-8"))
THREAD = str(uuid.UUID(int=7, version=4))
PROPOSAL = {**SAMPLES["proposal"], "id": "PRP-0001", "thread_id": THREAD}
STEPS = [{"id": "s1", "agent": "insights", "text": "Read clicks.", "status": "done", "ms": 210}]
ASKED = {"id": "m1", "role": "user", "text": "How did we do?", "at": "2026-11-20T10:00:00Z"}
ANSWERED = {
    **SAMPLES["answer"],
    "id": "m2",
    "role": "assistant",
    "at": "2026-11-20T10:00:01Z",
    "steps": STEPS,
}


@dataclass
class Screen:
    """Keeps what was sent, the last of each id, in the order of first appearance."""

    steps: dict[str, Any] = field(default_factory=dict)
    elements: dict[str, Any] = field(default_factory=dict)

    async def send_step(self, step_dict: dict[str, Any]) -> None:
        self.steps[step_dict["id"]] = {**self.steps.get(step_dict["id"], {}), **step_dict}

    async def send_element(self, element_dict: dict[str, Any]) -> None:
        self.elements[element_dict["id"]] = element_dict


def turn_on(screen: Screen, run: str = "run") -> Turn:
    return Turn(screen, THREAD, run, lambda: "2026-11-20T10:00:00Z", lambda run_id, message_id: None)


def event(kind: str, data: dict[str, Any]) -> Any:
    return SimpleNamespace(kind=kind, data=data)


async def test_steps_run_then_carry_their_time() -> None:
    screen = Screen()
    turn = turn_on(screen)
    await turn.show(event("step", {**STEPS[0], "status": "running", "ms": 0}))
    heading, agent = screen.steps.values()
    assert (heading["name"], heading["end"]) == ("Agents at work", None)
    assert (agent["name"], agent["end"]) == ("Insights agent", None)
    await turn.show(event("step", STEPS[0]))
    heading, agent = screen.steps.values()
    assert (heading["name"], agent["name"]) == ("1 agent · 0.2 s", "Insights agent · 0.2 s")
    assert agent["parentId"] == heading["id"]
    assert agent["output"] == "Read clicks."


async def test_a_card_comes_below_the_answer_even_when_its_event_comes_first() -> None:
    screen = Screen()
    turn = turn_on(screen)
    await turn.show(event("proposal", PROPOSAL))
    assert not screen.elements
    await turn.show(event("message", {**ANSWERED, "proposal_id": "PRP-0001"}))
    assert [one["output"][:5] for one in screen.steps.values()] == ["Click", ""]
    assert [one["name"] for one in screen.elements.values()] == [render.ANSWER, render.APPROVAL]


async def test_an_error_ends_running_steps_and_says_what_helps() -> None:
    screen = Screen()
    turn = turn_on(screen)
    await turn.show(event("step", {**STEPS[0], "status": "running", "ms": 0}))
    await turn.show(event("error", {"message": "The service is down.", "hint": "Try later."}))
    _, agent, error = screen.steps.values()
    assert agent["isError"]
    assert agent["end"] is not None
    assert (error["output"], error["isError"]) == ("The service is down. Try later.", True)


async def test_what_was_shown_live_is_what_a_reload_shows() -> None:
    screen = Screen()
    turn = turn_on(screen, run="m2")
    for one in (event("step", STEPS[0]), event("proposal", PROPOSAL)):
        await turn.show(one)
    await turn.show(event("message", {**ANSWERED, "proposal_id": "PRP-0001"}))
    stored = {"id": THREAD, "title": "T", "messages": [ASKED, {**ANSWERED, "proposal_id": "PRP-0001"}]}
    again = render.thread(ANA, {**stored, "pending": [PROPOSAL]}, {})
    assert {one["id"]: one["props"] for one in again["elements"]} == {
        key: one["props"] for key, one in screen.elements.items()
    }
    shown = {key: (one["name"], one["output"]) for key, one in screen.steps.items()}
    stored_steps = {one["id"]: (one["name"], one["output"]) for one in again["steps"]}
    assert shown.items() <= stored_steps.items()


def test_every_pending_proposal_has_a_card_and_a_decided_one_never_looks_pending() -> None:
    messages = [ASKED, {**ANSWERED, "proposal_id": "PRP-0009"}]
    stored = {"id": THREAD, "title": "T", "messages": messages, "pending": [PROPOSAL]}
    cards = [one for one in render.thread(ANA, stored, {})["elements"] if one["name"] == render.APPROVAL]
    states = {card["props"]["proposal"]["id"]: card["props"]["proposal"]["status"] for card in cards}
    assert states == {"PRP-0009": "decided", "PRP-0001": "pending"}
    known = render.thread(ANA, stored, {"PRP-0009": {**PROPOSAL, "id": "PRP-0009", "status": "approved"}})
    assert known["elements"][1]["props"]["proposal"]["status"] == "approved"


def test_the_run_of_a_stored_answer_is_named_by_the_message() -> None:
    stored = {"id": THREAD, "title": "T", "messages": [ASKED, ANSWERED], "pending": []}
    runs = [one for one in render.thread(ANA, stored, {})["steps"] if one["type"] == "run"]
    assert [(run["id"], run["parentId"]) for run in runs] == [("m2", "m1")]


def test_an_answer_without_extras_has_no_element() -> None:
    assert (
        render.answer_element(THREAD, "s", {"text": "Hello", "trust": None, "facts": [], "route": "nba"})
        is None
    )


@given(st.text(max_size=60))
def test_only_uuids_name_a_thread(text: str) -> None:
    if is_uuid(text):
        assert thread_uuid(text) == str(uuid.UUID(text))
    else:
        with pytest.raises(InvalidInput):
            thread_uuid(text)


@pytest.mark.parametrize(
    "value", [None, 7, "", "../../etc", "x' OR 1=1", "0" * 32, f"{{{THREAD}}}", f"{THREAD}\n"]
)
def test_look_alikes_are_refused(value: object) -> None:
    assert not is_uuid(value)
    assert not handshake_ok({"sessionId": value})
    assert handshake_ok({"sessionId": THREAD, "threadId": value}) is (not value)


@given(st.text())
def test_a_title_is_one_short_line(text: str) -> None:
    title = short(text)
    assert title
    assert len(title) <= 80
    assert len(title.splitlines()) == 1


@given(st.integers(0, 30), st.integers(1, 7))
def test_pages_hold_every_conversation_once(count: int, size: int) -> None:
    items = [{"id": str(number)} for number in range(count)]
    seen: list[Any] = []
    cursor: str | None = None
    while True:
        page, more = cut(items, size, cursor)
        seen += page
        if not more:
            break
        cursor = page[-1]["id"]
    assert seen == items


def test_a_cursor_that_is_gone_is_told() -> None:
    with pytest.raises(Retryable):
        cut([{"id": "1"}], 5, "2")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("row 0 · conversion_rate", "Conversion rate"),
        ("row 0 · conversion_rate numerator", "Conversion rate, counted"),
        ("row 12 · click_rate denominator", "Click rate, out of"),
        ("comparison row 0 · click_rate", "Click rate, before"),
        ("comparison · revenue", "Revenue, before"),
        ("derived · Wilson lower bound of click_rate", "Click rate, lower end of the interval"),
        ("derived · change of click_rate", "Click rate, change"),
        ("derived · hidden groups", "Groups too small to show"),
        ("day 2026-11-16 · click_rate", "Click rate, 2026-11-16"),
        ("period · revenue", "Revenue"),
        ("comparison period", "Comparison period"),
        ("terms and conditions, section 2.1", "Terms and conditions, section 2.1"),
        ("", ""),
    ],
)
def test_sources_are_told_in_plain_words(source: str, words: str) -> None:
    assert plain_source(source) == words


def test_facts_are_shown_once_and_constants_never() -> None:
    told = [("6.84%", "row 0 · ctr"), ("95%", "constant · interval level"), ("6.84%", "row 1 · ctr")]
    facts = [{"id": f"f{i}", "display": text, "source": where} for i, (text, where) in enumerate(told)]
    assert plain_facts([*facts, facts[0]]) == [{"id": "f0", "display": "6.84%", "source": "Ctr"}]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("What needs my approval?", True),
        ("show pending proposals", True),
        ("Which campaigns are waiting for my decision?", True),
        ("What should I approve today?", True),
        ("Find who is slipping and propose an action", False),
        ("Who approved my proposal?", False),
        ("What is the approval rate of pending loans?", False),
    ],
)
def test_a_question_about_approvals_is_known(text: str, asks: bool) -> None:
    assert asks_for_approvals(text) is asks


@pytest.mark.parametrize(("count", "cards"), [(0, 0), (1, 1), (3, 3), (7, 3)])
def test_a_long_queue_shows_its_newest_and_the_way_to_the_rest(count: int, cards: int) -> None:
    queue = [{**PROPOSAL, "id": f"PRP-{number:04d}"} for number in range(count)]
    steps, elements = waiting(THREAD, queue, at="2026-11-20T10:00:00Z")
    assert len(elements) == len(steps) - 1 == cards
    assert ("See all" in steps[0]["output"]) is (count > 3)
    assert [one["forId"] for one in elements] == [one["id"] for one in steps[1:]]
