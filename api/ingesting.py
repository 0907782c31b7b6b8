"""Composes ingesters: which stages a record passes, and which threads read which sources."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from smart_reach.engine.errors import SmartReachError
from smart_reach.engine.events.ingest.letters import note_letters
from smart_reach.engine.events.ingest.stages import Committed, Stages
from smart_reach.engine.events.ingest.trouble import OUTSIDE

if TYPE_CHECKING:
    from smart_reach.api.stream import Hub
    from smart_reach.engine.events.ingest.ingester import Ingester
    from smart_reach.engine.events.sources.source import Source
    from smart_reach.engine.workspace import Workspace

log = logging.getLogger(__name__)
_AGAIN_S = 5.0
_IDLE_S = 5.0
_LOOK_S = 60.0
_FEATURES_DAILY, _FEATURES_PAUSE = timedelta(days=1), timedelta(minutes=10)
# The customers of a larger batch are brought up to date by the next full refresh of the features.
_MOST_CUSTOMERS_LIVE = 5_000


def build_ingester(
    ws: Workspace, source: Source, hub: Hub | None = None, *, bulk: bool = False, mapping: str | None = None
) -> Ingester:
    """An ingester with every stage: identity, zones, projections, dead letters, what follows a commit.

    `bulk`: what follows commits is left to `settle` at the end. `mapping`: what dead letters of a file
    are retried with.
    """
    from smart_reach.engine.events.ingest.ingester import Ingester

    return Ingester(ws, source, build_stages(ws, hub, bulk=bulk, mapping=mapping))


def build_stages(
    ws: Workspace, hub: Hub | None = None, *, bulk: bool = False, mapping: str | None = None
) -> Stages:
    """The stages between validation and the seal, for one ingester: they remember, so none is shared."""
    from smart_reach.engine.catalog.identity.people import DEFAULT_ZONE
    from smart_reach.engine.catalog.identity.resolver import Resolver, resolving
    from smart_reach.engine.decisioning.contact.ledger import ContactLedger
    from smart_reach.engine.events.ingest.localise import Zones
    from smart_reach.engine.events.ingest.projections import Projector

    zone = ws.info("zone") or DEFAULT_ZONE
    resolver = Resolver(ws.settings.secret_key().encode(), default_zone=zone)
    projector = Projector(ws.db, default_zone=zone, on_sent=ContactLedger(ws.clock).backfill)
    return Stages(
        resolve=resolving(ws.db, resolver),
        localise=Zones(ws.db, zone),
        project=projector,
        note=partial(note_letters, ws.db, mapping=mapping),
        on_committed=() if bulk else hooks(ws, hub),
    )


def hooks(ws: Workspace, hub: Hub | None) -> tuple[Callable[[Committed], object], ...]:
    """What follows a commit: rollup, open pages, customers table, online features. Each may fail alone."""
    from smart_reach.engine.events.ingest.customers_table import CustomersTable
    from smart_reach.engine.lakehouse.rollups import refresh

    def rollup(news: Committed) -> None:
        refresh(ws.lake, force=False)

    def tell(news: Committed) -> None:
        if hub is not None and news.events.num_rows:
            hub.publish("overview", {"events": news.events.num_rows})

    return (rollup, tell, CustomersTable(ws), online_features(ws))


def online_features(ws: Workspace) -> Callable[[Committed], None]:
    """Brings the customers of a commit up to date in the online store."""
    from smart_reach.engine.features.store import FeatureStore

    store = FeatureStore(ws)

    def apply(news: Committed) -> None:
        touched = len(news.events["customer_id"].unique())
        if 0 < touched <= _MOST_CUSTOMERS_LIVE and ws.info("kind") is not None:
            store.apply(news.events)

    return apply


def settle(ws: Workspace) -> None:
    """What hooks would have done, once, after a bulk load: rollup, customers table, features."""
    from smart_reach.engine.events.ingest.customers_table import refresh_customers
    from smart_reach.engine.features.store import FeatureStore
    from smart_reach.engine.lakehouse.rollups import refresh
    from smart_reach.engine.lakehouse.schemas import EVENTS

    refresh(ws.lake)
    refresh_customers(ws)
    if ws.info("kind") == "own-data" and ws.lake.files(EVENTS):
        FeatureStore(ws).refresh()


def sources(ws: Workspace) -> list[Source]:
    """The sources that are always read: the HTTP inbox, and Kafka when `SMART_REACH_KAFKA` is set."""
    from smart_reach.engine.events.sources.inbox import InboxSource
    from smart_reach.engine.events.sources.kafka_settings import KafkaSettings

    found: list[Source] = [InboxSource(ws.db, ws.clock)]
    if (settings := KafkaSettings.from_env()) is not None:
        from smart_reach.engine.events.sources.kafka import KafkaSource

        found.append(KafkaSource(settings))
    return found


@contextmanager
def ingesting(ws: Workspace, hub: Hub | None = None) -> Iterator[list[IngestThread]]:
    """Read every source on a thread of its own, and keep the lake in order, until the block ends."""
    stop = threading.Event()
    threads = [IngestThread(ws, source, hub, stop) for source in sources(ws)]
    upkeep = threading.Thread(target=keep_in_order, args=(ws, stop), name="lake-upkeep", daemon=True)
    for thread in (*threads, upkeep):
        thread.start()
    try:
        yield threads
    finally:
        stop.set()
        for thread in (*threads, upkeep):
            thread.join(timeout=20)


class IngestThread(threading.Thread):
    """Runs one source. The ingester waits out what is wrong outside; a fault of ours starts it anew."""

    def __init__(self, ws: Workspace, source: Source, hub: Hub | None, stop: threading.Event) -> None:
        super().__init__(name=f"ingest-{source.name}", daemon=True)
        self._ws, self._source, self._hub, self._stop_all = ws, source, hub, stop

    def run(self) -> None:
        while not self._stop_all.is_set():
            try:
                build_ingester(self._ws, self._source, self._hub).run(self._stop_all)
            except Exception:
                # nothing is lost: the next run continues where the lake's newest snapshot says
                log.exception("the ingester of %s failed", self._source.name)
                self._stop_all.wait(_AGAIN_S)


def keep_in_order(ws: Workspace, stop: threading.Event) -> None:
    """Compact, expire and sweep when it is due; compute the features anew when they are."""
    from smart_reach.engine.features.store import FeatureStore
    from smart_reach.engine.lakehouse.maintenance import due, maintain

    look_at = 0.0
    while not stop.wait(_IDLE_S):
        try:
            if due(ws.lake):
                maintain(ws.lake)
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _LOOK_S
                if features_due(ws):
                    FeatureStore(ws).refresh()
        except (SmartReachError, *OUTSIDE) as error:
            log.warning("the lake could not be put in order: %s", error)
            stop.wait(60)


def features_due(ws: Workspace) -> bool:
    """Whether the features of records of one's own are a day old, or miss a fifth of the customers.

    Between two computations the online store follows the events by itself; the pages' distributions, and
    what only time changes ("days since active"), need this. The demo bank does it in its own night.
    """
    from smart_reach.engine.lakehouse.schemas import CUSTOMERS, EVENTS, FEATURES

    if ws.info("kind") != "own-data" or ws.lake.snapshot_id(CUSTOMERS) is None:
        return False
    customers = ws.lake.snapshots(CUSTOMERS)[-1].rows
    if ws.lake.snapshot_id(FEATURES) is None:
        return customers > 0
    computed = [one for one in ws.lake.snapshots(FEATURES) if one.operation == "append"]
    if not computed:  # an erasure or an expiry left none that says when
        return True
    age = ws.lake.snapshots(EVENTS)[-1].at - computed[-1].at
    return age > _FEATURES_DAILY or (age > _FEATURES_PAUSE and customers > 1.2 * computed[-1].added_rows)
