"""A workspace: one bank's state, files and clock, opened by an entry point and handed down."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock, SystemClock
from smart_reach.engine.settings import Settings
from smart_reach.engine.state.base import transaction
from smart_reach.engine.state.info import WorkspaceInfo
from smart_reach.engine.state.migrate import migrate
from smart_reach.engine.state.server import DatabaseServer, connect, database_name, start_server

if TYPE_CHECKING:
    from smart_reach.engine.lakehouse.lake import Lakehouse


class Workspace:
    """Holds what every service needs: database engine, lakehouse, clock, folder. Build with `open`."""

    def __init__(self, settings: Settings, server: DatabaseServer, db: Engine, clock: Clock) -> None:
        self.settings = settings
        self.server = server
        self.db = db
        self.clock = clock

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Workspace:
        """Start or reach the database, bring its schema up to date, make the folders."""
        settings.root.mkdir(parents=True, exist_ok=True)
        server = start_server(settings)
        name = database_name(settings)
        server.ensure(name)
        db = connect(server, name)
        migrate(db)
        return cls(settings, server, db, clock or SystemClock())

    @property
    def name(self) -> str:
        return self.settings.workspace

    @property
    def root(self) -> Path:
        return self.settings.root

    @cached_property
    def lake(self) -> Lakehouse:
        """The Iceberg lakehouse; its catalog has a database of its own on the same server or is elsewhere."""
        from smart_reach.engine.catalog.erasures import Gate
        from smart_reach.engine.lakehouse.lake import Lakehouse

        remote = self.settings.lake
        database = database_name(self.settings, "" if remote else "iceberg")
        self.server.ensure(database)
        url = self.server.url(database).render_as_string(hide_password=False)
        lake = Lakehouse(url, self.root / "lake", Gate(self.db).holding, remote)
        lake.ensure()
        return lake

    def mlflow_url(self) -> str:
        """Tracking and registry URI: a database of its own on the same server."""
        database = database_name(self.settings, "mlflow")
        self.server.ensure(database)
        return self.server.url(database).render_as_string(hide_password=False)

    def info(self, key: str, default: str | None = None) -> str | None:
        """A fact about the workspace itself, such as its `kind` (demo-bank, bank-marketing)."""
        with Session(self.db) as session:
            value = session.scalar(select(WorkspaceInfo.value).where(WorkspaceInfo.key == key))
        return default if value is None else value

    def set_info(self, key: str, value: str) -> None:
        with transaction(self.db) as session:
            session.merge(WorkspaceInfo(key=key, value=value))

    def close(self) -> None:
        """Give back connections; the embedded server stops when its last user has gone."""
        if "lake" in self.__dict__:
            self.lake.close()
        self.db.dispose()
        self.server.close()
