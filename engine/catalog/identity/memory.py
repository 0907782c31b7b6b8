"""What a process remembers of keys and ids: bounded, and forgotten when anybody joins or parts customers."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import event
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.identity import people

_MOST = 500_000


class Memory:
    """`keys`: hash → customer. `ids`: customer id → the id that stands for it. `version`: of the aliases."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.version = 0

    def refresh(self, session: Session) -> None:
        """Forget what another process may have changed."""
        version = people.version(session)
        if version != self.version:
            self.keys, self.ids, self.version = {}, {}, version

    def remember_keys(self, session: Session, found: Mapping[str, str]) -> None:
        """Remember these once the session commits: what is rolled back was never true."""
        _when_committed(session, self.keys, found)

    def remember_ids(self, session: Session, found: Mapping[str, str]) -> None:
        _when_committed(session, self.ids, found)


def _when_committed(session: Session, memory: dict[str, str], found: Mapping[str, str]) -> None:
    if not found:
        return
    undone = False

    def commit(_: Session) -> None:
        if undone:
            return
        if len(memory) + len(found) > _MOST:
            memory.clear()
        if len(found) <= _MOST:
            memory.update(found)

    def rollback(_: Session) -> None:
        nonlocal undone
        undone = True

    event.listen(session, "after_commit", commit, once=True)
    event.listen(session, "after_rollback", rollback, once=True)
