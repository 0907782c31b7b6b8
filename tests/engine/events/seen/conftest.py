"""More than one opening of a workspace, as several processes have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from smart_reach.engine.state.server import connect, database_name
from smart_reach.engine.workspace import Workspace


@pytest.fixture
def open_again() -> Iterator[Callable[[Workspace], Workspace]]:
    opened: list[Workspace] = []

    def again(workspace: Workspace) -> Workspace:
        db = connect(workspace.server, database_name(workspace.settings))
        opened.append(Workspace(workspace.settings, workspace.server, db, workspace.clock))
        return opened[-1]

    yield again
    for workspace in opened:
        workspace.lake.close()
        workspace.db.dispose()
