"""How fast one customer's features are read, against a DuckDB point read and Feast on the same rows.

    python benchmarks/features.py [--customers N] [--events N] [--no-feast] [--json]

It makes a home of its own and takes it away again. Reads are of customers in random order. Also measured: how
soon a committed batch is in the online rows, and everybody's features at one moment.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.features.feast.backend import FeastBackend
from smart_reach.engine.features.online.store import OnlineStore
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.settings import Settings
from smart_reach.engine.workspace import Workspace

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TARGETS = {
    "online_row_us": ("<=", 20.0),
    "duckdb_over_online": (">=", 100.0),
    "feast_over_online": (">=", 50.0),
    "apply_1000_customers_s": ("<=", 5.0),
}
_DAY = 86_400_000_000


def main() -> None:
    """Measure, print a table and, with --json, the figures as the last line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--customers", type=int, default=50_000)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--no-feast", action="store_true")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    with workspace() as ws:
        figures = measure(ws, chosen.customers, chosen.events, feast=not chosen.no_feast)
    targets = {name: target for name, target in TARGETS.items() if name in figures}
    missed = [name for name, (sign, limit) in targets.items() if not _meets(figures[name], sign, limit)]
    for name, value in figures.items():
        target = "{} {}".format(*targets[name]) if name in targets else ""
        print(f"{name:32} {value:14.3f}   {target:10} {'MISSED' if name in missed else ''}")
    if chosen.json:
        report = {
            "benchmark": "features",
            "figures": figures,
            "targets": {name: list(target) for name, target in targets.items()},
            "missed": missed,
        }
        print(json.dumps(report))


@contextmanager
def workspace() -> Iterator[Workspace]:
    """An empty own-data workspace in a home that is taken away at the end."""
    with tempfile.TemporaryDirectory(prefix="smart-reach-bench-") as home:
        ws = Workspace.open(Settings(home=Path(home), workspace="bench"), FixedClock(NOON))
        ws.set_info("kind", "own-data")
        try:
            yield ws
        finally:
            ws.close()


def measure(ws: Workspace, customers: int, events: int, *, feast: bool) -> dict[str, float]:
    """Fill the lake, build everybody's features, then read and update."""
    rng = np.random.default_rng(7)
    EventWriter(ws.lake).write(history(rng, customers, events), fresh=True)
    store = FeatureStore(ws)
    refresh_s = timed(store.refresh)
    load_s = timed(lambda: store.online_store)
    online = store.online_store
    ids = [f"cus_{number:06d}" for number in rng.integers(0, customers, 20_000)]
    known = set(online.frame().index)
    ids = [one for one in ids if one in known]
    row_us = each_us(online.row, ids)
    duckdb_us = each_us(duckdb_point(ws), ids[:300])
    figures = {
        "customers": float(customers),
        "events": float(events),
        "features": float(len(store.definitions)),
        "refresh_everybody_s": refresh_s,
        "load_snapshot_s": load_s,
        "online_row_us": row_us,
        "online_frame_of_one_us": each_us(lambda one: online.frame([one]), ids[:1000]),
        "duckdb_point_read_us": duckdb_us,
        "duckdb_over_online": duckdb_us / row_us,
    }
    if feast:
        figures |= with_feast(ws, store, ids[:300], row_us)
    return figures | updates(ws, online, rng, customers, ids)


def updates(
    ws: Workspace, online: OnlineStore, rng: np.random.Generator, customers: int, ids: list[str]
) -> dict[str, float]:
    """Batches committed and brought into the online rows; then reads with those newer rows beside."""
    figures = {}
    for size in (1, 1000):
        batch = history(rng, customers, size, newest=True, name=f"new{size}")
        EventWriter(ws.lake).write(batch)
        figures[f"apply_{size}_customers_s"] = timed(lambda batch=batch: online.apply(batch))  # type: ignore[misc]
    return figures | {"online_row_after_apply_us": each_us(online.row, ids)}


def with_feast(ws: Workspace, store: FeatureStore, ids: list[str], row_us: float) -> dict[str, float]:
    """The same rows through Feast with its SQLite online store."""
    back_end = FeastBackend(ws.root / "feast", store.features)
    with ws.lake.connect(tables=("features",)) as connection:
        table = connection.sql("SELECT * FROM features").to_arrow_table()
    write_s = timed(lambda: back_end.add(table))
    feast_us = each_us(lambda one: back_end.online([one]), ids)
    client = back_end.store
    names = [f"own_data:{name}" for name in online_names(store)]
    bare_us = each_us(lambda one: client.get_online_features(names, [{"customer_id": one}]).to_dict(), ids)
    return {
        "feast_write_s": write_s,
        "feast_sqlite_read_us": bare_us,
        "feast_frame_of_one_us": feast_us,
        "feast_over_online": bare_us / row_us,
    }


def online_names(store: FeatureStore) -> list[str]:
    """The features by name."""
    return [one.name for one in store.definitions]


def duckdb_point(ws: Workspace) -> Callable[[str], Any]:
    """One row of the lake's features by id, through one open reader: the way without an online store."""
    connection = ws.lake.connect(tables=("features",))
    return lambda one: connection.execute("SELECT * FROM features WHERE customer_id = ?", [one]).fetchall()


def history(
    rng: np.random.Generator, customers: int, count: int, *, newest: bool = False, name: str = "e"
) -> pa.Table:
    """Random events over a year; `newest`: of the last minutes."""
    people = np.char.add("cus_", np.char.zfill(rng.integers(0, customers, count).astype(str), 6))
    back = rng.integers(1_000_000, 60_000_000 if newest else 365 * _DAY, count)
    at = pa.array(int(NOON.timestamp() * 1e6) - back).cast(pa.timestamp("us", tz="UTC"))
    kinds = rng.choice(
        ["transaction", "web_visit", "sent", "open", "click"], count, p=[0.35, 0.3, 0.2, 0.1, 0.05]
    )
    channels = rng.choice(["email", "push", "sms"], count)
    ids = np.char.add(name, np.arange(count).astype(str))
    return pa.table(
        {
            "event_id": pa.array(ids),
            "customer_id": pa.array(people),
            "kind": pa.array(kinds),
            "occurred_at": at,
            "received_at": at,
            "channel": pa.array(channels),
            "message_id": pa.array(ids),
            "amount_minor": pa.array(rng.integers(100, 20_000, count), mask=kinds != "transaction"),
            "currency": pa.array(["EUR"] * count),
            "machine": pa.array(np.zeros(count, bool)),
            "local_hour": pa.array(rng.integers(0, 24, count), pa.int32()),
            "local_weekday": pa.array(rng.integers(0, 7, count), pa.int32()),
            "source": pa.array(["bench"] * count),
        }
    )


def timed(work: Callable[[], object]) -> float:
    """Seconds of the wall clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def each_us(read: Callable[[str], object], ids: list[str]) -> float:
    """Microseconds a read, the first few left out; the best of five rounds, since the machine is shared."""
    for one in ids[:20]:
        read(one)
    rounds = []
    for _ in range(5):
        began = time.perf_counter()
        for one in ids:
            read(one)
        rounds.append(1e6 * (time.perf_counter() - began) / len(ids))
    return min(rounds)


def _meets(value: float, sign: str, limit: float) -> bool:
    return value >= limit if sign == ">=" else value <= limit


if __name__ == "__main__":
    main()
