"""Shared fixtures: one embedded PostgreSQL for the run, a fresh database for each workspace."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from smart_reach.engine.clock import Clock, FixedClock
from smart_reach.engine.settings import Settings
from smart_reach.engine.state.server import DatabaseServer, start_server
from smart_reach.engine.workspace import Workspace
from tests.serving import Server

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

_number = itertools.count(1)


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """The run's home folder; short, because a unix socket's path may have 107 characters at most."""
    folder = Path(tempfile.mkdtemp(prefix="sr-"))
    server = start_server(Settings(home=folder))
    make_hasty(server)
    yield folder
    stop_postgres(folder / "postgres")
    server.handle.cleanup_mode = None  # it is stopped
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


def make_hasty(server: DatabaseServer) -> None:
    """What the tests write need not outlive the machine; a database for each would keep the disk busy."""
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


def stop_postgres(data: Path) -> None:
    """Stop the run's server, whoever of the tests still counts as its user; nothing is left running.

    At once: a proper shutdown would first write a hundred databases to the disk that nobody reads again.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
    except (FileNotFoundError, ProcessLookupError):
        return
    deadline = time.monotonic() + 20
    while (data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.fixture(scope="session")
def open_workspace(home: Path) -> Iterator[Callable[..., Workspace]]:
    """Open empty workspaces on the run's server; all are closed at the end."""
    opened: list[Workspace] = []

    def make(clock: Clock | None = None) -> Workspace:
        settings = Settings(home=home, workspace=f"t{next(_number)}")
        workspace = Workspace.open(settings, clock or FixedClock(NOON))
        opened.append(workspace)
        return workspace

    yield make
    for workspace in opened:  # the first `close` would shut the server down properly, which takes a minute
        if "lake" in workspace.__dict__:
            workspace.lake.close()
        workspace.db.dispose()


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Iterator[Workspace]:
    """An empty workspace whose clock stands at 20 November 2026, noon UTC; its connections are given back."""
    opened = open_workspace()
    yield opened
    if "lake" in opened.__dict__:
        opened.lake.close()
    opened.db.dispose()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public data sets beside the repository; a user's machine does not have them."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The real server on a small demo bank, shared by the tests that only add to it."""
    folder = Path(tempfile.mkdtemp(prefix="srv-"))
    running = Server(folder).start()
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)
