"""A workspace with the catalog seeded, shared by the module: nothing here changes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace
from smart_reach.knowledge.seed import seed_catalog


@pytest.fixture(scope="module")
def seeded(open_workspace: Callable[..., Workspace]) -> Workspace:
    workspace = open_workspace()
    with transaction(workspace.db) as session:
        seed_catalog(session, workspace.clock.now())
    return workspace
