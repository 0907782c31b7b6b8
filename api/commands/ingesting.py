"""`ingest` and `listen`: data in, from files, HTTP and Kafka."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
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
from smart_reach.api.setup import progress_bar
from smart_reach.engine.errors import InvalidInput

SOURCES = ("bank-marketing", "events")


MappingOption = Annotated[
    Path | None, typer.Option("--mapping", "-m", help="How columns become records (YAML).")
]


def ingest(
    source: Annotated[str, typer.Argument(help="What the file is: events, or bank-marketing.")],
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSONL file; .gz too.")],
    mapping: MappingOption = None,
    contract: Annotated[
        str | None, typer.Option("--type", help="The contract of rows whose columns are named as its fields.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it; write nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Though it came in through another mapping.")
    ] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Bring a real file in, into a workspace of its own. Stopped midway, the same command goes on there."""
    with errors_as_exit_codes(as_json):
        if source not in SOURCES:
            raise InvalidInput("source", source, f"Use one of {', '.join(SOURCES)}.")
        if source == "bank-marketing":
            found = bank_marketing(file, workspace, as_json)
        else:
            found = events(file, mapping, contract, workspace, as_json, dry_run=dry_run, again=again)
    say(found, as_json=as_json, text=outline)


def bank_marketing(file: Path, workspace: str | None, quiet: bool) -> dict[str, Any]:
    from smart_reach.engine.events.bank.ingest import check_bank_file, ingest_bank_marketing
    from smart_reach.knowledge.seed import seed_catalog

    check_bank_file(file)  # a file that is refused makes no workspace
    with (
        opened(workspace or "bank-marketing", make=True) as ws,
        progress_bar("Ingest", quiet=quiet) as report,
    ):
        return asdict(ingest_bank_marketing(ws, file, report, seed_catalog))


def events(
    file: Path,
    mapping: Path | None,
    contract: str | None,
    workspace: str | None,
    quiet: bool,
    *,
    dry_run: bool,
    again: bool,
) -> dict[str, Any]:
    """Records of a file; the workspace is named like the mapping unless said."""
    from smart_reach.api.filing import check_start, file_source, ingest_file, try_file
    from smart_reach.engine.events.contracts.registry import require_contract
    from smart_reach.engine.events.sources.mapping import read_mapping

    if mapping is not None and contract is not None:
        raise InvalidInput("type", contract, "Give --mapping or --type, not both.")
    if contract is not None:
        require_contract(contract)
    rules = read_mapping(mapping) if mapping is not None else None
    source = file_source(file, rules, contract)
    if dry_run:
        return try_file(source)
    check_start(source)
    name = workspace or (rules.name if rules else "own-data")
    with opened(name, make=True) as ws, progress_bar("Ingest", quiet=quiet) as report:
        return ingest_file(ws, source, rules, report, again=again)


def listen(workspace: WorkspaceOption = None) -> None:
    """Read the HTTP inbox and Kafka (`SMART_REACH_KAFKA`) without the web server, until Ctrl+C."""
    import signal
    import sys
    import threading

    from smart_reach.api.ingesting import ingesting

    stop = threading.Event()
    with errors_as_exit_codes(), opened(workspace) as ws:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with ingesting(ws) as threads:
            names = ", ".join(thread.name.removeprefix("ingest-") for thread in threads)
            sys.stderr.write(f"▸ Listening to {names}. Stop with Ctrl+C.\n")
            stop.wait()
    sys.stderr.write("▸ Stopped. What was not committed is read again next time.\n")
