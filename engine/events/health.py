"""How the data is doing: sources, tables and their freshness, what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import IdentityConflict
from smart_reach.engine.events.tables import DeadLetter, SourceStatus
from smart_reach.engine.lakehouse.schemas import EVENTS, TABLES
from smart_reach.engine.state.info import WorkspaceInfo

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


def data_health(workspace: Workspace) -> dict[str, Any]:
    """Sources, tables, and the counts of open dead letters and identity conflicts; times are UTC."""
    now = workspace.clock.now()
    with Session(workspace.db) as session:
        names = file_names(session)
        sources = session.scalars(select(SourceStatus).order_by(SourceStatus.kind, SourceStatus.name)).all()
        letters = select(func.count()).where(DeadLetter.status == "open")
        conflicts = select(func.count()).where(IdentityConflict.status == "open")
        return {
            "now": now,
            "sources": [source_json(source, names) for source in sources],
            "tables": [table_json(workspace, name, now) for name in TABLES],
            "dead_letters": {"open": session.scalar(letters)},
            "conflicts": {"open": session.scalar(conflicts)},
        }


def file_names(session: Session) -> dict[str, str]:
    """Names of files that came in, by source: a file's source is named by its content."""
    rows = select(WorkspaceInfo.key, WorkspaceInfo.value).where(WorkspaceInfo.key.startswith("source:"))
    return {key.removeprefix("source:"): value for key, value in session.execute(rows).tuples()}


def source_json(source: SourceStatus, names: Mapping[str, str]) -> dict[str, Any]:
    """Every column of a source's row, and its `label`: what people call it."""
    shown = {column.key: getattr(source, column.key) for column in SourceStatus.__table__.columns}
    return {**shown, "label": names.get(source.name, source.name)}


def table_json(workspace: Workspace, name: str, now: datetime) -> dict[str, Any]:
    """Size, snapshots and freshness of one table; snapshot ids as text, since JavaScript would round them.

    `freshness_s`: since the newest event was received; of other tables since their last commit.
    """
    kept = workspace.lake.snapshots(name) if workspace.lake.snapshot_id(name) is not None else []
    last = kept[-1] if kept else None
    newest = _newest_event(workspace) if name == EVENTS and last else None
    since = newest or (last.at if last else None)
    return {
        "name": name,
        "rows": last.rows if last else 0,
        "files": last.files if last else 0,
        "bytes": last.bytes if last else 0,
        "snapshots": len(kept),
        "snapshot": str(last.id) if last else None,
        "newest_event_at": newest,
        "committed_at": last.at if last else None,
        "freshness_s": max(0.0, (now - since).total_seconds()) if since else None,
    }


def _newest_event(workspace: Workspace) -> datetime | None:
    """When the newest event was received, from the files' own statistics: nothing is read."""
    received = [file.received[1] for file in workspace.lake.data_files(EVENTS) if file.rows]
    known = [moment for moment in received if moment < 2**62]
    return datetime.fromtimestamp(max(known) / 1e6, UTC) if known else None
