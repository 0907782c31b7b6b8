"""The embedded model inside real agents."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from pydantic import BaseModel

from smart_reach.agents.language.chat_model import EmbeddedChatModel
from smart_reach.agents.language.routing.corpus import SPECIALISTS, load_yaml
from smart_reach.agents.language.turn import join_request, split_request

Offer = Literal["rewards-card", "travel-card", "mortgage"]
Channel = Literal["email", "push", "sms"]
Said = {"nba": "Propose the rewards card to slipping customers through push."}


def specialist(name: str, said: dict[str, str]) -> BaseTool:
    @tool(name, description=f"Asks the {name} specialist.")
    def ask(request: str) -> str:
        return said.get(name, f"{name} done")

    return ask


@tool
def search_knowledge(query: str) -> str:
    """Search product terms and the brand guide."""
    return f"found: {query}"


@tool
def draft_variants(
    offer: Offer, channel: Channel, tone: Literal["friendly", "formal"] | None = None, count: int = 2
) -> str:
    """Draft message variants."""
    return f"{count} {tone} {offer} {channel}"


@pytest.fixture(scope="session")
def supervisor(model: EmbeddedChatModel) -> Any:
    return create_agent(model, tools=[specialist(name, Said) for name in SPECIALISTS])


@pytest.fixture(scope="session")
def writer(model: EmbeddedChatModel) -> Any:
    return create_agent(model, tools=[search_knowledge, draft_variants])


def ask(agent: Any, *texts: str) -> list[Any]:
    messages: list[Any] = []
    for text in texts:
        messages = agent.invoke({"messages": [*messages, HumanMessage(text)]})["messages"]
    return messages


def called(messages: list[Any]) -> list[str]:
    return [
        call["name"] for message in messages if isinstance(message, AIMessage) for call in message.tool_calls
    ]


def test_several_specialists_run_in_order_and_hand_on_what_they_found(supervisor: Any) -> None:
    text = "Find who is slipping, propose an action, and write the push"
    messages = ask(supervisor, text)
    assert called(messages) == ["insights", "nba", "content"]
    last = [message for message in messages if isinstance(message, AIMessage) and message.tool_calls][-1]
    request, results, _ = split_request(last.tool_calls[0]["args"]["request"])
    assert request == join_request("write the push", whole=text)
    assert results == f"insights done\n\n{Said['nba']}"
    assert messages[-1].content == f"insights done\n\n{Said['nba']}\n\ncontent done"
    assert messages[-1].response_metadata["plan"] == ["insights", "nba", "content"]


def test_a_request_outside_the_job_is_declined_with_what_it_can_do(supervisor: Any) -> None:
    answer = ask(supervisor, "What's the weather in Lisbon?")[-1]
    assert called([answer]) == []
    assert answer.response_metadata["declined"] is True
    assert "next best action" in answer.content


def test_a_clicked_choice_goes_to_its_specialist(supervisor: Any, model: EmbeddedChatModel) -> None:
    unclear = next(
        text
        for text in ("the campaign", "travel card", "something on the mortgage")
        if ask(supervisor, text)[-1].response_metadata.get("clarify")
    )
    asked = ask(supervisor, unclear)[-1]
    assert asked.response_metadata["choices"]
    messages = ask(supervisor, unclear, load_yaml("replies")["choices"]["content"])
    assert called(messages) == ["content"]


def test_a_step_that_fails_ends_the_plan(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([specialist(name, {}) for name in SPECIALISTS])
    messages: list[Any] = [HumanMessage("Find who is slipping, propose an action, and write the push")]
    call = bound.invoke(messages)
    failed = ToolMessage("The data is not there.", tool_call_id=call.tool_calls[0]["id"], status="error")
    answer = bound.invoke([*messages, call, failed])
    assert answer.tool_calls == []
    assert answer.content == (
        "The data is not there.\n\nNot done, because it builds on the step before: "
        "“propose an action”, “write the push”."
    )


def test_a_step_with_a_subject_of_its_own_runs_after_a_failure(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([specialist(name, {}) for name in SPECIALISTS])
    messages: list[Any] = [HumanMessage("Find who is slipping and then write a push for the travel card")]
    call = bound.invoke(messages)
    failed = ToolMessage("The data is not there.", tool_call_id=call.tool_calls[0]["id"], status="error")
    answer = bound.invoke([*messages, call, failed])
    assert called([answer]) == ["content"]
    assert split_request(answer.tool_calls[0]["args"]["request"])[0].startswith("write a push")


def test_a_follow_up_reaches_its_specialist_as_a_whole_question(supervisor: Any) -> None:
    messages = ask(supervisor, "ctr by channel last 30 days", "and last week?", "only push", "thanks")
    asked = [
        (call["name"], split_request(call["args"]["request"])[0])
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]
    assert asked == [
        ("insights", "ctr by channel last 30 days"),
        ("insights", "ctr by channel last week"),
        ("insights", "ctr last week by push"),
    ]
    assert messages[-1].response_metadata["route"] == "out_of_scope"


def test_a_new_request_after_a_decision_is_no_follow_up(supervisor: Any) -> None:
    messages = ask(supervisor, "Propose an action for students by email", "and write the push")
    assert called(messages) == ["nba", "content"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("write three friendly subject lines for the travel card email", "3 friendly travel-card email"),
        ("what is the fee of the travel card?", "found: what is the fee of the travel card?"),
        (
            join_request("Find who is slipping, propose an action, and write the push", results=Said["nba"]),
            "2 None rewards-card push",
        ),
    ],
)
def test_a_specialist_chooses_its_tool_and_fills_it(writer: Any, text: str, answer: str) -> None:
    assert ask(writer, text)[-1].content == answer


def test_a_missing_value_is_asked_for_with_choices(writer: Any) -> None:
    messages = ask(writer, "write a push")
    assert messages[-1].response_metadata["choices"] == ["rewards-card", "travel-card", "mortgage"]
    assert called(messages) == []
    answered = ask(writer, "write a push", "the mortgage")
    assert answered[-1].content == "2 None mortgage push"


def test_structured_output_is_filled_from_the_conversation(model: EmbeddedChatModel) -> None:
    class Plan(BaseModel):
        """A plan."""

        channel: Channel
        offer: Offer | None = None

    plan = model.with_structured_output(Plan).invoke("A push for the travel card, please")
    assert plan == Plan(channel="push", offer="travel-card")


def test_tool_strategy_works_inside_an_agent(model: EmbeddedChatModel) -> None:
    class Finding(BaseModel):
        """What was found."""

        answer: str

    agent = create_agent(model, tools=[search_knowledge], response_format=ToolStrategy(Finding))
    result = agent.invoke({"messages": [HumanMessage("what is the fee of the travel card?")]})
    assert result["structured_response"] == Finding(answer="found: what is the fee of the travel card?")


def test_streaming_gives_the_same_message(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([specialist(name, {}) for name in SPECIALISTS])
    for text in ("what's the weather", "How did clicks do last week?"):
        whole = bound.invoke(text)
        joined = AIMessageChunk(content="")
        for chunk in bound.stream(text):
            joined += chunk  # type: ignore[operator]
        assert joined.content == whole.content
        assert joined.tool_calls == whole.tool_calls
        assert joined.response_metadata["route"] == whole.response_metadata["route"]


def test_it_never_writes_a_digit_of_its_own() -> None:
    replies = load_yaml("replies")
    assert not any(
        character.isdigit() for key in ("decline", "clarify", "missing") for character in replies[key]
    )


def test_the_same_conversation_gives_the_same_calls(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([specialist(name, {}) for name in SPECIALISTS])
    assert bound.invoke("clicks last week").tool_calls == bound.invoke("clicks last week").tool_calls
