"""Signing in and out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from smart_reach.api.sessions import COOKIE, CockpitOf, NotSignedIn, SignedIn
from smart_reach.engine.errors import Forbidden, NotFound
from smart_reach.engine.governance.users import DEMO_USERS, User, authenticate

router = APIRouter(tags=["session"])


class Credentials(BaseModel):
    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


def shown(user: User, cockpit: CockpitOf) -> dict[str, Any]:
    return {
        "user": {"id": user.id, "name": user.name, "email": user.email, "role": user.role},
        "demo": cockpit.demo,
        "chat": cockpit.settings.chainlit,
        "workspace": cockpit.workspace.name,
        "now": cockpit.workspace.clock.now(),
    }


@router.post("/session")
def sign_in(
    credentials: Credentials, request: Request, response: Response, cockpit: CockpitOf
) -> dict[str, Any]:
    """Start a session; the answer is the same for an unknown address and a wrong password."""
    who = f"{credentials.email.strip()} from {request.client.host if request.client else ''}"
    cockpit.attempts.check(who)
    with Session(cockpit.workspace.db) as session:
        try:
            user = authenticate(session, credentials.email, credentials.password)
        except Forbidden:
            cockpit.attempts.failed(who)
            raise NotSignedIn("The e-mail address or the password is wrong.") from None
    request.app.state.sessions.start(response, user, secure=request.url.scheme == "https")
    return shown(user, cockpit)


@router.get("/session")
def who(user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    return shown(user, cockpit)


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response) -> None:
    """End the session, here and on every other device."""
    user = request.app.state.sessions.read(request.cookies.get(COOKIE))
    if user is not None:
        request.app.state.sessions.end(user)
    response.delete_cookie(COOKIE, path="/")


@router.get("/demo/users")
def demo_users(cockpit: CockpitOf) -> dict[str, Any]:
    """The seeded accounts; they exist in demo mode only."""
    if not cockpit.demo:
        raise NotFound("There are no demo users outside demo mode.")
    return {
        "users": [
            {"name": user.name, "email": user.email, "role": user.role, "password": user.password}
            for user in DEMO_USERS
        ]
    }
