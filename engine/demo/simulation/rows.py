"""Arrays of simulated moments → rows of the events table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.population import Array, Population
from smart_reach.engine.demo.simulation.zones import LocalTime
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA, UTC_MICROS

SOURCE = "demo"
_LATENCY_MICROS = 2_000_000  # from happening to being received


class RowBuilder:
    """Turns moments of many customers into event rows with local hour and weekday."""

    def __init__(self, population: Population, local: LocalTime) -> None:
        self._zone = population.zone
        self._ids = pa.array(population.ids())
        self.local = local

    def customer_ids(self, customer: Array) -> pa.Array:
        return self._ids.take(pa.array(customer))

    def zone(self, customer: Array) -> Array:
        return np.asarray(self._zone[customer])

    def table(self, customer: Array, kind: str, seconds: Array, ids: pa.Array, **columns: object) -> pa.Table:
        """Rows of one kind. `seconds`: since 1970, with fraction; other columns are values or arrays."""
        micros = np.round(seconds * 1e6).astype(np.int64)
        hour, weekday = self.local.hour_and_weekday(self._zone[customer], micros // 1_000_000)
        given: dict[str, object] = {
            "event_id": ids,
            "customer_id": self.customer_ids(customer),
            "kind": kind,
            "occurred_at": pa.array(micros).cast(UTC_MICROS),
            "received_at": pa.array(micros + _LATENCY_MICROS).cast(UTC_MICROS),
            "machine": False,
            "local_hour": pa.array(hour.astype(np.int32)),
            "local_weekday": pa.array(weekday.astype(np.int32)),
            "source": SOURCE,
        } | columns
        size = len(customer)
        arrays = [_column(given.get(field.name), size, field.type) for field in EVENT_SCHEMA]
        return pa.Table.from_arrays(arrays, schema=EVENT_SCHEMA)


def _column(value: object, size: int, kind: pa.DataType) -> pa.Array:
    if value is None:
        return pa.nulls(size, kind)
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return value.cast(kind)
    if isinstance(value, np.ndarray):
        return pa.array(value, kind)
    return pa.repeat(pa.scalar(value, kind), size)


def names(codes: Array, words: Sequence[str]) -> pa.Array:
    """Words by code; a negative code is null."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.array(list(words)).take(indices)


def join(*parts: pa.Array | str) -> pa.Array:
    """Concatenate strings row by row."""
    return pc.binary_join_element_wise(*parts, "")


def channel_names(codes: Array) -> pa.Array:
    return names(codes, world.CHANNEL_IDS)


def offer_names(codes: Array) -> pa.Array:
    return names(codes, world.OFFERS)
