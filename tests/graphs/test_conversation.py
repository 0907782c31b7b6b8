"""One turn through supervisor, specialist, tool and engine: scripted models, then the embedded one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from smart_reach.agents.language.factory import build_chat_model
from smart_reach.engine.errors import Conflict, Forbidden, InvalidInput, NotFound
from smart_reach.engine.governance.users import User
from smart_reach.engine.workspace import Workspace
from smart_reach.graphs.conversation import ConversationService
from tests.graphs.conftest import ANA, MAYA, TOMAS, conversation
from tests.graphs.scripted import ScriptedModel, call, say

pytestmark = pytest.mark.timeout(300)


async def turn(service: ConversationService, text: str, user: User = MAYA) -> dict[str, Any]:
    """Everything a turn yields, by kind; `message` and `proposal` are the last of theirs."""
    thread = await service.open_thread(user)
    seen: dict[str, Any] = {"thread": thread, "steps": []}
    async for event in service.send(user, thread, text):
        if event.kind == "step":
            seen["steps"].append(event.data)
        else:
            seen[event.kind] = event.data
    return seen


def push_campaign() -> ScriptedModel:
    return ScriptedModel(
        steps=[
            call("nba", request="everyone by push"),
            call("decide_segment", segment="all", channel="push"),
            say("decided"),
            say("Here is a proposal."),
        ]
    )


@pytest.fixture(scope="module")
def embedded() -> BaseChatModel:
    return build_chat_model("embedded")


async def test_a_question_is_answered_from_cells(bank: Workspace) -> None:
    question = "click-through rate by channel, last 30 days"
    model = ScriptedModel(
        steps=[
            call("insights", request=question),
            call("ask_metrics", question=question),
            say("as the tool said"),
            say("The answer."),
        ]
    )
    async with conversation(bank, model) as service:
        seen = await turn(service, question)
    message = seen["message"]
    assert message["route"] == "insights"
    assert message["facts"]
    assert message["chart"]["type"] == "bar"
    assert message["sql"].lstrip().upper().startswith(("SELECT", "WITH"))
    assert [step["status"] for step in seen["steps"]] == ["running", "done"]
    assert model.steps == []


async def test_a_tools_own_error_goes_back_to_the_model(bank: Workspace) -> None:
    model = ScriptedModel(
        steps=[
            call("nba", request="x"),
            call("decide_customer", customer_id="cus_999999"),
            say("There is no such customer."),
            say("There is no such customer."),
        ]
    )
    async with conversation(bank, model) as service:
        seen = await turn(service, "next best action for cus_999999")
    assert seen["steps"][-1]["status"] == "failed"
    assert "no such customer" in seen["message"]["text"]
    returned = [message.text for message in model.seen[2]]
    assert any("cus_999999" in text for text in returned)


async def test_a_decided_segment_becomes_a_proposal_that_compliance_passed(bank: Workspace) -> None:
    async with conversation(bank, push_campaign()) as service:
        seen = await turn(service, "propose a push for everyone")
        proposal = seen["proposal"]
        assert proposal["status"] == "pending"
        assert proposal["channel"]["id"] == "push"
        assert proposal["audience"]["count"] > 0
        assert len(proposal["variants"]) == 2
        assert all(check["status"] != "fail" for check in proposal["checks"])
        assert seen["message"]["proposal_id"] == proposal["id"]
        thread = await service.thread(MAYA, seen["thread"])
        assert [pending["id"] for pending in thread["pending"]] == [proposal["id"]]


async def test_nobody_approves_their_own_and_a_late_answer_is_told(bank: Workspace) -> None:
    async with conversation(bank, push_campaign()) as service:
        proposal = (await turn(service, "propose", TOMAS))["proposal"]
        answer = {"reason": "fits", "payload_hash": proposal["payload_hash"]}
        for stranger in (TOMAS, MAYA):
            with pytest.raises(Forbidden):
                await service.decide(stranger, proposal["id"], decision="approve", **answer)
        decided = await service.decide(ANA, proposal["id"], decision="approve", **answer)
        assert decided["status"] == "approved"
        assert decided["delivery"]["queued"] + decided["delivery"]["holdout"] > 0
        with pytest.raises(Conflict, match="already decided by Ana Ruiz"):
            await service.decide(ANA, proposal["id"], decision="reject", **answer)


async def test_an_answer_to_something_else_is_refused(bank: Workspace) -> None:
    async with conversation(bank, push_campaign()) as service:
        proposal = (await turn(service, "propose"))["proposal"]
        with pytest.raises(Conflict):
            await service.decide(ANA, proposal["id"], decision="approve", reason="ok", payload_hash="0" * 64)


async def test_a_proposal_survives_a_restart_and_two_answers_at_once(bank: Workspace) -> None:
    async with conversation(bank, push_campaign()) as service:
        seen = await turn(service, "propose")
        proposal = seen["proposal"]
    answer = {"reason": "fits", "payload_hash": proposal["payload_hash"]}
    async with conversation(bank, ScriptedModel(steps=[])) as restarted:
        thread = await restarted.thread(MAYA, seen["thread"])
        assert thread["pending"][0]["id"] == proposal["id"]
        results = await asyncio.gather(
            restarted.decide(ANA, proposal["id"], decision="approve", **answer),
            restarted.decide(TOMAS, proposal["id"], decision="reject", **answer),
            return_exceptions=True,
        )
        assert sum(isinstance(result, Conflict) for result in results) == 1
        assert sum(isinstance(result, dict) for result in results) == 1
        assert await restarted.approvals.resume_decided() == 0  # the run has ended


async def test_a_decision_whose_resume_was_lost_is_resumed_at_the_next_start(bank: Workspace) -> None:
    async with conversation(bank, push_campaign()) as service:
        proposal = (await turn(service, "propose"))["proposal"]
        # the process dies after the commit: only the proposal service was reached
        service._services.proposals.decide(
            proposal["id"], ANA, "reject", payload_hash=proposal["payload_hash"], reason="too many"
        )
    async with conversation(bank, ScriptedModel(steps=[])) as restarted:
        assert await restarted.approvals.resume_decided() == 1
        assert await restarted.approvals.resume_decided() == 0


async def test_threads_belong_to_their_user(bank: Workspace) -> None:
    async with conversation(bank, ScriptedModel(steps=[])) as service:
        thread = await service.open_thread(MAYA)
        with pytest.raises(NotFound):
            await service.thread(ANA, thread)
        with pytest.raises(InvalidInput):
            await service.thread(MAYA, "'; drop table threads; --")


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
async def test_a_message_has_bounds(bank: Workspace, text: str) -> None:
    async with conversation(bank, ScriptedModel(steps=[])) as service:
        thread = await service.open_thread(MAYA)
        with pytest.raises(InvalidInput):
            [event async for event in service.send(MAYA, thread, text)]


async def test_the_embedded_model_runs_several_specialists(bank: Workspace, embedded: BaseChatModel) -> None:
    async with conversation(bank, embedded) as service:
        seen = await turn(service, "Find who is slipping, propose an action, write the push")
    agents = {step["agent"] for step in seen["steps"]}
    assert {"Insights agent", "NBA agent", "Content agent", "Compliance agent"} <= agents


@pytest.mark.parametrize(
    "text", ["What is the weather in Lisbon tomorrow?", "Write me a Python function that sorts a list"]
)
async def test_what_is_not_its_job_is_declined(bank: Workspace, embedded: BaseChatModel, text: str) -> None:
    async with conversation(bank, embedded) as service:
        seen = await turn(service, text)
    assert seen["message"]["route"] == "out_of_scope"
    assert seen["message"]["declined"] is True
    assert seen["steps"] == []


async def test_an_ambiguous_request_gets_choices(bank: Workspace, embedded: BaseChatModel) -> None:
    async with conversation(bank, embedded) as service:
        seen = await turn(service, "performance")
    assert seen["message"]["clarification"]["choices"]
