"""The customer's own hour and weekday of every event."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import available_timezones

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, text

_MOST_KNOWN = 500_000


class Zones:
    """Customers' time zones, remembered; a customer without a usable one lives in `default`."""

    def __init__(self, db: Engine, default: str = "UTC") -> None:
        self._db = db
        self._usable = available_timezones()
        self._names = [default]  # a zone's number is its place here
        self._places = {default: 0}
        self._known: dict[str, int] = {}

    def __call__(self, events: pa.Table) -> pa.Table:
        """The events with `local_hour` and `local_weekday` (0 = Monday) where they are not given."""
        customers = pc.dictionary_encode(events["customer_id"].combine_chunks())
        ids = customers.dictionary.to_pylist()
        self._forget(events)
        of_customer, names = self._zones(ids)
        of_row = of_customer[customers.indices.to_numpy()] if len(ids) else np.zeros(0, np.int32)
        hours, weekdays = _local(events["occurred_at"].combine_chunks(), of_row, names)
        events = _fill(events, "local_hour", hours)
        return _fill(events, "local_weekday", weekdays)

    def _zones(self, ids: Sequence[str]) -> tuple[np.ndarray, list[str]]:
        """Of each customer the number of the zone in the list."""
        codes = list(map(self._known.get, ids))
        missing = [customer for customer, code in zip(ids, codes, strict=True) if code is None]
        if missing:
            if len(self._known) + len(missing) > _MOST_KNOWN:
                self._known, missing = {}, list(ids)
            self._ask(missing)
            # one that is not there yet may come with a later batch: it is asked for again then
            codes = [self._known.get(customer, 0) for customer in ids]
        return np.array(codes, np.int32), self._names

    def _ask(self, customers: Sequence[str]) -> None:
        query = text("SELECT id, zone FROM customers WHERE id = ANY(:ids)")  # one array, not one by one
        with self._db.connect() as connection:
            rows = connection.execute(query, {"ids": customers}).all()
        for name, zone in rows:
            if zone in self._usable:
                if zone not in self._places:
                    self._places[zone] = len(self._names)
                    self._names.append(zone)
                self._known[name] = self._places[zone]

    def _forget(self, events: pa.Table) -> None:
        """A customer record may bring another zone: valid from the next batch on."""
        moved = events.filter(pc.equal(events["kind"], "customer"))["customer_id"]
        for customer in moved.to_pylist():
            self._known.pop(customer, None)


def _local(times: pa.Array, of_row: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    hours, weekdays = np.zeros(len(times), np.int32), np.zeros(len(times), np.int32)
    for place, name in enumerate(names):
        rows = np.flatnonzero(of_row == place)
        if not len(rows):
            continue
        here = times.take(pa.array(rows)).cast(pa.timestamp("us", tz=name))
        hours[rows] = pc.hour(here).to_numpy()
        weekdays[rows] = pc.day_of_week(here).to_numpy()
    return hours, weekdays


def _fill(events: pa.Table, name: str, values: np.ndarray) -> pa.Table:
    column: pa.ChunkedArray = pa.chunked_array([pa.array(values, pa.int32())])
    place = events.schema.get_field_index(name)
    if place < 0:
        return events.append_column(name, column)
    given = events[name]
    kept = column if given.null_count == len(given) else pc.coalesce(given, column)
    return events.set_column(place, name, kept)
