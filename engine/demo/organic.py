"""Transactions and visits of the live bank: a day is drawn once from its own seed, then handed out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.activity import Activity
from smart_reach.engine.demo.simulation.population import Population
from smart_reach.engine.demo.simulation.rows import RowBuilder
from smart_reach.engine.demo.simulation.truth import load_truth
from smart_reach.engine.demo.simulation.zones import DAY, LocalTime

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

_KEPT_DAYS = 4


class Organic:
    """The same day gives the same events in every process and after every restart."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._days: dict[int, pa.Table] = {}

    @cached_property
    def population(self) -> Population:
        return load_truth(self._workspace).population

    @property
    def start(self) -> int:
        """Seconds since 1970 of the history's first day."""
        return int(self.population.start)

    def between(self, after: float, until: float) -> pa.Table | None:
        """Events that happened in (after, until] seconds, or None."""
        # A local day reaches into the UTC days beside it.
        first, last = int((after - self.start) // DAY) - 1, int((until - self.start) // DAY) + 1
        parts = []
        for day in range(first, last + 1):
            rows = self._day(day)
            times = pc.cast(rows["occurred_at"], pa.int64())
            inside = pc.and_(
                pc.greater(times, pa.scalar(int(after * 1e6))),
                pc.less_equal(times, pa.scalar(int(until * 1e6))),
            )
            parts.append(rows.filter(inside))
        found = pa.concat_tables(parts)
        return found if found.num_rows else None

    def _day(self, day: int) -> pa.Table:
        if day not in self._days:
            moment = self.start + day * DAY
            local = LocalTime(world.ZONES, moment - 2 * DAY, moment + 3 * DAY)
            activity = Activity(self.population, RowBuilder(self.population, local))
            rng = np.random.default_rng([int(self.population.seed), 5, day + 10])
            for old in sorted(self._days)[:-_KEPT_DAYS]:
                del self._days[old]
            self._days[day] = pa.concat_tables(activity.day(rng, day, f"live{day}")).combine_chunks()
        return self._days[day]
