"""The fallback: only when the service is down, and not for long."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from smart_reach.agents.language.chat_model import EmbeddedChatModel
from smart_reach.agents.language.fallback import FallbackChatModel, is_outage


class Remote(BaseChatModel):
    """Fails as told, then answers."""

    errors: list[Exception]
    asked: int = 0

    @property
    def _llm_type(self) -> str:
        return "remote"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("from afar"))])


def with_status(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "https://example.test")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(status, request=request))


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (httpx.ConnectError("no"), True),
        (httpx.ReadTimeout("no"), True),
        (httpx.RemoteProtocolError("no"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (json.JSONDecodeError("no", "", 0), True),
        (with_status(429), True),
        (with_status(503), True),
        (with_status(400), False),
        (with_status(401), False),
        (with_status(404), False),
        (ValueError("no"), False),
    ],
)
def test_what_counts_as_down(error: Exception, outage: bool) -> None:
    assert is_outage(error) is outage


def test_after_a_failure_the_remote_model_rests(model: EmbeddedChatModel) -> None:
    remote = Remote(errors=[httpx.ConnectError("no")])
    now = [0.0]
    both = FallbackChatModel(lambda: remote, label="far", backup=model, monotonic=lambda: now[0])
    assert both.invoke("weather?").response_metadata["fallback"] == "ConnectError"
    assert both.invoke("weather?").response_metadata["fallback"] == "resting after a failure"
    assert remote.asked == 1
    now[0] = 31.0
    answer = both.invoke("weather?")
    assert (answer.content, answer.response_metadata["answered_by"]) == ("from afar", "far")


def test_a_wrong_request_is_raised(model: EmbeddedChatModel) -> None:
    both = FallbackChatModel(lambda: Remote(errors=[with_status(401)]), label="far", backup=model)
    with pytest.raises(httpx.HTTPStatusError):
        both.invoke("weather?")


def test_nothing_is_built_before_the_first_question(model: EmbeddedChatModel) -> None:
    built: list[Remote] = []

    def make() -> Remote:
        built.append(Remote(errors=[]))
        return built[-1]

    both = FallbackChatModel(make, label="far", backup=model)
    assert not built
    both.invoke("hello")
    both.invoke("hello")
    assert len(built) == 1


async def test_it_answers_asynchronously_too(model: EmbeddedChatModel) -> None:
    both = FallbackChatModel(lambda: Remote(errors=[httpx.ConnectError("no")]), label="far", backup=model)
    answer = await both.ainvoke("what is the weather?")
    assert answer.response_metadata["answered_by"] == "Embedded language model"
