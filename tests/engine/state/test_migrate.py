"""The migrations make exactly the schema that the code describes."""

from __future__ import annotations

import threading

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from smart_reach.engine.state.migrate import migrate
from smart_reach.engine.state.tables import load_metadata
from smart_reach.engine.workspace import Workspace

DERIVED = ("checkpoint", "knowledge_passages")


def test_migrations_and_tables_agree(workspace: Workspace) -> None:
    with workspace.db.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            change
            for change in compare_metadata(context, load_metadata())
            if not str(getattr(change[1], "name", "")).startswith(DERIVED)
        ]
    assert [change for change in differences if change[1].name != "alembic_version"] == []


def test_several_processes_may_migrate_at_once(workspace: Workspace) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate(workspace.db)
        except BaseException as error:  # noqa: BLE001 - a thread has nobody above it to catch
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with workspace.db.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
