"""Brings a database's schema up to date, and writes the next migration."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

FOLDER = Path(__file__).parent / "migrations"
# Two processes may start at once; the second waits here and then finds nothing to do.
_LOCK = 726_417_001


def migrate(db: Engine) -> None:
    """Run the missing migrations, under an advisory lock; a database at the head is left alone."""
    with db.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        config = _config(connection)
        head = ScriptDirectory.from_config(config).get_current_head()
        if MigrationContext.configure(connection).get_current_revision() != head:
            command.upgrade(config, "head")


def new_migration(db: Engine, message: str) -> None:
    """Write a migration with the difference between the tables in the code and the database."""
    with db.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
