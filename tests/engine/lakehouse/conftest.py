"""Workspaces here give their connections back after each test: PostgreSQL allows a hundred."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from smart_reach.engine.workspace import Workspace


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Iterator[Workspace]:
    """An empty workspace whose clock stands at 20 November 2026, noon UTC."""
    opened = open_workspace()
    yield opened
    opened.lake.close()
    opened.db.dispose()
