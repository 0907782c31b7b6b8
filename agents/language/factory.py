"""Builds the chat model that `SMART_REACH_LLM` names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel

from smart_reach.agents.language.chat_model import EmbeddedChatModel
from smart_reach.agents.language.fallback import FallbackChatModel
from smart_reach.agents.language.routing.features import TextEmbedder
from smart_reach.agents.language.routing.router import Router
from smart_reach.engine.errors import InvalidInput

_FORMS: Final = "Use embedded, watsonx:<model id> or openai:<base url>#<model>."
_MAX_TOKENS: Final = 800


@dataclass(frozen=True)
class WatsonxAccess:
    """How to reach watsonx. `mode` cloud needs `api_key`; cpd also `username`; token only `token`.

    `verify` is True, False or the path of a certificate bundle. Tokens are not refreshed by IBM's client,
    so mode token is for short runs only.
    """

    url: str
    mode: Literal["cloud", "cpd", "token"] = "cloud"
    project_id: str | None = None
    space_id: str | None = None
    api_key: str | None = field(default=None, repr=False)
    username: str | None = None
    token: str | None = field(default=None, repr=False)
    version: str | None = None
    auth_url: str | None = None
    verify: bool | str = True

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> WatsonxAccess:
        """Read `WATSONX_*`. Raises `InvalidInput` naming the variable that is missing."""
        env = os.environ if env is None else env
        mode: Literal["cloud", "cpd", "token"] = "cloud"
        if env.get("WATSONX_USERNAME"):
            mode = "cpd"
        elif env.get("WATSONX_TOKEN") and not env.get("WATSONX_APIKEY"):
            mode = "token"
        access = cls(
            url=env.get("WATSONX_URL", ""),
            mode=mode,
            project_id=env.get("WATSONX_PROJECT_ID") or None,
            space_id=env.get("WATSONX_SPACE_ID") or None,
            api_key=env.get("WATSONX_APIKEY") or None,
            username=env.get("WATSONX_USERNAME") or None,
            token=env.get("WATSONX_TOKEN") or None,
            version=env.get("WATSONX_VERSION") or ("5.3" if mode == "cpd" else None),
            auth_url=env.get("WATSONX_AUTH_URL") or None,
            verify=_verify(env.get("WATSONX_VERIFY", "")),
        )
        access.check()
        return access

    def check(self) -> None:
        """Raise `InvalidInput` when something needed is missing; secrets are never shown."""
        if urlsplit(self.url).scheme != "https":
            raise InvalidInput("WATSONX_URL", self.url, "Use the https address of your watsonx region.")
        if self.mode != "token" and not self.api_key:
            raise InvalidInput("WATSONX_APIKEY", "", "Set the API key of your watsonx account.")
        if not (self.project_id or self.space_id):
            raise InvalidInput("WATSONX_PROJECT_ID", "", "Set the id of your watsonx project.")

    def credentials(self) -> Any:
        """IBM's `Credentials` for this mode."""
        from ibm_watsonx_ai import Credentials

        common: dict[str, Any] = {"url": self.url, "verify": self.verify}
        if self.mode == "token":
            return Credentials(**common, token=self.token)
        if self.mode == "cpd":
            return Credentials(**common, username=self.username, api_key=self.api_key, version=self.version)
        extra = {"platform_url": self.url, "auth_url": self.auth_url} if self.auth_url else {}
        return Credentials(**common, **extra, api_key=self.api_key)


def build_chat_model(
    spec: str,
    *,
    router: Router | None = None,
    embedder: TextEmbedder | None = None,
    env: Mapping[str, str] | None = None,
    fallback: bool = True,
) -> BaseChatModel:
    """Build the model that `spec` names; a remote one falls back to the embedded one when it is down.

    Nothing is sent before the first question. Raises `InvalidInput` for a spec or setting that cannot
    work.
    """
    env = os.environ if env is None else env
    make: Callable[[], BaseChatModel]
    kind, _, rest = spec.partition(":")
    if spec == "embedded":
        return EmbeddedChatModel(router=router, embedder=embedder)
    if kind == "watsonx" and rest:
        make = partial(watsonx_model, rest, WatsonxAccess.from_env(env))
    elif kind == "openai" and "#" in rest:
        base, _, model = rest.rpartition("#")
        _check_url(base, spec)
        key = env.get("OPENAI_API_KEY") or "none"
        make = partial(openai_model, base, model, key)
    else:
        raise InvalidInput("SMART_REACH_LLM", spec, _FORMS)
    if not fallback:
        return make()
    return FallbackChatModel(
        make, label=model_label(spec), backup=EmbeddedChatModel(router=router, embedder=embedder)
    )


def watsonx_model(model_id: str, access: WatsonxAccess) -> BaseChatModel:
    """IBM's own LangChain client. It asks for a token and checks project and model when it is built."""
    from ibm_watsonx_ai import APIClient
    from langchain_ibm import ChatWatsonx

    place = {"project_id": access.project_id} if access.project_id else {"space_id": access.space_id}
    client = APIClient(access.credentials(), **place)
    model: BaseChatModel = ChatWatsonx(
        model_id=model_id, watsonx_client=client, temperature=0.0, max_tokens=_MAX_TOKENS, **place
    )
    return model


def openai_model(base_url: str, model: str, api_key: str) -> BaseChatModel:
    """Any OpenAI-compatible server: llama.cpp, vLLM, Ollama."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        base_url=base_url,
        model=model,
        api_key=api_key,  # type: ignore[arg-type]
        temperature=0.0,
        max_retries=2,
        timeout=60,
    )


def model_label(spec: str) -> str:
    """What the interface calls the model."""
    if spec == "embedded":
        return "Embedded language model"
    kind, _, rest = spec.partition(":")
    return f"watsonx {rest}" if kind == "watsonx" else rest.rpartition("#")[2]


def _check_url(base: str, spec: str) -> None:
    if urlsplit(base).scheme not in {"http", "https"} or not urlsplit(base).netloc:
        raise InvalidInput("SMART_REACH_LLM", spec, _FORMS)


def _verify(text: str) -> bool | str:
    if text.lower() in {"", "true", "1", "on"}:
        return True
    return False if text.lower() in {"false", "0", "off"} else text
