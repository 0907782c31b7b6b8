"""`forget` and `export`: a person's right to be erased, and to see everything that is held."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from smart_reach.api.commands.common import (
    FAILED,
    JsonOption,
    WorkspaceOption,
    errors_as_exit_codes,
    opened,
    say,
)
from smart_reach.engine.errors import InvalidInput

ACTOR = "usr_cli"
CustomerArgument = Annotated[str, typer.Argument(help="Customer id, such as cus_000123.")]


def forget(
    customer: CustomerArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Erase everything about a person and print a receipt; exit code 1 when something is left."""
    from smart_reach.engine.privacy.forget import forget as forget_person
    from smart_reach.engine.privacy.receipt import as_text

    with errors_as_exit_codes(as_json):
        if not yes:
            confirm(customer, as_json)
        with opened(workspace) as ws:
            found = forget_person(ws, customer, actor=ACTOR).as_json()
    say(found, as_json=as_json, text=as_text)
    if not found["complete"]:
        raise typer.Exit(FAILED)


def confirm(customer: str, as_json: bool) -> None:
    """Ask a person to type the id again; a script has to say `--yes`."""
    if as_json or not sys.stdin.isatty():
        raise InvalidInput("--yes", None, "An erasure cannot be undone, so say it.")
    typed = typer.prompt(f"Everything about {customer} will be erased for good. Type the id again", err=True)
    if typed.strip() != customer:
        raise InvalidInput("customer", typed, "It is not the same id; nothing was erased.")


def export(
    customer: CustomerArgument,
    out: Annotated[Path | None, typer.Option(help="Write to this new file, readable by you only.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Give everything that is held about a person, as JSON."""
    from smart_reach.engine.privacy.export import export as export_person

    with errors_as_exit_codes(as_json):
        if out is not None and (out.exists() or not out.parent.is_dir()):
            raise InvalidInput("--out", str(out), "Name a new file in a folder that is there.")
        with opened(workspace) as ws:
            found = export_person(ws, customer, actor=ACTOR)
    if out is None:
        say(found, as_json=as_json, text=lambda value: json.dumps(value, ensure_ascii=False, indent=2))
        return
    with open(os.open(out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False, indent=2)
    say(
        {"file": str(out), "customer_id": found["customer_id"], **counts(found)},
        as_json=as_json,
        text=summary,
    )


def counts(found: dict[str, Any]) -> dict[str, int]:
    """How much an export holds."""
    tables = [rows for room in found["rooms"].values() for rows in room.values()]
    return {
        "rows": sum(map(len, tables)),
        "lake_rows": sum(map(len, found["lake"].values())),
        "ledger_entries": len(found["ledger"]),
        "mentions": sum(map(len, found["mentions"].values())),
    }


def summary(found: dict[str, Any]) -> str:
    return (
        f"{found['file']}: {found['rows']} rows, {found['lake_rows']} rows of the lake, "
        f"{found['ledger_entries']} ledger entries, {found['mentions']} mentions"
    )
