"""`serve`: set up what is missing, then open the cockpit."""

from __future__ import annotations

import os
import sys
import time
from typing import Annotated

import typer

from smart_reach.api.commands.common import WorkspaceOption, errors_as_exit_codes
from smart_reach.api.setup import anybody, prepare_demo, prepare_users, progress_bar
from smart_reach.engine.settings import Settings
from smart_reach.engine.workspace import Workspace


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workspace: WorkspaceOption = None,
    customers: Annotated[int, typer.Option(help="Customers of a new demo bank.", min=200)] = 20_000,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = True,
) -> None:
    """Start the cockpit; the first start makes a demo bank."""
    started = time.monotonic()
    with errors_as_exit_codes():
        settings = Settings.from_env(host=host, port=port, workspace=workspace)
        free_port(settings.host, settings.port)
        sign_in = prepare(settings, customers)
    url = f"http://{settings.host}:{settings.port}"
    sys.stderr.write(f"▸ Ready in {time.monotonic() - started:.0f} s. Smart Reach is at {url}\n")
    sys.stderr.write(f"  {sign_in} Stop with Ctrl+C.\n")
    if open_browser and (os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32")):
        import threading
        import webbrowser

        threading.Timer(1.5, webbrowser.open, [url]).start()
    run(settings)


def prepare(settings: Settings, customers: int) -> str:
    """Open the workspace once before the server does, so that a long set-up shows its progress here.

    Returns how to sign in.
    """
    from smart_reach.api.compose import open_workspace

    sys.stderr.write(f"▸ Opening the workspace in {settings.root}\n")
    ws = open_workspace(settings)
    try:
        if ws.info("kind") in (None, "demo-bank") and ws.info("ready") != "yes":
            with progress_bar("Making the demo bank") as report:
                prepare_demo(ws, report, customers=customers)
        else:
            prepare_users(ws)
        return how_to_sign_in(ws)
    finally:
        ws.close()


def how_to_sign_in(ws: Workspace) -> str:
    """What a person needs to know to get in, by what the workspace is."""
    if ws.info("kind") == "demo-bank":
        return "Sign in with one of the demo users on the login page."
    if anybody(ws):
        return "Sign in with your account; `smart-reach user list` shows who has one."
    command = f"smart-reach user add you@bank.example --role admin --workspace {ws.name}"
    return f"Nobody can sign in yet. In another terminal: {command}\n "


def free_port(host: str, port: int) -> None:
    """Fail early, and with a remedy, when the port is taken."""
    import socket

    from smart_reach.engine.errors import InvalidInput

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidInput(
                "port", port, f"{error.strerror}. Choose another with SMART_REACH_PORT or --port."
            ) from error


def run(settings: Settings) -> None:
    import uvicorn

    from smart_reach.api.app import create_app

    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    sys.stderr.write("▸ Stopped. Everything is kept; `make run` goes on where this left off.\n")
