"""`features`: what the features of a workspace mean."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from smart_reach.api.commands.common import JsonOption, WorkspaceOption, errors_as_exit_codes, opened
from smart_reach.engine.errors import NotFound

features_app = typer.Typer(help="The features of a workspace.", no_args_is_help=True)

KindOption = Annotated[
    str | None, typer.Option(help="Of demo-bank, bank-marketing or own-data, without opening a workspace.")
]


@features_app.callback()
def features() -> None:
    """The features of a workspace."""


@features_app.command("describe")
def describe(kind: KindOption = None, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Every feature with its meaning, source, window, zone, freshness and owner, as Markdown or JSON."""
    from smart_reach.engine.features import describe as pages

    with errors_as_exit_codes(as_json):
        kind = kind or kind_of(workspace)
        items = pages.describe(kind) if as_json else None
        shown = json.dumps({"kind": kind, "items": items}) if as_json else pages.describe_markdown(kind)
    sys.stdout.write(shown.rstrip() + "\n")


def kind_of(workspace: str | None) -> str:
    with opened(workspace) as ws:
        kind = ws.info("kind")
    if kind is None:
        raise NotFound(f"The workspace {ws.name} has no data yet.", hint="Say --kind own-data, for example.")
    return kind
