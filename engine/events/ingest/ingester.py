"""One source into the lake, exactly once.

A step reads a batch, prepares it, and commits it with the source's positions in one snapshot. Whatever
goes wrong before the seal leaves only what the next attempt does again: the ingester rewinds the source to
what the lake holds. Effects outside the lake (customers, consents, dead letters) come right before the
seal, in the lake's writer lock, and are idempotent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import SmartReachError, Unavailable
from smart_reach.engine.events.ingest.letters import Letter, note_letters, take_back
from smart_reach.engine.events.ingest.localise import Zones
from smart_reach.engine.events.ingest.prepare import DATA_ERRORS, Prepared, Preparer, raw_of
from smart_reach.engine.events.ingest.stages import Committed, Stages
from smart_reach.engine.events.ingest.status import Counts, StatusKeeper
from smart_reach.engine.events.ingest.trouble import OUTSIDE, state_of
from smart_reach.engine.events.sources.source import Batch, Source
from smart_reach.engine.events.writer import EventWriter, Sifted, Written

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

_FIRST_LIMIT, _LEAST, _MOST = 20_000, 1_000, 200_000
_SLOW_S, _QUICK_S = 3.0, 1.0
_BUSY = 5_000  # after a batch of so many the next one is read while it is committed
_GATHER_S = 0.8  # how long records are gathered at low rates: an event is committed about a second later
_LONGEST_WAIT_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepReport:
    """What a step did; all zero when nothing came. `left_out`: of erased people."""

    records: int = 0
    written: int = 0
    duplicates: int = 0
    refused: int = 0
    left_out: int = 0
    snapshot: int | None = None


@dataclass(frozen=True)
class _Reading:
    """A batch as it came, what became of it, and when it was received."""

    batch: Batch
    prepared: Prepared
    at: datetime


class Ingester:
    """Moves one source. One thread uses it; several ingesters, also in other processes, may run at once."""

    def __init__(
        self, workspace: Workspace, source: Source, stages: Stages | None = None, clock: Clock | None = None
    ) -> None:
        self.source = source
        self._stages = stages or Stages()
        self._lake, self._db = workspace.lake, workspace.db
        self._clock = clock or workspace.clock
        self._writer = EventWriter(self._lake)
        self._localise = self._stages.localise or Zones(self._db)
        self._preparer = Preparer(source.name, self._stages)
        self._urgent = source.kind != "file"  # nobody waits for one row of a file: only throughput counts
        self.limit = _FIRST_LIMIT if self._urgent else _MOST  # records a batch; adapts itself
        self._opened = self._astray = False
        self._reader: ThreadPoolExecutor | None = None
        self._ahead: Future[_Reading | None] | None = None
        self._to_tell: dict[str, int] = {}
        self.status = StatusKeeper(self._db, self._clock, source.name, source.kind, source.status)

    def step(self, timeout_s: float = _GATHER_S) -> StepReport:
        """Read, prepare and commit one batch. Raises what went wrong outside; calling again goes on right."""
        self._stand()
        ahead, self._ahead = self._ahead, None
        reading = self._read(timeout_s) if ahead is None else ahead.result()
        if reading is None:
            self.status.tell("finished" if self.source.finished() else "running")
            return StepReport()
        began = time.monotonic()
        self._astray = True  # until the seal
        if reading.batch.records >= _BUSY:
            self._reader = self._reader or ThreadPoolExecutor(1, f"ingest-{self.source.name}")
            self._ahead = self._reader.submit(self._read, timeout_s)
        written = self._commit(reading)
        self._astray = False
        self._after(reading, written)
        batch, refused = reading.batch, len(reading.prepared.letters) + written.clashes
        self._adapt(batch.records, time.monotonic() - began)
        left_out = batch.records - written.rows - written.duplicates - refused
        return StepReport(
            batch.records, written.rows, written.duplicates, refused, left_out, written.snapshot
        )

    def run(self, stop: threading.Event) -> None:
        """Step until told to stop or the source is finished; say what is wrong, wait and try again."""
        wait = 0.25
        try:
            while not stop.is_set() and not self._done():
                try:
                    report = self.step()
                    wait = 0.25 if report.records else wait
                except (SmartReachError, *OUTSIDE, *DATA_ERRORS) as error:
                    self._trouble(error)
                    stop.wait(wait)
                    wait = min(_LONGEST_WAIT_S, wait * 2)
        finally:
            self.close()

    def close(self) -> None:
        """Close the source and say so."""
        self._drop_ahead()
        if self._opened and not self._astray:
            self._tell_source()
        if self._reader is not None:
            self._reader.shutdown()
            self._reader = None
        state = "finished" if self._done() else "stopped"
        self.source.close()
        self._opened = False
        try:
            self.status.tell(state)
        except OUTSIDE as error:
            log.warning("The status of %s was not written: %s", self.source.name, error)

    def _stand(self) -> None:
        """Open the source, or after a failure stand again where the lake's newest snapshot says."""
        if self._opened and not self._astray:
            return
        self._drop_ahead()
        if self._opened:
            self.source.rewind(self._resume())
        else:
            self.source.open(self._resume)
            self._opened = True
        self._astray = False

    def _resume(self) -> Mapping[str, int]:
        return self._lake.positions(self.source.name).get(self.source.name, {})

    def _done(self) -> bool:
        return self._opened and not self._astray and self._ahead is None and self.source.finished()

    def _read(self, timeout_s: float) -> _Reading | None:
        """The next batch, prepared; runs in the reader's thread while an earlier one is committed."""
        self._tell_source()
        batch = self.source.poll(self.limit, timeout_s)
        if batch is None:
            return None
        self._stages.probe("polled")
        at = batch.received_at or self._clock.now()
        prepared = self._preparer.prepare(batch, at)
        self._stages.probe("prepared")
        return _Reading(batch, prepared, at)

    def _tell_source(self) -> None:
        told, self._to_tell = self._to_tell, {}
        if told:
            self.source.sealed(told)

    def _drop_ahead(self) -> None:
        """Forget what was read ahead of a batch that failed."""
        if self._ahead is not None:
            wait([self._ahead])
            self._ahead = None

    def _commit(self, reading: _Reading) -> Written:
        batch, prepared = reading.batch, reading.prepared

        def before_seal(sifted: Sifted) -> pa.Table:
            take_back(self._db, self.source.name, batch.start, batch.next)  # what a crash left
            self._stages.probe("locked")
            clashes = [_reused_id(batch, prepared, row) for row in sifted.clashes]
            if letters := prepared.letters + clashes:
                self._note(letters, reading.at)
            self._stages.probe("noted")
            if sifted.rows.num_rows:
                self._stages.project(sifted.rows)
            self._stages.probe("projected")
            return self._localise(sifted.rows)

        written = self._writer.commit(
            prepared.events,
            source=self.source.name,
            positions=batch.next,
            expected=batch.start,
            before_seal=before_seal,
        )
        self._stages.probe("sealed")
        return written

    def _note(self, letters: list[Letter], received_at: datetime) -> None:
        if self._stages.note is not None:
            self._stages.note(self.source.name, letters, received_at)
        else:
            note_letters(self._db, self.source.name, letters, received_at)

    def _after(self, reading: _Reading, written: Written) -> None:
        refused = len(reading.prepared.letters) + written.clashes
        newest = pc.max(written.events["occurred_at"]).as_py() if written.rows else None
        self.status.count(Counts(written.rows, written.duplicates, refused, newest))
        self._to_tell |= reading.batch.next
        news = Committed(
            self.source.name, written.events, written.snapshot, reading.at, written.duplicates, refused
        )
        trouble = None
        for hook in self._stages.on_committed:
            try:
                hook(news)
            except (SmartReachError, *OUTSIDE) as error:  # the batch is safe; the hook catches up later
                trouble = state_of(error)[1]
                log.warning("After a commit of %s: %s", self.source.name, error)
        self._stages.probe("told")
        self.status.tell("running", trouble)

    def _trouble(self, error: BaseException) -> None:
        state, text = state_of(error)
        log.warning("%s: %s (%s)", self.source.name, text, error)
        self._astray = self._astray or not isinstance(error, Unavailable)  # then nothing was read
        try:
            self.status.tell(state, text)
        except OUTSIDE as second:
            log.warning("The status of %s was not written: %s", self.source.name, second)

    def _adapt(self, records: int, took_s: float) -> None:
        """Larger batches while they are quick, smaller ones when events would wait too long."""
        if took_s > _SLOW_S and self._urgent:
            self.limit = max(_LEAST, self.limit // 2)
        elif took_s < _QUICK_S and records >= self.limit:
            self.limit = min(_MOST, self.limit * 2)


def _reused_id(batch: Batch, prepared: Prepared, row: int) -> Letter:
    place, raw, size = raw_of(batch, int(prepared.rows[row]))
    return Letter(
        *place,
        reason="Same id, different content: an event with this id was received before.",
        remedy="Give every event an id of its own. The first one was kept.",
        raw=raw,
        size=size,
        record_id=prepared.events["event_id"][row].as_py(),
        customer_id=prepared.events["customer_id"][row].as_py(),
        field="event_id",
        value=prepared.events["event_id"][row].as_py(),
    )
