"""A small demo bank, built once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.demo.build import build_demo
from smart_reach.engine.demo.clock import DemoClock
from smart_reach.engine.demo.simulation import world
from smart_reach.engine.workspace import Workspace


def seed_offers(session: Session, at: datetime) -> None:
    for number, offer in enumerate(world.OFFERS):
        category = world.CATEGORIES[world.OFFER_CATEGORY[number]]
        session.merge(Offer(id=offer, name=offer, category=category, margin_minor=5_000 + number))


@pytest.fixture(scope="module")
def demo(open_workspace: Callable[..., Workspace]) -> Iterator[Workspace]:
    """500 customers, 20 days; the clock is the demo's own, a little after the build."""
    workspace = open_workspace()
    build_demo(workspace, seed_catalog=seed_offers, customers=500, days=20)
    workspace.clock = DemoClock(workspace.db, real=workspace.clock)
    yield workspace
    workspace.lake.close()
    workspace.db.dispose()


@pytest.fixture(scope="module")
def offers() -> Callable[[Session, datetime], None]:
    """The catalogue of these tests."""
    return seed_offers


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Iterator[Workspace]:
    """An empty workspace that gives its connections back."""
    opened = open_workspace()
    yield opened
    opened.lake.close()
    opened.db.dispose()
