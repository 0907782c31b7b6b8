"""The composition root: builds every service from settings, and takes them down again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from smart_reach.api.attempts import Attempts
from smart_reach.api.stream import Hub
from smart_reach.engine.settings import Settings
from smart_reach.engine.workspace import Workspace

if TYPE_CHECKING:
    from smart_reach.api.life import BankLife
    from smart_reach.engine.decisioning.service import DecisionService
    from smart_reach.engine.governance.proposals import ProposalService
    from smart_reach.engine.learning.experiments import ExperimentService
    from smart_reach.graphs.conversation import ConversationService
    from smart_reach.tools.context import Services


@dataclass
class Cockpit:
    """Everything the faces reach."""

    settings: Settings
    workspace: Workspace
    services: Services
    conversations: ConversationService
    hub: Hub
    life: BankLife
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def demo(self) -> bool:
        return self.workspace.info("kind") == "demo-bank"

    def received(self, proposal_id: str, limit: int) -> list[dict[str, Any]]:
        """What the loopback connector keeps of a proposal's campaign."""
        from smart_reach.engine.delivery.launch import campaign_id_of
        from smart_reach.engine.delivery.loopback import LoopbackConnector, message_json

        loopback = LoopbackConnector(self.workspace.db, self.workspace.clock)
        return [message_json(message) for message in loopback.sample(campaign_id_of(proposal_id), limit)]


def open_workspace(settings: Settings) -> Workspace:
    """Open a workspace on the clock it lives by: the demo bank has one of its own."""
    from smart_reach.engine.demo.clock import DemoClock

    ws = Workspace.open(settings)
    if ws.info("kind") in (None, "demo-bank"):
        ws.clock = DemoClock(ws.db)
    return ws


def build_decisions(ws: Workspace) -> DecisionService:
    from smart_reach.engine.decisioning.service import DecisionService
    from smart_reach.engine.governance.ledger import Ledger, recorded_hash

    def proof(decision_id: str) -> str | None:
        with Session(ws.db) as session:
            return recorded_hash(session, decision_id)

    return DecisionService(ws, Ledger(ws.clock).append, proof=proof)


def build_proposals(ws: Workspace) -> ProposalService:
    """Proposals with their hooks: an approved campaign is launched, an approved promotion applied."""
    from smart_reach.engine.delivery.launch import CampaignLauncher
    from smart_reach.engine.governance.ledger import Ledger
    from smart_reach.engine.governance.proposals import ProposalService
    from smart_reach.tools.knowledge import rechecker

    service = ProposalService(ws.db, ws.clock, Ledger(ws.clock).append, recheck=rechecker(ws))
    service.on_approved["campaign"] = CampaignLauncher(ws.clock)
    return service


def build_experiments(ws: Workspace, proposals: ProposalService | None = None) -> ExperimentService:
    from smart_reach.engine.delivery.stats import remaining_messages
    from smart_reach.engine.governance.ledger import Ledger
    from smart_reach.engine.governance.reading import approved_payload
    from smart_reach.engine.governance.roles import require
    from smart_reach.engine.learning.experiments import ExperimentService
    from smart_reach.engine.learning.outcomes import LakeOutcomes
    from smart_reach.engine.learning.promotion import PromotionHooks

    proposals = proposals or build_proposals(ws)
    hooks = PromotionHooks(ws.clock, approved_payload, remaining_messages)
    proposals.on_approved["promotion"] = hooks.approve
    proposals.on_rejected["promotion"] = hooks.reject
    return ExperimentService(
        ws.db,
        ws.clock,
        Ledger(ws.clock).append,
        outcomes=LakeOutcomes(ws.lake),
        proposer=proposals,
        approved=approved_payload,
        remaining=remaining_messages,
        authorise=require,
    )


def build_services(ws: Workspace) -> Services:
    from smart_reach.engine.metrics.service import MetricsService
    from smart_reach.tools.context import Services
    from smart_reach.tools.knowledge import Knowledge

    proposals = build_proposals(ws)
    return Services(
        workspace=ws,
        metrics=MetricsService.of(ws),
        decisions=build_decisions(ws),
        knowledge=Knowledge(ws),
        proposals=proposals,
        experiments=build_experiments(ws, proposals),
    )


@asynccontextmanager
async def open_cockpit(settings: Settings, hub: Hub, *, live: bool = True) -> AsyncIterator[Cockpit]:
    """Open everything; `live` also lets the bank live: dispatching, answers, looks at experiments."""
    # before the first import of LangGraph: checkpoints may hold our own types and nothing else
    os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
    ws = await asyncio.to_thread(open_workspace, settings)
    try:
        services = await asyncio.to_thread(build_services, ws)
        async with open_conversations(settings, ws, services) as conversations:
            from smart_reach.api.life import BankLife

            cockpit = Cockpit(settings, ws, services, conversations, hub, BankLife(services, hub))
            services.proposals.listeners.append(lambda proposal: hub.publish("proposal", {"id": proposal.id}))
            if live:
                await conversations.approvals.resume_decided()
            with living(cockpit) if live else nullcontext():
                yield cockpit
    finally:
        await asyncio.to_thread(ws.close)


@contextmanager
def living(cockpit: Cockpit) -> Iterator[None]:
    """The bank's life and its sources, each on threads of their own."""
    from smart_reach.api.ingesting import ingesting
    from smart_reach.engine.privacy.forget import finish_open

    finish_open(cockpit.workspace)
    with ingesting(cockpit.workspace, cockpit.hub), cockpit.life.running():
        yield


@asynccontextmanager
async def open_conversations(
    settings: Settings, ws: Workspace, services: Services
) -> AsyncIterator[ConversationService]:
    """The graphs on their checkpointer, one per process."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    from smart_reach.agents.language.factory import build_chat_model, model_label
    from smart_reach.engine.state.server import database_name
    from smart_reach.graphs.conversation import ConversationService

    url = ws.server.url(database_name(settings)).set(drivername="postgresql")
    async with checkpointer_pool(url.render_as_string(hide_password=False)) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        model = build_chat_model(settings.llm)
        yield ConversationService(services, model, model_label(settings.llm), saver)


@asynccontextmanager
async def checkpointer_pool(url: str) -> AsyncIterator[Any]:
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(url, min_size=1, max_size=8, kwargs=options, open=False) as pool:
        yield pool
