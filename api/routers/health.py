"""Health for probes, and the ledger's own check."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.orm import Session

from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.engine.governance.anchors import verify_with_anchors
from smart_reach.engine.governance.roles import require

router = APIRouter(tags=["health"])


@router.get("/health")
def health(cockpit: CockpitOf) -> dict[str, Any]:
    """Up, and the database answers."""
    with cockpit.workspace.db.connect() as connection:
        connection.execute(text("SELECT 1"))
    return {"status": "ok", "workspace": cockpit.workspace.name}


@router.get("/ledger/verify")
def ledger(user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Check the whole chain and its daily anchors; says where it breaks."""
    require(user, "ledger.verify")
    with Session(cockpit.workspace.db) as session:
        return asdict(verify_with_anchors(session, cockpit.settings.secret_key().encode()))
