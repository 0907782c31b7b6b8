"""Brings the UCI bank-marketing file into an empty workspace, whole or not at all.

Each row is one customer and one telephone call about a term deposit:

- customer: PostgreSQL and the lake's customers table; nobody is held out.
- consent: the file says nothing of it. A call is none of the five channels, so decisions in this workspace
  are about SMS to the same telephone; consent for SMS alone is assumed, and its source says so.
- events: one `contact` without a channel, and one `conversion` when y is yes.
- features: what was known when the call began. `duration` is known only when it is over and decides the
  answer, so it is not kept as a feature.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Consent, Customer, Offer
from smart_reach.engine.errors import Conflict
from smart_reach.engine.events.bank.dates import ZONE, contact_times
from smart_reach.engine.events.bank.file import BankFile, read_bank_file
from smart_reach.engine.events.bulk import copy_rows
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.lakehouse.schemas import CUSTOMERS, FEATURES
from smart_reach.engine.ports import Progress, silent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

KIND = "bank-marketing"
OFFER_ID = "term-deposit"
DECISION_CHANNEL = "sms"
CONSENT_SOURCE = "assumed: the file records calls only; SMS stands in for the telephone"
_MARGIN_MINOR = 8_000
_BANDS = ((25, "18–24"), (35, "25–34"), (45, "35–44"), (55, "45–54"), (65, "55–64"), (999, "65+"))
_NUMBERS = ("emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed")
_ATTRIBUTES = ("age", "job", "marital", "education", "housing", "loan", "poutcome")


@dataclass(frozen=True)
class IngestReport:
    """What came in. `already`: the same file had been ingested before and nothing was changed."""

    file: str
    digest: str
    customers: int
    contacts: int
    conversions: int
    first_at: datetime
    last_at: datetime
    already: bool = False


def check_bank_file(path: Path) -> tuple[BankFile, list[datetime]]:
    """Read and check every cell and the order of dates; nothing is opened or written."""
    file = read_bank_file(path)
    return file, contact_times(file.name, file.columns["month"], file.columns["day_of_week"])


def ingest_bank_marketing(
    workspace: Workspace,
    path: Path,
    progress: Progress = silent,
    seed_catalog: Callable[[Session, datetime], object] | None = None,
) -> IngestReport:
    """Check every cell, then write. An error changes nothing; the same file twice changes nothing.

    `seed_catalog(session, at)` may write the terms of the offers; only the term deposit stays active.
    Raises `InvalidInput` (file, row, column, value, remedy) and `Conflict` when the workspace holds
    something else.
    """
    progress(0.0, "Checking the file")
    file, times = check_bank_file(Path(path))
    report = _report(file, times)
    if (kind := workspace.info("kind")) is not None:
        if kind == KIND and workspace.info("source_digest") == file.digest:
            progress(1.0, "This file is already here")
            return IngestReport(**{**report.__dict__, "already": True})
        raise Conflict(
            f"The workspace {workspace.name} already holds {workspace.info('source_file') or kind}.",
            hint="Ingest another file into another workspace: --workspace NAME.",
        )
    _clear(workspace)
    try:
        _write(workspace, file, times, progress, seed_catalog)
    except BaseException:
        _clear(workspace)
        raise
    workspace.set_info("source_file", file.name)
    workspace.set_info("source_digest", file.digest)
    workspace.set_info("data_until", times[-1].isoformat())
    workspace.set_info("kind", KIND)
    progress(1.0, "Done")
    return report


def _write(
    workspace: Workspace,
    file: BankFile,
    times: list[datetime],
    progress: Progress,
    seed_catalog: Callable[[Session, datetime], object] | None,
) -> None:
    ids = [f"cus_{number:06d}" for number in range(1, file.rows + 1)]
    progress(0.25, "Saving the catalogue")
    with transaction(workspace.db) as session:
        if seed_catalog is not None:
            seed_catalog(session, workspace.clock.now())
            session.flush()
        _one_offer(session)
    progress(0.3, "Saving customers")
    _save_customers(workspace, file, ids, times)
    workspace.lake.overwrite(CUSTOMERS, _customers(file, ids))
    progress(0.6, "Writing contacts and outcomes")
    EventWriter(workspace.lake).write(_events(file, ids, times), fresh=True)
    progress(0.9, "Writing features")
    workspace.lake.append(FEATURES, _features(file, ids, times))
    rollups.refresh(workspace.lake)


def _clear(workspace: Workspace) -> None:
    workspace.lake.clear()
    with transaction(workspace.db) as session:
        session.execute(delete(Consent))
        session.execute(delete(Customer))


def _one_offer(session: Session) -> None:
    """The term deposit alone is on sale, to everybody: the file knows no holdings to exclude by."""
    for offer in session.scalars(select(Offer)):
        offer.active = offer.id == OFFER_ID
        offer.eligibility = []
    if session.get(Offer, OFFER_ID) is None:
        session.add(Offer(id=OFFER_ID, name="Term deposit", category="savings", margin_minor=_MARGIN_MINOR))


def _save_customers(workspace: Workspace, file: BankFile, ids: list[str], times: list[datetime]) -> None:
    rows = zip(*(file.columns[name] for name in _ATTRIBUTES), strict=True)
    attributes = [json.dumps(dict(zip(_ATTRIBUTES, row, strict=True))) for row in rows]
    copy_rows(
        workspace.db,
        "customers",
        ("id", "zone", "language", "holdout", "attributes"),
        ((name, ZONE, "en", False, text) for name, text in zip(ids, attributes, strict=True)),
    )
    copy_rows(
        workspace.db,
        "consents",
        ("customer_id", "channel", "purpose", "granted", "changed_at", "source"),
        (
            (name, DECISION_CHANNEL, "marketing", True, at, CONSENT_SOURCE)
            for name, at in zip(ids, times, strict=True)
        ),
    )


def _customers(file: BankFile, ids: list[str]) -> pa.Table:
    columns = file.columns
    return pa.table(
        {
            "customer_id": ids,
            "zone": [ZONE] * file.rows,
            "age": pa.array(columns["age"], pa.int32()),
            "age_band": [_band(age) for age in columns["age"]],
            "job": columns["job"],
            "marital": columns["marital"],
            "education": columns["education"],
            "default_credit": columns["default"],
            "housing": columns["housing"],
            "loan": columns["loan"],
            "contact_type": columns["contact"],
            "poutcome": columns["poutcome"],
            "holdout": [False] * file.rows,
        }
    )


def _events(file: BankFile, ids: list[str], times: list[datetime]) -> pa.Table:
    calls = list(range(file.rows))
    bought = [row for row in calls if file.columns["y"][row] == "yes"]
    ends = [
        at + timedelta(seconds=spoken) for at, spoken in zip(times, file.columns["duration"], strict=True)
    ]
    return pa.concat_tables([_rows("contact", calls, ids, times), _rows("conversion", bought, ids, ends)])


def _rows(kind: str, rows: list[int], ids: list[str], times: list[datetime]) -> pa.Table:
    zone = ZoneInfo(ZONE)
    moments = [times[row] for row in rows]
    local = [moment.astimezone(zone) for moment in moments]
    stamp = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "event_id": [f"bm-{kind}-{row + 1:06d}" for row in rows],
            "customer_id": [ids[row] for row in rows],
            "kind": pa.array([kind] * len(rows), pa.string()),
            "occurred_at": pa.array(moments, stamp),
            "received_at": pa.array(moments, stamp),
            "offer_id": pa.array([OFFER_ID] * len(rows), pa.string()),
            "machine": pa.array([False] * len(rows), pa.bool_()),
            "local_hour": pa.array([moment.hour for moment in local], pa.int32()),
            "local_weekday": pa.array([moment.weekday() for moment in local], pa.int32()),
            "source": pa.array([KIND] * len(rows), pa.string()),
        }
    )


def _features(file: BankFile, ids: list[str], times: list[datetime]) -> pa.Table:
    columns: dict[str, Any] = {
        "customer_id": ids,
        "as_of": pa.array(times, pa.timestamp("us", tz="UTC")),
    }
    for name, values in file.columns.items():
        if name in {"duration", "y"}:
            continue
        title = "contact_type" if name == "contact" else name.replace(".", "_")
        kind = pa.float64() if name in _NUMBERS else None
        columns[title] = pa.array(values, kind)
    return pa.table(columns)


def _band(age: int) -> str:
    return next(label for limit, label in _BANDS if age < limit)


def _report(file: BankFile, times: list[datetime]) -> IngestReport:
    bought = sum(answer == "yes" for answer in file.columns["y"])
    return IngestReport(file.name, file.digest, file.rows, file.rows, bought, times[0], times[-1])
