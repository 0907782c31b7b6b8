"""Facts about the workspace itself."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from smart_reach.engine.state.base import Base


class WorkspaceInfo(Base):
    """Key and value: `kind`, `demo_seed`, `created_at`, …"""

    __tablename__ = "workspace_info"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
