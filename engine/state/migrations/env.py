"""Alembic's entry: runs on the connection that `migrate()` or `new_migration()` hands over."""

from __future__ import annotations

from alembic import context

from smart_reach.engine.state.tables import load_metadata

OTHERS = (
    "checkpoint",
    "knowledge_passages",
)  # LangGraph's tables and the retrieval index keep their own schema


def ours(obj: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    return not (kind == "table" and reflected and compare_to is None and (name or "").startswith(OTHERS))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=load_metadata(),
    include_object=ours,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
