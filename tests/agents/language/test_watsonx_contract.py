"""The real `langchain-ibm` client against a loopback service that keeps IBM's contract."""

from __future__ import annotations

import json
import logging
from types import ModuleType
from typing import Any, Literal

import pytest
from ibm_watsonx_ai.wml_client_error import WMLClientError
from langchain_core.tools import tool
from pydantic import BaseModel

from smart_reach.agents.language.chat_model import EmbeddedChatModel
from smart_reach.agents.language.factory import WatsonxAccess, build_chat_model, watsonx_model
from smart_reach.agents.language.fallback import is_outage
from smart_reach.agents.language.routing.router import Router
from smart_reach.engine.errors import InvalidInput

SPEC = "watsonx:ibm/granite-4-h-small"

pytestmark = pytest.mark.filterwarnings("default")


class Label(BaseModel):
    """Where a request belongs."""

    label: Literal["insights", "content"]


@tool
def ask_metrics(question: str) -> str:
    """Answer a question about results."""
    return question


@pytest.fixture
def remote(watsonx_env: dict[str, str]) -> Any:
    return watsonx_model("ibm/granite-4-h-small", WatsonxAccess.from_env(watsonx_env))


def call(name: str, args: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(args)}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }


def test_a_chat_follows_the_documented_order_of_calls(remote: Any, watsonx: Any, service: ModuleType) -> None:
    assert remote.invoke("good morning").content == "hello"
    assert watsonx.calls == [
        ("POST", "/identity/token"),
        ("GET", f"/v2/projects/{service.PROJECT}"),
        ("GET", "/ml/v1/foundation_model_specs"),
        ("POST", "/ml/v1/text/chat"),
    ]


def test_a_stream_arrives_in_pieces(remote: Any) -> None:
    pieces = [chunk.content for chunk in remote.stream("good morning")]
    assert "".join(pieces) == "Good morning"
    assert len([piece for piece in pieces if piece]) == 2


def test_tools_are_offered_and_their_calls_come_back(remote: Any, watsonx: Any) -> None:
    watsonx.answers.append(call("ask_metrics", {"question": "clicks"}))
    answer = remote.bind_tools([ask_metrics]).invoke("how many clicks?")
    assert [(c["name"], c["args"]) for c in answer.tool_calls] == [("ask_metrics", {"question": "clicks"})]
    assert watsonx.bodies[-1]["tools"][0]["function"]["name"] == "ask_metrics"


def test_structured_output_is_parsed(remote: Any, watsonx: Any) -> None:
    watsonx.answers.append(call("Label", {"label": "content"}))
    answer = remote.with_structured_output(Label, method="function_calling").invoke("write a push")
    assert answer == Label(label="content")


def test_the_client_waits_out_a_rate_limit_by_itself(remote: Any, watsonx: Any) -> None:
    watsonx.faults.extend(["429", "429"])
    assert remote.invoke("good morning").content == "hello"
    assert [path for _, path in watsonx.calls].count("/ml/v1/text/chat") == 3


@pytest.mark.parametrize(("fault", "repeats"), [("truncated", 1), ("drop", 9), ("500", 40)])
def test_a_broken_service_counts_as_down(remote: Any, watsonx: Any, fault: str, repeats: int) -> None:
    watsonx.faults.extend([fault] * repeats)
    with pytest.raises(Exception) as caught:
        remote.invoke("good morning")
    assert is_outage(caught.value)


def test_an_expired_token_is_refused_and_is_no_outage(remote: Any, watsonx: Any) -> None:
    watsonx.tokens.update(dict.fromkeys(watsonx.tokens, 0.0))
    with pytest.raises(WMLClientError, match="authentication_token_expired") as caught:
        remote.invoke("good morning")
    assert not is_outage(caught.value)


@pytest.mark.parametrize(
    ("changed", "spec"),
    [({}, "watsonx:ibm/none"), ({"WATSONX_APIKEY": "wrong"}, SPEC), ({"WATSONX_PROJECT_ID": "wrong"}, SPEC)],
)
def test_a_wrong_setting_is_said_and_not_papered_over(
    watsonx_env: dict[str, str], router: Router, changed: dict[str, str], spec: str
) -> None:
    model = build_chat_model(spec, router=router, env=watsonx_env | changed)
    with pytest.raises(WMLClientError):
        model.invoke("good morning")


def test_when_the_service_is_down_the_embedded_model_answers_and_says_so(
    watsonx_env: dict[str, str], watsonx: Any, router: Router, caplog: pytest.LogCaptureFixture
) -> None:
    model = build_chat_model(SPEC, router=router, env=watsonx_env)
    assert model.invoke("hello").response_metadata["answered_by"] == "watsonx ibm/granite-4-h-small"
    watsonx.faults.append("truncated")
    with caplog.at_level(logging.WARNING):
        answer = model.bind_tools([ask_metrics]).invoke("How many clicks did we get last week?")
    assert answer.tool_calls[0]["name"] == "ask_metrics"
    assert answer.response_metadata["answered_by"] == "Embedded language model"
    assert answer.response_metadata["fallback"]
    assert "is down" in caplog.text
    assert "clicks" not in caplog.text


def test_a_service_that_cannot_be_reached_at_all_is_down(watsonx_env: dict[str, str], router: Router) -> None:
    nowhere = {"WATSONX_URL": "https://127.0.0.1:9", "WATSONX_AUTH_URL": "https://127.0.0.1:9/identity/token"}
    model = build_chat_model(SPEC, router=router, env=watsonx_env | nowhere)
    assert model.invoke("what is the weather").response_metadata["answered_by"] == "Embedded language model"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"WATSONX_URL": "http://127.0.0.1"}, "WATSONX_URL"),
        ({"WATSONX_APIKEY": ""}, "WATSONX_APIKEY"),
        ({"WATSONX_PROJECT_ID": ""}, "WATSONX_PROJECT_ID"),
    ],
)
def test_missing_settings_are_named(changed: dict[str, str], field: str) -> None:
    env = {"WATSONX_URL": "https://x", "WATSONX_APIKEY": "secret-key", "WATSONX_PROJECT_ID": "p"} | changed
    with pytest.raises(InvalidInput) as caught:
        build_chat_model(SPEC, env=env)
    assert caught.value.field == field
    assert "secret-key" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    access = WatsonxAccess("https://x", project_id="p", api_key="secret-key", token="secret-token")
    assert "secret" not in repr(access)


@pytest.mark.parametrize("spec", ["", "gpt", "watsonx:", "openai:http://x", "openai:nowhere#m"])
def test_an_unknown_model_is_refused_with_the_forms_there_are(spec: str) -> None:
    with pytest.raises(InvalidInput, match="embedded, watsonx"):
        build_chat_model(spec, env={})


def test_the_default_is_the_embedded_model(router: Router) -> None:
    assert isinstance(build_chat_model("embedded", router=router), EmbeddedChatModel)
