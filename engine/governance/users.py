"""Staff accounts: argon2 passwords, sign-in, the seeded users of the demo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.errors import Conflict, Forbidden, InvalidInput, NotFound
from smart_reach.engine.governance.roles import ROLES
from smart_reach.engine.governance.tables import UserRow

MAX_PASSWORD = 1024
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True)
class User:
    """Somebody who signed in."""

    id: str
    name: str
    email: str
    role: str


@dataclass(frozen=True)
class DemoUser:
    """A seeded account; its password is shown on the login page of the demo."""

    name: str
    email: str
    role: str
    password: str


def _demo(name: str, role: str) -> DemoUser:
    first = name.split()[0].lower()
    return DemoUser(name, f"{first}@demo-bank.example", role, f"demo-{first}-2026")


DEMO_USERS: tuple[DemoUser, ...] = (
    _demo("Maya Lund", "marketer"),
    _demo("Ana Ruiz", "manager"),
    _demo("Tomas Berg", "manager"),
    _demo("Eve Okafor", "evaluator"),
    _demo("Ada Novak", "admin"),
)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _decoy() -> str:
    """Verified against when the address is unknown, so that the answer takes as long either way."""
    return _hasher().hash("nobody has this password")


def add_user(session: Session, *, name: str, email: str, role: str, password: str) -> User:
    """Create an account; `Conflict` when the address is taken."""
    if role not in ROLES or role == "system":
        raise InvalidInput("role", role, "Use marketer, manager, evaluator or admin.")
    _check_password(password)
    email = email.strip().lower()
    if not _ADDRESS.fullmatch(email) or len(email) > 254:
        raise InvalidInput("email", email[:300], "Write an address such as ana@bank.example.")
    if session.scalar(select(UserRow.id).where(UserRow.email == email)) is not None:
        raise Conflict(f"There is already an account for {email}.")
    row = UserRow(
        id=f"usr_{email.split('@')[0]}" if email.endswith("@demo-bank.example") else f"usr_{email}",
        name=name,
        email=email,
        role=role,
        password_hash=_hasher().hash(password),
        active=True,
    )
    session.add(row)
    session.flush()
    return _user(row)


def _check_password(password: str) -> None:
    if not 8 <= len(password) <= MAX_PASSWORD:
        raise InvalidInput("password", "…", f"Use 8 to {MAX_PASSWORD} characters.")


def list_users(session: Session) -> list[tuple[User, bool]]:
    """Every account with whether it may sign in, by address."""
    return [(_user(row), row.active) for row in session.scalars(select(UserRow).order_by(UserRow.email))]


def set_password(session: Session, email: str, password: str) -> User:
    """A new password for an account; sessions that are open end. `NotFound` for an unknown address."""
    _check_password(password)
    row = _row(session, email)
    row.password_hash = _hasher().hash(password)
    # cookies carry real time, whatever clock the workspace lives by
    row.sessions_end = datetime.now(UTC)
    return _user(row)


def switch_user(session: Session, email: str, *, active: bool) -> User:
    """Let an account sign in, or not any more. `NotFound` for an unknown address."""
    row = _row(session, email)
    row.active = active
    return _user(row)


def _row(session: Session, email: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.email == email.strip().lower()))
    if row is None:
        raise NotFound(f"There is no account for {email}.", hint="`smart-reach user list` shows them.")
    return row


def close_demo_users(session: Session) -> int:
    """Outside the demo nobody signs in with a password that is in the code; returns how many could."""
    demo = [user.email for user in DEMO_USERS]
    rows = session.scalars(select(UserRow).where(UserRow.email.in_(demo), UserRow.active)).all()
    for row in rows:
        row.active = False
    return len(rows)


def authenticate(session: Session, email: str, password: str) -> User:
    """The user with this address and password; `Forbidden` with one message for every way to fail."""
    row = session.scalar(select(UserRow).where(UserRow.email == email.strip().lower()))
    hashed = row.password_hash if row is not None else _decoy()
    try:
        _hasher().verify(hashed, password[:MAX_PASSWORD])
    except (VerificationError, InvalidHashError):
        row = None
    if row is None or not row.active:
        raise Forbidden("The address or the password is not right.", hint="Check both and try again.")
    return _user(row)


def get_user(session: Session, user_id: str) -> User | None:
    """An active user by id, or None."""
    row = session.get(UserRow, user_id)
    return _user(row) if row is not None and row.active else None


def end_sessions(session: Session, user_id: str, at: datetime) -> None:
    """Sessions of this user that began before `at` are over."""
    row = session.get(UserRow, user_id)
    if row is not None:
        row.sessions_end = at


def sessions_end(session: Session, user_id: str) -> datetime | None:
    """Until when sessions of this user are over; None when none was ever ended."""
    return session.scalar(select(UserRow.sessions_end).where(UserRow.id == user_id))


def seed_demo_users(session: Session) -> list[User]:
    """The five accounts of the demo; those already there are left as they are."""
    users = []
    for demo in DEMO_USERS:
        row = session.scalar(select(UserRow).where(UserRow.email == demo.email))
        if row is None:
            users.append(
                add_user(session, name=demo.name, email=demo.email, role=demo.role, password=demo.password)
            )
        else:
            users.append(_user(row))
    return users


def _user(row: UserRow) -> User:
    return User(row.id, row.name, row.email, row.role)
