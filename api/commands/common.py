"""What every command shares: the workspace option, output, exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from smart_reach.engine.errors import NotFound, Retryable, SmartReachError
from smart_reach.engine.settings import Settings
from smart_reach.engine.workspace import Workspace

WorkspaceOption = Annotated[
    str | None, typer.Option("--workspace", "-w", help="Workspace to work in; `demo` unless said.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]

WRONG_INPUT, FAILED = 2, 1


def settings_for(workspace: str | None) -> Settings:
    return Settings.from_env(workspace=workspace)


def require_workspace(settings: Settings) -> None:
    """Raise `NotFound`, with what there is, unless the workspace was made before."""
    if settings.root.is_dir():
        return
    folder = settings.root.parent
    known = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    hint = f"There are: {', '.join(known)}." if known else "`make run` makes the demo bank."
    raise NotFound(f"There is no workspace {settings.workspace!r}.", hint=hint)


@contextmanager
def opened(workspace: str | None, *, make: bool = False) -> Iterator[Workspace]:
    """A workspace for the length of a command; the demo bank runs on its own clock."""
    from smart_reach.api.compose import open_workspace

    settings = settings_for(workspace)
    if not make:
        require_workspace(settings)
    ws = open_workspace(settings)
    try:
        yield ws
    finally:
        ws.close()


@contextmanager
def errors_as_exit_codes(as_json: bool = False) -> Iterator[None]:
    """Our own errors become one line on standard error and an exit code: 2 wrong input, 1 anything else.

    A script that asked for JSON gets the error as JSON on standard output too.
    """
    try:
        yield
    except SmartReachError as error:
        if as_json:
            shown = {"code": error.code, "message": error.message, "hint": error.hint}
            sys.stdout.write(json.dumps({"error": shown}, ensure_ascii=False) + "\n")
        sys.stderr.write(f"smart-reach: {error.message}\n")
        if error.hint and error.hint not in error.message:
            sys.stderr.write(f"  {error.hint}\n")
        raise typer.Exit(WRONG_INPUT if isinstance(error, Retryable) else FAILED) from error


def say(value: Any, *, as_json: bool, text: Callable[[Any], str]) -> None:
    """Print a result for a script or for a person."""
    shown = json.dumps(value, ensure_ascii=False, default=str) if as_json else text(value)
    sys.stdout.write(shown + "\n")


def outline(value: Any, depth: int = 0) -> str:
    """Nested facts as indented lines, for a person."""
    indent = "  " * depth
    if isinstance(value, dict):
        rows = [
            f"{indent}{name}:\n{outline(inner, depth + 1)}"
            if isinstance(inner, dict | list) and inner
            else f"{indent}{name}: {_plain(inner)}"
            for name, inner in value.items()
        ]
        return "\n".join(rows)
    if isinstance(value, list):
        return "\n".join(f"{indent}- {outline(inner, depth + 1).lstrip()}" for inner in value)
    return f"{indent}{_plain(value)}"


def _plain(value: Any) -> str:
    if value is None or value in ({}, []):
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
