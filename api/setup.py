"""First run: makes the demo bank, its users, models and index, saying what it does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from smart_reach.engine.ports import Progress as Report
from smart_reach.engine.workspace import Workspace

if TYPE_CHECKING:
    from smart_reach.engine.models.versions import ModelVersion

SEED = 7


@contextmanager
def progress_bar(title: str, *, quiet: bool = False) -> Iterator[Report]:
    """A progress bar on the terminal's error stream, as a `Progress` callable."""
    console = Console(stderr=True, quiet=quiet)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    ) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda share, doing: bar.update(task, completed=share, description=f"{title}: {doing}")


def part(report: Report, start: float, end: float) -> Report:
    """A `Progress` for a stretch of a longer job."""
    return lambda share, doing: report(start + share * (end - start), doing)


def prepare_demo(ws: Workspace, report: Report, *, customers: int = 20_000, days: int = 90) -> None:
    """Make the demo bank unless it is there. Interrupted, the next start goes on with the step it was in."""
    if ws.info("ready") == "yes":
        return
    from smart_reach.engine.demo.build import build_demo
    from smart_reach.knowledge.seed import seed_catalog

    index = threading.Thread(target=build_index, args=(ws,), name="index")
    index.start()
    if ws.info("kind") is None:
        bank = part(report, 0, 0.5)
        build_demo(ws, customers=customers, days=days, seed=SEED, seed_catalog=seed_catalog, progress=bank)
    train(ws, part(report, 0.5, 0.9))
    report(0.9, "filling the contact ledger")
    sync_contacts(ws)
    report(0.97, "indexing the knowledge")
    index.join()
    prepare_users(ws)
    ws.set_info("ready", "yes")
    report(1.0, "ready")


def sync_contacts(ws: Workspace) -> None:
    """Past messages into the contact ledger, so that caps hold from the first decision on."""
    from smart_reach.api.compose import build_decisions

    build_decisions(ws).sync()


def prepare_users(ws: Workspace) -> None:
    """The demo's users in the demo; elsewhere they are shut out, also where an earlier version made them."""
    from smart_reach.engine.governance.users import close_demo_users, seed_demo_users
    from smart_reach.engine.state.base import transaction

    with transaction(ws.db) as session:
        if ws.info("kind") == "demo-bank":
            seed_demo_users(session)
        else:
            close_demo_users(session)


def anybody(ws: Workspace) -> bool:
    """Whether anybody may sign in."""
    from sqlalchemy.orm import Session

    from smart_reach.engine.governance.users import list_users

    with Session(ws.db) as session:
        return any(active for _, active in list_users(session))


def build_index(ws: Workspace) -> None:
    from smart_reach.knowledge.embedder import Embedder
    from smart_reach.knowledge.index import KnowledgeIndex

    KnowledgeIndex(ws.db, Embedder()).build()


def train(ws: Workspace, report: Report) -> list[ModelVersion]:
    """Train the propensity models and let them serve."""
    from smart_reach.engine.models.propensity import train_propensity

    return train_propensity(ws, progress=report, code_version=version("smart-reach"))


def register_versions(ws: Workspace, versions: Sequence[ModelVersion]) -> None:
    """Publish versions in MLflow: slow, because its first start migrates a database."""
    from smart_reach.engine.models.registry import register_mlflow

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    register_mlflow(ws, versions)
