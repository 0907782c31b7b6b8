"""A file into a workspace: a try that writes nothing, or for good; killed midway, it goes on there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smart_reach.api.ingesting import build_ingester, settle
from smart_reach.engine.clock import SystemClock
from smart_reach.engine.errors import Conflict, InvalidInput, SmartReachError, Unavailable
from smart_reach.engine.events.contracts.validate import Checked, Refused, validate, validate_table
from smart_reach.engine.events.ingest.trouble import OUTSIDE, state_of
from smart_reach.engine.events.retrying import keep_mapping
from smart_reach.engine.events.sources.files import FileSource, LinesSource
from smart_reach.engine.events.sources.mapping import FileFormat, FileMapping, plain_mapping
from smart_reach.engine.events.sources.rows import format_of, open_reader
from smart_reach.engine.events.sources.source import Batch, Place
from smart_reach.engine.ports import Progress, silent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

OWN_DATA = "own-data"
_TRIED = 1_000
_SHOWN = 10
_SAMPLES = 5
_STEP = 50_000

FileLike = FileSource | LinesSource


def file_source(path: Path, mapping: FileMapping | None, contract: str | None) -> FileLike:
    """The file as a source. Raises `InvalidInput` for a file or a column that is not there."""
    if not path.is_file():
        raise InvalidInput("file", str(path), "There is no such file.")
    if mapping is not None:
        return FileSource(path, mapping)
    if format_of(path) == "jsonl":
        return LinesSource(path, contract)
    if contract is None:
        remedy = "Say what the rows are: --mapping FILE, or --type CONTRACT when columns are named as fields."
        raise InvalidInput("mapping", None, remedy)
    return FileSource(path, plain_mapping(contract, open_reader(path, FileFormat()).schema.names))


def try_file(source: FileLike, rows: int | None = None) -> dict[str, Any]:
    """What would come of the file (or its first rows): counts per contract, first errors, samples."""
    at = SystemClock().now()
    counts: Counter[str] = Counter()
    errors: list[dict[str, Any]] = []
    samples: list[dict[str, Any]] = []
    refused = 0
    source.open(dict)
    while (batch := source.poll(rows or _STEP, 0)) is not None:
        for place, one in batch.refused:
            refused += 1
            _tell(errors, place, one)
        for contract, checked, places in _checked(batch, source.name, at):
            counts[contract] += checked.events.num_rows
            refused += len(checked.refused)
            for one in checked.refused[:_SHOWN]:
                _tell(errors, places[one.row], one)
            samples += _samples(checked, 1 if batch.columns else _SAMPLES)
        if rows is not None:
            break
    source.close()
    return {
        "records": dict(counts),
        "refused": refused,
        "skipped": dict(source.skipped),
        "errors": errors,
        "samples": samples[:_SAMPLES],
        "broken_off": source.broken_off.message if source.broken_off else None,
    }


def _checked(batch: Batch, name: str, at: datetime) -> Iterator[tuple[str, Checked, Any]]:
    for part in batch.columns:
        found = validate_table(part.table, part.contract, source=name, received_at=at)
        yield part.contract, found, part.places
    if batch.lines:
        found = validate(batch.lines, source=name, received_at=at, default_type=batch.default_type)
        yield "records", found, batch.places


def _tell(errors: list[dict[str, Any]], place: Place, one: Refused) -> None:
    if len(errors) < _SHOWN:
        row = int(place[1].partition("#")[0]) + 1
        told = {"contract": one.contract, "field": one.field, "value": one.value}
        errors.append({"row": row, **told, "reason": one.reason, "remedy": one.remedy})


def _samples(checked: Checked, most: int) -> list[dict[str, Any]]:
    rows = checked.events.slice(0, max(0, most)).to_pylist()
    hidden = ("row", "machine", "received_at", "source", "key_value", "keys")
    return [
        {name: value for name, value in row.items() if value is not None and name not in hidden}
        for row in rows
    ]


def check_start(source: FileLike) -> None:
    """Refuse a file of whose first thousand rows nothing could be used: the mapping does not fit it."""
    found = try_file(source, _TRIED)
    if found["records"] or not found["errors"]:
        return
    first = found["errors"][0]
    remedy = f"{first['reason']} {first['remedy']} Nothing of the first rows could be used; try --dry-run."
    raise InvalidInput(f"{source.path.name}, row {first['row']}, {first['field']}", first["value"], remedy)


def ingest_file(
    ws: Workspace,
    source: FileLike,
    mapping: FileMapping | None = None,
    progress: Progress = silent,
    *,
    again: bool = False,
) -> dict[str, Any]:
    """Bring the file in, from where an earlier run was stopped. The same file twice changes nothing.

    Raises `Conflict` when the file came in through another mapping, unless `again`; `InvalidInput` at the
    end for a file that breaks off: what was whole is kept.
    """
    began = time.monotonic()
    _check_again(ws, source, again)
    name = _prepare(ws, source, mapping)
    ingester = build_ingester(ws, source, bulk=True, mapping=name)
    totals: Counter[str] = Counter()
    with _told():
        try:
            while True:
                report = ingester.step()
                for field in ("records", "written", "duplicates", "refused", "left_out"):
                    totals[field] += getattr(report, field)
                if report.snapshot is None and source.finished():
                    break
                progress(_share(source), f"{totals['records']:,} records")
        finally:
            ingester.close()
        progress(0.97, "bringing figures up to date")
        settle(ws)
        _remember_end(ws)
    took = time.monotonic() - began
    if source.broken_off is not None:
        raise source.broken_off
    progress(1.0, "done")
    rate = round(totals["records"] / took) if took else 0
    return {
        "file": source.path.name,
        "digest": source.digest,
        **{field: totals[field] for field in ("written", "duplicates", "refused", "left_out")},
        "skipped": dict(source.skipped),
        "seconds": round(took, 1),
        "records_per_s": rate,
        "already": totals["records"] == 0,
    }


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong outside, above all a full disk, in words; what was committed stays."""
    try:
        yield
    except SmartReachError:
        raise
    except OUTSIDE as error:
        again = "Run the same command again then: it goes on where this one stopped."
        raise Unavailable(state_of(error)[1], hint=again) from error


def _check_again(ws: Workspace, source: FileLike, again: bool) -> None:
    sealed = ws.lake.positions(source.name).get(source.name, {})
    if sealed and source.partition not in sealed and not again:
        raise Conflict(
            f"{source.path.name} came in before, through another mapping.",
            hint="With --again its rows come in through this one; ids of the last seven days are dropped.",
        )


def _prepare(ws: Workspace, source: FileLike, mapping: FileMapping | None) -> str | None:
    """Say what the workspace is, unless it is something already; returns the mapping's name for retries."""
    if ws.info("kind") is None:
        ws.set_info("source_file", source.path.name)
        begin_own_data(ws, mapping.workspace if mapping else {})
    ws.set_info(f"source:{source.name}", source.path.name)
    if mapping is None:
        return None
    with transaction(ws.db) as session:
        return keep_mapping(session, mapping)


def begin_own_data(ws: Workspace, facts: Mapping[str, str]) -> None:
    """Say of an empty workspace that it is for records of one's own; it lives by the system's clock."""
    ws.clock = SystemClock()
    for name, value in facts.items():
        ws.set_info(name, value)
    ws.set_info("kind", OWN_DATA)


def _share(source: FileLike) -> float:
    status = source.status()[0]
    return 0.95 * status["position"] / status["end"] if status["end"] else 0.5


def _remember_end(ws: Workspace) -> None:
    """The figures of a workspace of one's own end where its data ends."""
    from smart_reach.engine.lakehouse.schemas import EVENTS

    if ws.info("kind") != OWN_DATA or not ws.lake.files(EVENTS):
        return
    with ws.lake.connect(tables=(EVENTS,)) as connection:
        until, currency = connection.execute(
            "SELECT max(occurred_at), mode(currency) FROM events"
        ).fetchall()[0]
    if until:
        ws.set_info("data_until", until.astimezone(UTC).isoformat())
    if currency and ws.info("currency") is None:  # a file without a mapping does not say
        ws.set_info("currency", currency)
