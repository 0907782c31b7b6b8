"""Puts the dispatcher together with its last checks."""

from __future__ import annotations

from collections.abc import Callable

from smart_reach.engine.decisioning.contact.ledger import ContactLedger
from smart_reach.engine.delivery.dispatcher import Dispatcher
from smart_reach.engine.delivery.loopback import loopback_connectors
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.workspace import Workspace
from smart_reach.tools.knowledge import render_variant


def build_dispatcher(ws: Workspace, probe: Callable[[str], None] = lambda point: None) -> Dispatcher:
    """The dispatcher of a workspace; every channel leads to the loopback connector for now."""
    return Dispatcher(
        ws.db,
        loopback_connectors(ws.db, ws.clock),
        ws.clock,
        Ledger(ws.clock).append,
        render=render_variant,
        guard=ContactLedger(ws.clock),
        approved=approved_payload,
        probe=probe,
    )
