"""Small protocols through which engine rooms reach each other without importing sideways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy.orm import Session


class LedgerWriter(Protocol):
    """Appends to the hash-chained ledger inside the caller's transaction; returns the entry's number."""

    def __call__(
        self, session: Session, *, kind: str, subject: str, actor: str, payload: Mapping[str, Any]
    ) -> int: ...


class Progress(Protocol):
    """Told how far long work has come: a share in [0, 1] and what is being done now."""

    def __call__(self, share: float, doing: str) -> None: ...


def silent(share: float, doing: str) -> None:
    """A `Progress` that says nothing."""
