"""What the composer plugs into an ingester; each stage has a default that passes events through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from smart_reach.engine.events.ingest.letters import Letter

KEYS = ("key_kind", "key_value")


@dataclass(frozen=True)
class Committed:
    """One batch that is in the lake. `events`: the new rows, all event columns; `snapshot` holds them."""

    source: str
    events: pa.Table
    snapshot: int
    received_at: datetime
    duplicates: int
    refused: int


def drop_keys(events: pa.Table) -> pa.Table:
    """No identity: only events that name their customer themselves can be used."""
    return events.drop_columns([name for name in KEYS if name in events.schema.names])


def nothing(events: pa.Table) -> None:
    """No projections."""


def unnoticed(point: str) -> None:
    """The default probe; fault tests plug in one that kills the process."""


@dataclass(frozen=True)
class Stages:
    """The steps between validation and the seal.

    `resolve`: gets the event columns with `key_kind`, `key_value` and `row`; returns them without the keys
    and with `customer_id` filled. It may leave rows out (erased people). A row whose customer stays null
    is refused. It may be called again for the same events, and while an earlier batch is being committed
    by another thread.
    `note`: keeps refused records (None: the table of dead letters).
    `project`: effects outside the lake of the rows that are about to be written; called in the lake's
    writer lock, before the seal, so it must be idempotent: a crash calls it again with the same rows.
    `localise`: then fills `local_hour` and `local_weekday` (None: from the customers' zones in PostgreSQL).
    `on_committed`: told after the seal; an error there is noted and loses nothing. A crash may skip it.
    `probe`: told the name of each point that is passed.
    """

    resolve: Callable[[pa.Table], pa.Table] = drop_keys
    localise: Callable[[pa.Table], pa.Table] | None = None
    project: Callable[[pa.Table], object] = nothing
    note: Callable[[str, Sequence[Letter], datetime], None] | None = None
    on_committed: Sequence[Callable[[Committed], object]] = ()
    probe: Callable[[str], None] = unnoticed
