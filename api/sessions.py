"""The one login: a signed cookie that every face reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from smart_reach.api.compose import Cockpit
from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.governance.users import User, end_sessions, get_user, sessions_end
from smart_reach.engine.state.base import transaction

COOKIE = "smart_reach_session"
LIFETIME = 12 * 3600


class NotSignedIn(SmartReachError):
    """There is no session, or it has ended."""

    code = "not_signed_in"
    status = 401


class Sessions:
    """Signs and reads the cookie; the user and the role are read from the database each time."""

    def __init__(self, cockpit: Cockpit, key: str) -> None:
        self._cockpit = cockpit
        self._signer = URLSafeTimedSerializer(key, salt="session")

    def start(self, response: Response, user: User, *, secure: bool) -> None:
        response.set_cookie(
            COOKIE,
            self._signer.dumps({"user_id": user.id}),
            max_age=LIFETIME,
            httponly=True,
            samesite="lax",
            secure=secure,
            path="/",
        )

    def read(self, value: str | None) -> User | None:
        """The user that a cookie's value names, or None."""
        if not value:
            return None
        try:
            content, began = self._signer.loads(value, max_age=LIFETIME, return_timestamp=True)
            user_id = content["user_id"]
        except (BadSignature, KeyError, TypeError):
            return None
        with Session(self._cockpit.workspace.db) as session:
            ended = sessions_end(session, user_id)
            # the cookie's time has whole seconds; whoever signs in again within the second stays signed in
            over = ended is not None and began < ended.replace(microsecond=0)
            return None if over else get_user(session, user_id)

    def end(self, user: User) -> None:
        """Sign a user out everywhere. Cookies carry real time, so this does too."""
        with transaction(self._cockpit.workspace.db) as session:
            end_sessions(session, user.id, datetime.now(UTC))


def cockpit_of(request: Request) -> Cockpit:
    return request.app.state.cockpit  # type: ignore[no-any-return]


def signed_in(request: Request) -> User:
    """The user of this request; 401 otherwise."""
    user: User | None = request.app.state.sessions.read(request.cookies.get(COOKIE))
    if user is None:
        raise NotSignedIn("Please sign in.", hint="Your session has ended or has not begun.")
    return user


CockpitOf = Annotated[Cockpit, Depends(cockpit_of)]
SignedIn = Annotated[User, Depends(signed_in)]
