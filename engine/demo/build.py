"""Builds the demo bank: customers, ninety days of history, features. Seeded; everything is labelled demo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.activity import Activity
from smart_reach.engine.demo.simulation.campaigns import plan
from smart_reach.engine.demo.simulation.history import Past, Simulation
from smart_reach.engine.demo.simulation.population import Array, Population, make_population
from smart_reach.engine.demo.simulation.rows import RowBuilder
from smart_reach.engine.demo.simulation.truth import POPULATION_FILE
from smart_reach.engine.demo.simulation.zones import DAY, LocalTime
from smart_reach.engine.demo.store import clear, customers_table, save_customers, save_past
from smart_reach.engine.errors import Conflict, InvalidInput
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.lakehouse.schemas import CUSTOMERS
from smart_reach.engine.ports import Progress, silent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

KIND = "demo-bank"
SeedCatalog = Callable[[Session, datetime], object]


@dataclass(frozen=True)
class DemoReport:
    """What was built."""

    customers: int
    events: int
    campaigns: int
    conversions: int
    feature_rows: int


def build_demo(
    workspace: Workspace,
    *,
    seed_catalog: SeedCatalog,
    customers: int = 20_000,
    days: int = 90,
    seed: int = 7,
    progress: Progress = silent,
) -> DemoReport:
    """Fill an empty workspace; the history ends at the clock's now.

    `seed_catalog(session, at)` writes offers and terms. A build that was interrupted is cleared away and
    done again; `Conflict` when the workspace already holds a bank.
    """
    if not 50 <= customers <= 900_000:
        raise InvalidInput("customers", customers, "Use 50 to 900000.")
    if not 15 <= days <= 365:
        raise InvalidInput("days", days, "Use 15 to 365.")
    if (kind := workspace.info("kind")) is not None:
        raise Conflict(f"The workspace {workspace.name} already holds a {kind} workspace.")
    progress(0.0, "Preparing the catalogue")
    clear(workspace)
    now = workspace.clock.now()
    with transaction(workspace.db) as session:
        seed_catalog(session, now)
    start = int((now - timedelta(days=days)).timestamp()) // DAY * DAY
    progress(0.03, "Making customers")
    population = make_population(customers, days, start, seed)
    past, events = _simulate(workspace, population, days, now, seed, progress)
    progress(0.52, "Saving customers and consent")
    population = past.population
    population.save(workspace.root / POPULATION_FILE)
    save_customers(workspace, population, past.withdrawals, now)
    workspace.lake.overwrite(CUSTOMERS, customers_table(population, now))
    progress(0.60, "Writing events")
    limit = pa.scalar(int(now.timestamp() * 1e6))
    happened = pc.less_equal(pc.cast(events["received_at"], pa.int64()), limit)
    written = EventWriter(workspace.lake).write(events.filter(happened), fresh=True)
    save_past(workspace, past, events.filter(pc.invert(happened)), now)
    features = FeatureStore.for_kind(workspace, KIND).build(
        snapshot_moments(start, now),
        lambda share, doing: progress(0.75 + 0.24 * share, doing),
    )
    rollups.refresh(workspace.lake)
    workspace.set_info("demo_seed", str(seed))
    workspace.set_info("demo_started_at", datetime.fromtimestamp(start, UTC).isoformat())
    workspace.set_info("kind", KIND)
    progress(1.0, "The demo bank is open")
    conversions = pc.sum(pc.equal(events["kind"], "conversion")).as_py()
    return DemoReport(customers, written, len(past.campaigns), conversions, features)


def snapshot_moments(start: int, now: datetime) -> list[datetime]:
    """A feature snapshot every seven days of the history, and one now."""
    first = datetime.fromtimestamp(start, UTC) + timedelta(days=7)
    weeks = int((now - first) / timedelta(days=7))
    moments = [first + timedelta(days=7 * week) for week in range(weeks + 1)]
    return [moment for moment in moments if moment < now] + [now]


def _simulate(
    workspace: Workspace, population: Population, days: int, now: datetime, seed: int, progress: Progress
) -> tuple[Past, pa.Table]:
    """Campaigns and organic life up to now and the answers still to come, as one table."""
    start = int(population.start)
    local = LocalTime(world.ZONES, start - (world.LEAD_DAYS + 2) * DAY, int(now.timestamp()) + 4 * DAY)
    rows = RowBuilder(population, local)
    simulation = Simulation(population, rows, margins(workspace), days, now.timestamp(), seed)
    campaigns = plan(days + 1, seed)
    for number, campaign in enumerate(campaigns):
        simulation.run(campaign)
        if number % 10 == 0:
            progress(0.05 + 0.3 * number / len(campaigns), "Living through ninety days of campaigns")
    past = simulation.finish()
    activity, rng = Activity(population, rows), np.random.default_rng([seed, 9])
    for day in range(-world.LEAD_DAYS, 0):
        past.tables += activity.day(rng, day, f"lead{-day}")
    rng = np.random.default_rng([seed, 4])
    for day in range(days + 1):
        organic = activity.day(rng, day, str(day))
        limit = pa.scalar(int(now.timestamp() * 1e6) - 2_000_000)
        past.tables += [
            table.filter(pc.less(pc.cast(table["occurred_at"], pa.int64()), limit)) for table in organic
        ]
        progress(0.35 + 0.15 * day / days, "Shopping and browsing")
    return past, pa.concat_tables(past.tables).combine_chunks()


def margins(workspace: Workspace) -> Array:
    """Expected margin of one conversion by offer, minor units, in the order of `world.OFFERS`."""
    with Session(workspace.db) as session:
        known = {row[0]: row[1] for row in session.execute(select(Offer.id, Offer.margin_minor)).all()}
    missing = [offer for offer in world.OFFERS if offer not in known]
    if missing:
        raise InvalidInput("seed_catalog", missing[0], "The catalogue must hold the twelve demo offers.")
    return np.array([known[offer] for offer in world.OFFERS], dtype=np.int64)
