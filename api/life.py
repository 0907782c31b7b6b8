"""The bank's life in the background: dispatching, looks at experiments, the demo's customers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from smart_reach.api.delivering import build_dispatcher
from smart_reach.api.stream import Hub
from smart_reach.engine.catalog.words import WINDOWS
from smart_reach.engine.decisioning.contact.ledger import ContactLedger
from smart_reach.engine.delivery.loopback import LoopbackConnector
from smart_reach.engine.delivery.pending import LakeWriter, flush_events
from smart_reach.engine.demo.live import LiveBank
from smart_reach.engine.errors import Conflict, NotFound, SmartReachError
from smart_reach.engine.governance.anchors import anchor_day
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.reading import expire_overdue
from smart_reach.engine.governance.roles import ActorLike, require
from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.ports import Progress, silent
from smart_reach.engine.state.base import transaction
from smart_reach.tools.context import Services

log = logging.getLogger(__name__)
TICK_S = 2.0
LOOK_S = 20.0
DEMO = "demo-bank"
ADVANCE_LOCK = 726_417_009
ZONE = "Europe/Lisbon"


def next_window(now: datetime, zone: str = ZONE) -> datetime:
    """When the next window opens in the bank's own zone, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    starts = [
        datetime.combine(local.date() + timedelta(days=day), window.start, tzinfo=local.tzinfo)
        for day in (0, 1)
        for window in WINDOWS.values()
    ]
    return min(start for start in starts if start > local).astimezone(UTC)


class BankLife:
    """Ticks while the cockpit is open; time can be let pass in bigger steps, one run at a time."""

    def __init__(self, services: Services, hub: Hub) -> None:
        ws = services.workspace
        self._services = services
        self._hub = hub
        self._ws = ws
        self._clock = ws.clock
        self._dispatcher = build_dispatcher(ws)
        self._lake = LakeWriter(ws)
        demo = ws.info("kind") == DEMO
        inbox, contacts = LoopbackConnector(ws.db, ws.clock).since, ContactLedger(ws.clock)
        self._bank = LiveBank(ws, inbox, on_sent=contacts.backfill) if demo else None
        self._busy = threading.Lock()
        self._stop = threading.Event()
        self._progress: dict[str, Any] | None = None
        self._looked = 0.0
        self._sent = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Tick on a thread of its own until the block ends."""
        thread = threading.Thread(target=self._live, name="bank-life", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=20)

    def state(self) -> dict[str, Any]:
        """The clock, and how far a run of days has come."""
        now = self._clock.now()
        return {"now": now, "running": self._progress is not None, **(self._progress or {})}

    def start_advance(self, user: ActorLike, *, days: int | None) -> None:
        """Let days, or the time to the next window, pass on a thread; `Conflict` while a run is under way."""
        require(user, "demo.advance")
        self._demo_bank()
        if self._progress is not None or not self._busy.acquire(timeout=2):
            raise Conflict("Time is already passing.", hint="Wait until the progress bar is done.")
        self._report(0.0, "starting")
        threading.Thread(target=self._advance_and_release, args=(days,), name="advance", daemon=True).start()

    def advance(self, days: int, progress: Progress = silent) -> dict[str, Any]:
        """Let days pass now; returns what happened."""
        with self._busy:
            return self._advance(self._clock.now() + timedelta(days=days), progress)

    def _advance_and_release(self, days: int | None) -> None:
        try:
            now = self._clock.now()
            until = now + timedelta(days=days) if days else next_window(now)
            self._advance(until, self._report)
        except SmartReachError as error:
            log.error("time could not pass: %s", error.message)
        finally:
            self._progress = None
            self._busy.release()
            self._hub.publish("clock", {**self.state(), "progress": 1.0, "doing": "done"})
            self._hub.publish("overview", {})
            self._hub.publish("delivery", {})

    def _demo_bank(self) -> LiveBank:
        if self._bank is None:
            raise NotFound("Only the demo bank can play the future.", hint="Open the workspace `demo`.")
        return self._bank

    def _advance(self, until: datetime, progress: Progress) -> dict[str, Any]:
        before, self._sent = self._clock.now(), 0
        with self._alone():
            after = self._demo_bank().advance(until=until, step=self._step, progress=progress)
        self._settle()
        looks = self._services.experiments.look_all()
        proposed = [look.proposal_id for look in looks if look.proposal_id]
        return {"from": before, "to": after, "sent": self._sent, "proposed": proposed}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time lets time pass: two would move the clock under each other's dispatch."""
        with self._ws.db.connect() as guard:
            if not guard.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVANCE_LOCK}):
                raise Conflict("Another process is letting time pass.", hint="Wait until it is done.")
            try:
                yield
            finally:
                guard.scalar(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVANCE_LOCK})

    def _step(self, at: datetime) -> None:
        """What happens within each simulated hour: messages that are due go out; once a day, a look."""
        self._drain()
        if at.hour == 0:
            self._settle()
            self._services.experiments.look_all()

    def _drain(self) -> None:
        while (report := self._dispatcher.run_once(500)).handled:
            self._sent += report.sent + report.recovered

    def _settle(self) -> None:
        while flush_events(self._ws.db, self._lake):
            pass
        rollups.refresh(self._ws.lake, force=False)

    def _report(self, share: float, doing: str) -> None:
        self._progress = {"progress": share, "doing": doing}
        self._hub.publish("clock", self.state())

    def _live(self) -> None:
        while not self._stop.wait(TICK_S):
            if not self._busy.acquire(blocking=False):
                continue
            try:
                self._tick()
            except Exception:
                # the next tick tries again; whatever was half done is repeated idempotently
                log.exception("a tick of the bank failed")
            finally:
                self._busy.release()

    def _tick(self) -> None:
        sent, flushed = self._dispatcher.run_once(500).handled, flush_events(self._ws.db, self._lake)
        answered = self._bank.tick().written if self._bank else 0
        if sent:
            self._hub.publish("delivery", {"sent": sent})
        if answered or flushed:
            rollups.refresh(self._ws.lake, force=False)
            self._hub.publish("overview", {"events": answered + flushed})
        if time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            self._services.experiments.look_all()
            self._expire()
            with transaction(self._ws.db) as session:
                anchor_day(session, self._clock.now().date(), self._ws.settings.secret_key().encode())

    def _expire(self) -> None:
        """Proposals past their deadline; a promotion that nobody answered lets its test go on."""
        proposals = self._services.proposals
        for proposal_id in expire_overdue(self._ws.db, self._clock, Ledger(self._clock).append):
            proposal = proposals.get(proposal_id)
            if hook := proposals.on_rejected.get(proposal.kind):
                with transaction(self._ws.db) as session:
                    hook(session, proposal)
            self._hub.publish("proposal", {"id": proposal_id})
