"""Threads and messages of the copilot: what was said, and what each answer was made from."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, ForeignKey, Identity, Index, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.state.base import Base, UtcDateTime, transaction


class Thread(Base):
    """One conversation of one user."""

    __tablename__ = "threads"
    __table_args__ = (Index("ix_threads_owner", "user_id", "updated_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ThreadMessage(Base):
    """One turn; `body` is the Message of the API, as it was shown."""

    __tablename__ = "thread_messages"
    __table_args__ = (Index("ix_thread_messages_thread", "thread_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(), unique=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    role: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    score: Mapped[int | None]
    comment: Mapped[str | None]


def require_uuid(value: str) -> str:
    """Thread ids come from clients; anything but a UUID is refused before it reaches a query."""
    try:
        return str(uuid.UUID(value))
    except ValueError as error:
        raise InvalidInput("thread", value, "Use the id that the server gave.") from error


class ConversationStore:
    """Reads and writes threads; a user sees only their own."""

    def __init__(self, db: Engine) -> None:
        self._db = db

    def open(self, user_id: str, at: datetime, *, title: str, thread_id: str | None = None) -> str:
        """Make a thread, or return the user's own one with this id."""
        key = require_uuid(thread_id) if thread_id else str(uuid.uuid4())
        with transaction(self._db) as session:
            found = session.get(Thread, key)
            if found is None:
                session.add(Thread(id=key, user_id=user_id, title=title, created_at=at, updated_at=at))
            elif found.user_id != user_id:
                raise NotFound("There is no such conversation.")
        return key

    def threads(self, user_id: str, limit: int = 100) -> list[dict[str, Any]]:
        with Session(self._db) as session:
            rows = session.scalars(
                select(Thread)
                .where(Thread.user_id == user_id)
                .order_by(Thread.updated_at.desc())
                .limit(limit)
            ).all()
        return [{"id": row.id, "title": row.title, "updated_at": row.updated_at.isoformat()} for row in rows]

    def thread(self, user_id: str, thread_id: str) -> tuple[Thread, Sequence[ThreadMessage]]:
        with Session(self._db, expire_on_commit=False) as session:
            thread = session.get(Thread, require_uuid(thread_id))
            if thread is None or thread.user_id != user_id:
                raise NotFound("There is no such conversation.")
            messages = session.scalars(
                select(ThreadMessage)
                .where(ThreadMessage.thread_id == thread.id)
                .order_by(ThreadMessage.number)
            ).all()
        return thread, messages

    def rename(self, user_id: str, thread_id: str, title: str) -> None:
        thread, _ = self.thread(user_id, thread_id)
        with transaction(self._db) as session:
            session.get_one(Thread, thread.id).title = title.strip()[:200]

    def delete(self, user_id: str, thread_id: str) -> None:
        thread, _ = self.thread(user_id, thread_id)
        with transaction(self._db) as session:
            session.delete(session.merge(thread))

    def add(self, thread_id: str, body: dict[str, Any], at: datetime, *, title: str | None = None) -> None:
        """Keep a message; the first request of a thread becomes its title."""
        with transaction(self._db) as session:
            thread = session.get_one(Thread, thread_id)
            thread.updated_at = at
            if title is not None and thread.title == "":
                thread.title = title
            session.add(
                ThreadMessage(
                    id=body["id"], thread_id=thread_id, role=body["role"], body=body, score=None, comment=None
                )
            )

    def rate(self, user_id: str, message_id: str, score: int, comment: str | None) -> None:
        if score not in (-1, 1):
            raise InvalidInput("score", score, "Use 1 or -1.")
        with transaction(self._db) as session:
            row = session.get(ThreadMessage, message_id)
            owner = session.get(Thread, row.thread_id) if row else None
            if row is None or owner is None or owner.user_id != user_id:
                raise NotFound("There is no such message.")
            row.score, row.comment = score, comment
