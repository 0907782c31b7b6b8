"""What a fresh server does when it has nothing better to do: first calls, and what set-up put off."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable

from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.models.registry import unregistered
from smart_reach.engine.workspace import Workspace
from smart_reach.tools.context import Services

log = logging.getLogger(__name__)


def warm_in_background(services: Services, *, chat: Callable[[], object] | None = None) -> threading.Thread:
    """First calls build caches and import heavy libraries; here they cost nobody a wait."""
    thread = threading.Thread(target=warm, args=(services, chat), name="warming", daemon=True)
    thread.start()
    return thread


def warm(services: Services, chat: Callable[[], object] | None) -> None:
    """Each step alone: one that fails is logged and costs only its own speed."""
    ws = services.workspace
    steps: list[Callable[[], object]] = [
        lambda: rollups.refresh(ws.lake),
        lambda: services.metrics.overview(None),
        lambda: services.metrics.ask("click-through rate"),
        lambda: services.knowledge.search("rewards card"),
        services.decisions.sync,
        lambda: register_aside(ws),
    ]
    for step in [*steps, *([chat] if chat else [])]:
        try:
            step()
        except Exception:
            log.exception("a warm-up step failed")


def register_aside(ws: Workspace) -> None:
    """Publish new model versions from a process of its own: MLflow would stay in this one's memory."""
    if not unregistered(ws):
        return
    home = {"SMART_REACH_HOME": str(ws.settings.home)}
    command = [sys.executable, "-m", "smart_reach.api", "register-models", "--workspace", ws.name]
    done = subprocess.run(command, env={**os.environ, **home}, capture_output=True, text=True, check=False)
    if done.returncode:
        log.error("models could not be registered: %s", done.stderr[-500:])
