"""A remote chat model that falls back to the embedded one when its service is down."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, PrivateAttr

log = logging.getLogger(__name__)
_DOWN_STATUS: Final = frozenset({408, 425, 429})
_NETWORK: Final = ("httpx", "httpcore", "requests", "urllib3", "openai", "ibm_watsonx_ai")
_LOST: Final = (
    "Timeout",
    "Connect",
    "Protocol",
    "ReadError",
    "WriteError",
    "NetworkError",
    "ChunkedEncoding",
)


class FallbackChatModel(BaseChatModel):
    """Asks the remote model; when its service is down, the embedded one, and says so.

    The remote model is built at the first question, one object for the process. After a failure it is left
    alone for `rest_seconds`. A refusal that waiting cannot cure (wrong key, unknown model) is raised.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    label: str
    backup: BaseChatModel
    rest_seconds: float = 30.0
    _make: Callable[[], BaseChatModel] = PrivateAttr()
    _monotonic: Callable[[], float] = PrivateAttr()
    _primary: BaseChatModel | None = PrivateAttr(default=None)
    _rest_until: float = PrivateAttr(default=float("-inf"))
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    def __init__(
        self,
        make: Callable[[], BaseChatModel],
        *,
        label: str,
        backup: BaseChatModel,
        rest_seconds: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(label=label, backup=backup, rest_seconds=rest_seconds)  # type: ignore[call-arg]
        self._make = make
        self._monotonic = monotonic

    @property
    def _llm_type(self) -> str:
        return "smart-reach-remote"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"label": self.label}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; each model formats them in its own way when it is asked."""
        return self.bind(raw_tools=list(tools), raw_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        tools, choice = kwargs.pop("raw_tools", None), kwargs.pop("raw_choice", None)
        reason = "resting after a failure"
        if self._monotonic() >= self._rest_until:
            try:
                answer = _ask(self._remote(), messages, tools, choice, stop, kwargs)
                return _result(answer, {"answered_by": self.label})
            except Exception as error:
                if not is_outage(error):
                    raise
                reason = type(error).__name__
                self._rest_until = self._monotonic() + self.rest_seconds
                log.warning("%s is down (%s): the embedded model answers", self.label, reason)
        answer = _ask(self.backup, messages, tools, choice, stop, {})
        return _result(answer, {"answered_by": "Embedded language model", "fallback": reason})

    def _remote(self) -> BaseChatModel:
        with self._lock:
            if self._primary is None:
                self._primary = self._make()
            return self._primary


def _ask(
    model: BaseChatModel,
    messages: list[BaseMessage],
    tools: Sequence[Any] | None,
    choice: str | None,
    stop: list[str] | None,
    kwargs: dict[str, Any],
) -> AIMessage:
    if not tools:
        return model.invoke(messages, stop=stop, **kwargs)
    chosen = {} if choice is None else {"tool_choice": choice}
    return model.bind_tools(tools, **chosen).invoke(messages, stop=stop, **kwargs)


def _result(answer: AIMessage, marks: dict[str, Any]) -> ChatResult:
    marked = answer.model_copy(update={"response_metadata": {**answer.response_metadata, **marks}})
    return ChatResult(generations=[ChatGeneration(message=marked)])


def is_outage(error: BaseException) -> bool:
    """Whether an error means "the service is down or unreadable" rather than "the request is wrong".

    By status where the error carries one, else by kind: the clients' own errors share no base class.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        status = _status(current)
        if status is not None:
            return status >= 500 or status in _DOWN_STATUS
        if isinstance(current, ConnectionError | TimeoutError | json.JSONDecodeError):
            return True
        if type(current).__module__.startswith(_NETWORK) and any(
            word in type(current).__name__ for word in _LOST
        ):
            return True
        current = current.__cause__ or current.__context__
    return False


def _status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None
