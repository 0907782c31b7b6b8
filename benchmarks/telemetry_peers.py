"""Other engines on the same files: polars and chdb, each only where it is installed."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any


def peers(paths: list[str], now: datetime) -> dict[str, dict[str, float]]:
    """Seconds of each tile by engine; an engine that is not installed, or gives up, is left out."""
    found = {}
    for name, ask in (("polars", _polars), ("chdb", _chdb)):
        if importlib.util.find_spec(name) is None:
            continue
        found[name] = {}
        for tile, run in ask(paths, now).items():
            start = time.perf_counter()
            run()
            found[name][tile] = time.perf_counter() - start
    return found


def _polars(paths: list[str], now: datetime) -> dict[str, Callable[[], Any]]:
    import polars as pl

    events = pl.scan_parquet(paths)
    by_person = ~pl.col("machine")

    def has(kind: str) -> Any:
        return (pl.col("kind") == kind).any()

    def ctr() -> Any:
        return (
            events.filter(pl.col("kind").is_in(["click", "delivered"]))
            .group_by("campaign_id")
            .agg(((pl.col("kind") == "click") & by_person).sum() / (pl.col("kind") == "delivered").sum())
            .collect(engine="streaming")
        )

    messages = (
        events.filter(pl.col("message_id").is_not_null())
        .group_by("message_id")
        .agg(
            pl.col("customer_id").first(),
            pl.col("occurred_at").min().alias("sent_at"),
            pl.col("local_hour").first(),
            pl.col("local_weekday").first(),
            has("held_out").alias("held_out"),
            has("delivered").alias("delivered"),
            has("conversion").alias("converted"),
            ((pl.col("kind") == "open") & by_person).any().alias("opened"),
            ((pl.col("kind") == "click") & by_person).any().alias("clicked"),
        )
    )

    def funnel() -> Any:
        flags = [pl.col(name).any() for name in ("delivered", "opened", "clicked", "converted")]
        return (
            messages.filter(pl.col("sent_at") >= now - timedelta(days=14))
            .group_by("held_out", "customer_id")
            .agg(flags)
            .group_by("held_out")
            .agg(pl.len(), pl.col("delivered", "opened", "clicked", "converted").sum())
            .collect(engine="streaming")
        )

    def heatmap() -> Any:
        return (
            messages.filter((pl.col("sent_at") >= now - timedelta(days=28)) & ~pl.col("held_out"))
            .group_by("local_weekday", "local_hour")
            .agg(pl.col("delivered", "clicked").sum(), pl.col("customer_id").n_unique())
            .collect(engine="streaming")
        )

    return {"ctr": ctr, "funnel": funnel, "heatmap": heatmap}


def _chdb(paths: list[str], now: datetime) -> dict[str, Callable[[], Any]]:
    import chdb

    folder = paths[0].rsplit("/", 1)[0]
    events = f"file('{folder}/*.parquet', Parquet)"
    messages = (
        "SELECT message_id, any(customer_id) AS customer, min(occurred_at) AS sent_at,"
        " max(kind = 'held_out') AS held, max(kind = 'delivered') AS delivered,"
        " max(kind = 'open' AND NOT machine) AS opened, max(kind = 'click' AND NOT machine) AS clicked,"
        " max(kind = 'conversion') AS converted, any(local_hour) AS hour, any(local_weekday) AS weekday"
        f" FROM {events} WHERE message_id IS NOT NULL GROUP BY message_id"
    )

    def since(days: int) -> str:
        return f"toDateTime64('{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}', 6, 'UTC')"

    queries = {
        "ctr": "SELECT campaign_id, countIf(kind = 'click' AND NOT machine) / countIf(kind = 'delivered')"
        f" FROM {events} GROUP BY campaign_id",
        "funnel": "SELECT held, count(), sum(d), sum(o), sum(c), sum(v) FROM (SELECT held, customer,"
        " max(delivered) AS d, max(opened) AS o, max(clicked) AS c, max(converted) AS v"
        f" FROM ({messages}) WHERE sent_at >= {since(14)} GROUP BY held, customer) GROUP BY held",
        "heatmap": "SELECT weekday, hour, sum(delivered), sum(clicked), uniqExact(customer)"
        f" FROM ({messages}) WHERE sent_at >= {since(28)} AND NOT held GROUP BY weekday, hour",
    }
    return {
        name: lambda sql=sql: chdb.query(sql, "CSV")
        for name, sql in queries.items()  # type: ignore[misc]
    }
