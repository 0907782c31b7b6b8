"""`dead-letters` and `lake`: what was refused, and the lake's upkeep."""

from __future__ import annotations

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
from smart_reach.api.commands.ingesting import MappingOption
from smart_reach.engine.errors import InvalidInput

letters_app = typer.Typer(help="Records that were refused: list, look, retry, discard.", no_args_is_help=True)
lake_app = typer.Typer(help="The lake's snapshots and upkeep.", no_args_is_help=True)

IdsArgument = Annotated[list[int] | None, typer.Argument(help="Numbers of dead letters.")]
AllOption = Annotated[bool, typer.Option("--all", help="All that are open.")]


@letters_app.command("list")
def list_letters(
    status: Annotated[str, typer.Option(help="open, retried, discarded or all.")] = "open",
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    page: Annotated[int, typer.Option(help="50 a page.", min=1)] = 1,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Refused records, newest first."""
    from smart_reach.engine.events import dead_letters

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        found = dead_letters.list_letters(ws.db, status=status, source=source, page=page).as_json()
    say(found, as_json=as_json, text=letters_text)


def letters_text(found: dict[str, Any]) -> str:
    rows = [
        f"{one['id']}  {one['source']} {one['partition']} {one['position']}  "
        f"{one['field'] or 'record'}: {one['value'] or '–'}  {one['reason']} {one['remedy']}"
        for one in found["items"]
    ]
    return "\n".join([*rows, f"{found['total']:,} in all"])


@letters_app.command("show")
def show_letter(
    number: Annotated[int, typer.Argument(help="Number of the dead letter.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """One refused record, whole."""
    from smart_reach.engine.events.dead_letters import get_letter

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        found = get_letter(ws.db, number)
    say(found, as_json=as_json, text=outline)


@letters_app.command("retry")
def retry_letters(
    ids: IdsArgument = None,
    everything: AllOption = False,
    edit: Annotated[
        str | None, typer.Option(help="Corrected fields of the one letter named, as a JSON object.")
    ] = None,
    mapping: MappingOption = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Try again: as they were, corrected, or rows of a file through a corrected mapping.

    What is accepted goes to the inbox: it is in the lake once `serve` or `listen` has read it.
    """
    from smart_reach.engine.events.retrying import Retrier
    from smart_reach.engine.events.sources.mapping import read_mapping

    with errors_as_exit_codes(as_json):
        chosen = numbers(ids, everything)
        edits = edited(chosen, edit)
        rules = read_mapping(mapping) if mapping is not None else None
        with opened(workspace) as ws:
            report = Retrier(ws.db, ws.clock, rules).retry(chosen, edits)
    say(report.as_json(), as_json=as_json, text=outline)


@letters_app.command("discard")
def discard_letters(
    ids: IdsArgument = None,
    everything: AllOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Put letters aside for good; their records are forgotten."""
    from smart_reach.engine.events.dead_letters import discard

    with errors_as_exit_codes(as_json):
        chosen = numbers(ids, everything)
        with opened(workspace) as ws:
            found = {"discarded": discard(ws.db, chosen)}
    say(found, as_json=as_json, text=outline)


def numbers(ids: list[int] | None, everything: bool) -> list[int] | None:
    """The chosen numbers; None for all."""
    if everything == bool(ids):
        raise InvalidInput("numbers", None, "Name dead letters by number, or say --all.")
    return None if everything else ids


def edited(chosen: list[int] | None, edit: str | None) -> dict[int, dict[str, Any]]:
    """A correction belongs to one letter."""
    import json

    if edit is None:
        return {}
    if chosen is None or len(chosen) != 1:
        raise InvalidInput("edit", edit, "Name the one letter that it corrects.")
    try:
        found = json.loads(edit)
    except ValueError as error:
        raise InvalidInput("edit", edit, 'Write a JSON object, such as \'{"currency": "EUR"}\'.') from error
    if not isinstance(found, dict):
        raise InvalidInput("edit", edit, 'Write a JSON object, such as \'{"currency": "EUR"}\'.')
    return {chosen[0]: found}


@lake_app.command("snapshots")
def lake_snapshots(
    table: Annotated[str, typer.Argument(help="events, customers or features.")] = "events",
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """The kept snapshots, newest first: a query may name any of them."""
    from smart_reach.engine.lakehouse.schemas import TABLES

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        if table not in TABLES:
            raise InvalidInput("table", table, f"Use one of {', '.join(TABLES)}.")
        found = {"items": [snapshot.as_json() for snapshot in reversed(ws.lake.snapshots(table))]}
    say(found, as_json=as_json, text=outline)


@lake_app.command("compact")
def lake_compact(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Merge small files of a day into few; nothing that is read changes."""
    from smart_reach.engine.lakehouse.compact import compact_events

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        found = {"files_compacted": compact_events(ws.lake)}
    say(found, as_json=as_json, text=outline)


@lake_app.command("expire")
def lake_expire(
    days: Annotated[int, typer.Option(help="Forget snapshots older than so many days.", min=0)] = 14,
    keep: Annotated[int, typer.Option(help="Keep at least so many.", min=1)] = 20,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Forget old snapshots and delete files that nothing needs any more."""
    from datetime import timedelta

    from smart_reach.engine.lakehouse.maintenance import expire

    with errors_as_exit_codes(as_json), opened(workspace) as ws:
        found = expire(ws.lake, older_than=timedelta(days=days), keep=keep).as_json()
    say(found, as_json=as_json, text=expired_text)


def expired_text(found: dict[str, Any]) -> str:
    waiting = "\nFiles that wait may still be read; they are deleted once their grace is over."
    return outline(found) + (waiting if found["files_waiting"] else "")
