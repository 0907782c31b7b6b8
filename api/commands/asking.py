"""`ask` and `route`: the copilot on the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from smart_reach.api.commands.common import (
    JsonOption,
    WorkspaceOption,
    errors_as_exit_codes,
    opened,
    require_workspace,
    say,
    settings_for,
)
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.money import money

SHOWN = ("route", "confidence", "answer", "facts", "trust", "chart", "clarification", "proposal_id")


def ask(
    question: Annotated[str, typer.Argument(help="The question, in plain words.")],
    snapshot: Annotated[
        int | None, typer.Option(help="Answer from the lake as it was: an id of `lake snapshots`.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Ask the analyst copilot a question."""
    with errors_as_exit_codes(as_json):
        if snapshot is None:
            message = asyncio.run(answer(question, workspace))
        else:
            message = answer_then(question, snapshot, workspace)
        say(
            {**{name: message.get(name) for name in SHOWN}, "answer": message["text"]},
            as_json=as_json,
            text=lambda value: plain(message),
        )


def answer_then(question: str, snapshot: int, workspace: str | None) -> dict[str, Any]:
    """Figures as they were in a snapshot, whose newest event is the present; nothing is proposed then."""
    from smart_reach.engine.metrics.service import MetricsService

    with opened(workspace) as ws:
        found = MetricsService.of(ws, snapshot).ask(question).as_json()
        currency = ws.info("currency")
    return {**found, "route": "insights", "model": f"snapshot {snapshot}", "currency": currency}


async def answer(question: str, workspace: str | None) -> dict[str, Any]:
    """One turn in a thread of its own."""
    from smart_reach.api.compose import open_cockpit
    from smart_reach.api.stream import Hub
    from smart_reach.engine.governance.users import User

    settings = settings_for(workspace)
    require_workspace(settings)
    user = User("usr_cli", "Command line", "", "marketer")
    message: dict[str, Any] = {}
    async with open_cockpit(settings, Hub(), live=False) as cockpit:
        thread_id = await cockpit.conversations.open_thread(user)
        async for event in cockpit.conversations.send(user, thread_id, question):
            if event.kind == "error":
                raise InvalidInput("question", question, event.data["message"])
            if event.kind == "message":
                message = event.data
        return {**message, "currency": cockpit.workspace.info("currency")}


def plain(message: dict[str, Any]) -> str:
    """The answer for a person: text, table, choices, where it comes from."""
    parts, currency = [message["text"]], message.get("currency") or "EUR"
    if table := message.get("table"):
        units = [column.get("unit") for column in table["columns"]]
        parts.append(" | ".join(column["label"] for column in table["columns"]))
        for row in table["rows"][:20]:
            parts.append(
                " | ".join(cell(value, unit, currency) for value, unit in zip(row, units, strict=True))
            )
    if clarification := message.get("clarification"):
        parts.extend(f"  - {choice}" for choice in clarification["choices"])
    if proposal := message.get("proposal_id"):
        parts.append(f"{proposal} waits for a decision in Approvals.")
    parts.append(f"[{message['route']} · {message['trust']} · {message['model']}]")
    return "\n".join(parts)


def cell(value: Any, unit: str | None, currency: str = "EUR") -> str:
    """A table's cell as a person reads it."""
    if value is None or isinstance(value, str):
        return value or "–"
    if unit == "percent":
        return f"{value:.2%}"
    if unit == "money":
        return money(value, currency)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def route(
    file: Annotated[Path, typer.Argument(help="JSON lines, each with `text`; `-` for standard input.")],
) -> None:
    """Say, for each line, which specialist a request goes to: one JSON line each."""
    from smart_reach.agents.language.routing.router import Router

    with errors_as_exit_codes():
        router = Router.load()
        for text in requests(file):
            found = router.route(text)
            line = {"label": found.label, "confidence": found.confidence, "clarify": found.clarify}
            sys.stdout.write(json.dumps(line) + "\n")


def requests(file: Path) -> list[str]:
    """The texts of a JSON-lines file; all of them are read before the first is answered."""
    try:
        content = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            "file",
            str(file),
            f"It cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}.",
        ) from error
    texts = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidInput(
                f"{file} line {number}", line[:80], 'Write one JSON object a line with "text".'
            ) from error
        if not isinstance(text, str):
            raise InvalidInput(f"{file} line {number} text", text, "Make it a string.")
        texts.append(text.encode("utf-8", "replace").decode("utf-8"))
    return texts
