"""A small trained bank for the graphs, and a conversation service on a scripted or the embedded model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from smart_reach.api.compose import build_services, checkpointer_pool
from smart_reach.engine.clock import FixedClock
from smart_reach.engine.demo.build import build_demo
from smart_reach.engine.governance.users import User, seed_demo_users
from smart_reach.engine.models.propensity import train_propensity
from smart_reach.engine.state.base import transaction
from smart_reach.engine.state.server import database_name
from smart_reach.engine.workspace import Workspace
from smart_reach.graphs.conversation import ConversationService
from smart_reach.knowledge.seed import seed_catalog
from tests.conftest import NOON

MAYA = User("usr_maya", "Maya Lund", "maya@demo-bank.example", "marketer")
ANA = User("usr_ana", "Ana Ruiz", "ana@demo-bank.example", "manager")
TOMAS = User("usr_tomas", "Tomas Berg", "tomas@demo-bank.example", "manager")


@pytest.fixture(scope="session")
def bank(open_workspace: Callable[..., Workspace]) -> Workspace:
    """1,200 customers, 70 days, trained; shared by the tests that only add to it."""
    ws = open_workspace(FixedClock(NOON - timedelta(hours=1)))
    build_demo(ws, customers=1200, days=70, seed=3, seed_catalog=seed_catalog)
    train_propensity(ws, code_version="test")
    with transaction(ws.db) as session:
        seed_demo_users(session)
    return ws


@asynccontextmanager
async def conversation(ws: Workspace, model: BaseChatModel) -> AsyncIterator[ConversationService]:
    """A service on PostgreSQL checkpoints: closing and opening it again is a restart."""
    url = ws.server.url(database_name(ws.settings)).set(drivername="postgresql")
    async with checkpointer_pool(url.render_as_string(hide_password=False)) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield ConversationService(build_services(ws), model, "Scripted", saver)
