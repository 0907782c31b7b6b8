"""What every source of events is to the ingester: numbered records that can be read again from a number.

A source has partitions (a Kafka partition, the inbox, a file) and each record a position in one of them.
The lake's newest snapshot holds, beside the data, the position from which each partition continues
(`lake.positions()[source.name]`). So nothing is acknowledged at the source: after a crash, a lost race or
a full disk the ingester rewinds to what the lake holds and reads again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypedDict

import pyarrow as pa

if TYPE_CHECKING:
    from smart_reach.engine.events.contracts.validate import Refused

# (partition, position) of one record. The position starts with the whole number that positions in the
# lake count (`17`, or `17.3` for line 3 of request 17); what follows the first dot or `#` is the source's.
Place = tuple[str, str]
# Asks the lake where each partition continues; a partition it does not know starts at its beginning.
Resume = Callable[[], Mapping[str, int]]


@dataclass(frozen=True)
class Columns:
    """Records that are columns already (files): named as the contract's fields; `places` row by row."""

    contract: str
    table: pa.Table
    places: Sequence[Place]


@dataclass(frozen=True)
class Batch:
    """Records in the order they came, and where the partitions stand before and after them.

    `start`: what the lake must hold for the partitions in `next`, or the batch is stale (missing: nothing
    yet). `next`: where they continue once the batch is sealed. `lines` (JSON objects, with `places` line by
    line) or `columns`, or both empty when only positions move. `refused`: records that the source itself
    could not read (a mapping's errors), with their places. `received_at`: None means now.
    """

    start: Mapping[str, int]
    next: Mapping[str, int]
    lines: Sequence[bytes] = ()
    places: Sequence[Place] = ()
    columns: Sequence[Columns] = ()
    refused: Sequence[tuple[Place, Refused]] = field(default=())
    received_at: datetime | None = None
    default_type: str | None = None

    @property
    def records(self) -> int:
        rows: int = sum(part.table.num_rows for part in self.columns)
        return len(self.lines) + rows + len(self.refused)


class PartitionStatus(TypedDict):
    """`position`: the next record; `end`: one after the last; `lag`: records between (None: unknown)."""

    partition: str
    position: int
    end: int | None
    lag: int | None


class Source(Protocol):
    """A source of events. Used by one thread; only `status` may be called from others."""

    @property
    def name(self) -> str:
        """Key of its positions in the lake and of its row in `sources`; also the events' `source`."""

    @property
    def kind(self) -> str:
        """kafka | inbox | file"""

    def open(self, resume: Resume) -> None:
        """Connect and stand where `resume()` says; it is asked again whenever partitions are assigned."""

    def poll(self, limit: int, timeout_s: float) -> Batch | None:
        """At most `limit` records; waits up to `timeout_s` to gather them. None: nothing came.

        Raises `Unavailable` while it cannot be reached; the next call tries again.
        """

    def rewind(self, positions: Mapping[str, int]) -> None:
        """Stand at these positions again (partitions not named: at their beginning)."""

    def sealed(self, positions: Mapping[str, int]) -> None:
        """A snapshot holds everything before these positions: clear it, or tell the broker. Never needed
        for correctness; may be skipped by a crash."""

    def finished(self) -> bool:
        """Whether no record will ever follow (a file at its end)."""

    def status(self) -> list[PartitionStatus]:
        """Where each partition stands."""

    def close(self) -> None:
        """Give everything back."""
