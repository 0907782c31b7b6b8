"""Brings a database's schema up to date."""

from __future__ import annotations

from sqlalchemy import Engine, text

from smart_reach.engine.state.tables import load_metadata

# Two processes may start at once; the second waits here and then finds nothing to do.
_LOCK = 726_417_001


def migrate(db: Engine) -> None:
    """Create what is missing, under an advisory lock."""
    with db.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        load_metadata().create_all(connection)
