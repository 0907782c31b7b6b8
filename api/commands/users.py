"""`new` and `user`: a workspace of one's own, and who may sign in to it. The demo bank has its own users."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated, Any

import typer

from smart_reach.api.commands.common import (
    JsonOption,
    WorkspaceOption,
    errors_as_exit_codes,
    opened,
    outline,
    say,
)
from smart_reach.engine.errors import InvalidInput

users_app = typer.Typer(help="Who may sign in to a workspace.", no_args_is_help=True)

ACTOR = "usr_cli"
PASSWORD = "SMART_REACH_PASSWORD"
EmailArgument = Annotated[str, typer.Argument(help="E-mail address to sign in with.")]


def new(
    name: Annotated[str, typer.Argument(help="Name of the workspace: lower-case letters, digits, hyphens.")],
    currency: Annotated[str, typer.Option(help="Currency of its figures, such as EUR.")],
    zone: Annotated[str, typer.Option(help="Its time zone, such as Europe/Lisbon.")],
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a workspace for data that comes by HTTP or Kafka; a file with a mapping makes its own."""
    from smart_reach.api.filing import begin_own_data
    from smart_reach.engine.errors import Conflict

    with errors_as_exit_codes(as_json):
        facts = {"currency": currency.strip().upper(), "zone": zone, "title": title or name}
        check_facts(facts)
        with opened(name, make=True) as ws:
            if ws.info("kind") is not None:
                raise Conflict(f"There is a workspace {name} already.", hint="Choose another name.")
            begin_own_data(ws, facts)
        found = {"workspace": name, **facts}
    say(found, as_json=as_json, text=outline)


def check_facts(facts: dict[str, str]) -> None:
    """Raise `InvalidInput` for a currency or a zone that is none."""
    from zoneinfo import available_timezones

    if not re.fullmatch(r"[A-Z]{3}", facts["currency"]):
        raise InvalidInput("currency", facts["currency"], "Use three letters, such as EUR.")
    if facts["zone"] not in available_timezones():
        raise InvalidInput("zone", facts["zone"], "Use a name such as Europe/Lisbon.")


@users_app.command("add")
def add(
    email: EmailArgument,
    role: Annotated[str, typer.Option(help="marketer, manager, evaluator or admin.")],
    name: Annotated[str | None, typer.Option(help="Name on screen; the address unless said.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Make an account; the password is asked for, or taken from SMART_REACH_PASSWORD."""
    from smart_reach.engine.governance.users import add_user

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        given = password()
        found = changed(
            ws,
            "user.added",
            lambda session: add_user(session, name=name or email, email=email, role=role, password=given),
        )
    say(found, as_json=as_json, text=line)


@users_app.command("list")
def list_all(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """The accounts of a workspace."""
    from sqlalchemy.orm import Session

    from smart_reach.engine.governance.users import list_users

    with errors_as_exit_codes(as_json), opened(workspace) as ws, Session(ws.db) as session:
        items = [{**shown(user), "active": active} for user, active in list_users(session)]
    say({"items": items}, as_json=as_json, text=table)


@users_app.command("password")
def change_password(email: EmailArgument, workspace: WorkspaceOption = None) -> None:
    """Set a new password; sessions that are open end."""
    from smart_reach.engine.governance.users import set_password

    with errors_as_exit_codes(), opened(workspace) as ws:
        given = password()
        found = changed(ws, "user.password", lambda session: set_password(session, email, given))
    say(found, as_json=False, text=line)


@users_app.command("off")
def switch_off(email: EmailArgument, workspace: WorkspaceOption = None) -> None:
    """Close an account: nobody signs in with it, and what it decided stays."""
    from smart_reach.engine.governance.users import switch_user

    with errors_as_exit_codes(), opened(workspace) as ws:
        found = changed(ws, "user.off", lambda session: switch_user(session, email, active=False))
    say(found, as_json=False, text=line)


@users_app.command("on")
def switch_on(email: EmailArgument, workspace: WorkspaceOption = None) -> None:
    """Open a closed account again."""
    from smart_reach.engine.governance.users import switch_user

    with errors_as_exit_codes(), opened(workspace) as ws:
        found = changed(ws, "user.on", lambda session: switch_user(session, email, active=True))
    say(found, as_json=False, text=line)


def changed(ws: Any, kind: str, change: Any) -> dict[str, Any]:
    """Do it and say so in the ledger, both or neither: approvals are worth what their accounts are."""
    from smart_reach.engine.governance.ledger import Ledger
    from smart_reach.engine.state.base import transaction

    with transaction(ws.db) as session:
        user = change(session)
        payload = {"role": user.role}
        Ledger(ws.clock).append(session, kind=kind, subject=user.id, actor=ACTOR, payload=payload)
    return shown(user)


def password() -> str:
    """From the environment, else typed twice; never from the command line, where others could read it."""
    if given := os.environ.get(PASSWORD):
        return given
    if not sys.stdin.isatty():
        raise InvalidInput("password", None, f"Set {PASSWORD}, or run this in a terminal.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def shown(user: Any) -> dict[str, Any]:
    return {"email": user.email, "name": user.name, "role": user.role}


def line(found: dict[str, Any]) -> str:
    return f"{found['email']}  {found['role']}  {found['name']}"


def table(found: dict[str, Any]) -> str:
    rows = [line(one) + ("" if one["active"] else "  (off)") for one in found["items"]]
    return "\n".join(rows) or "Nobody yet: `smart-reach user add you@bank.example --role admin`."
