"""Fixtures: one embedder, router and embedded model for the run; a watsonx service on loopback."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from smart_reach.agents.language.chat_model import EmbeddedChatModel
from smart_reach.agents.language.routing.router import Router
from smart_reach.knowledge.embedder import Embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="session")
def router(embedder: Embedder) -> Router:
    return Router.load(embedder)


@pytest.fixture(scope="session")
def model(router: Router, embedder: Embedder) -> EmbeddedChatModel:
    return EmbeddedChatModel(router=router, embedder=embedder)


@pytest.fixture(scope="session")
def service() -> ModuleType:
    """The module of the loopback service (tests are no package, so it is loaded by its path)."""
    path = Path(__file__).with_name("watsonx_server.py")
    spec = importlib.util.spec_from_file_location("watsonx_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def watsonx(service: ModuleType, tmp_path: Path) -> Iterator[Any]:
    with service.running(tmp_path) as server:
        yield server


@pytest.fixture
def watsonx_env(service: ModuleType, watsonx: Any) -> dict[str, str]:
    return {
        "WATSONX_URL": watsonx.url,
        "WATSONX_APIKEY": service.API_KEY,
        "WATSONX_PROJECT_ID": service.PROJECT,
        "WATSONX_VERIFY": str(watsonx.certificate),
        "WATSONX_AUTH_URL": f"{watsonx.url}/identity/token",
    }
