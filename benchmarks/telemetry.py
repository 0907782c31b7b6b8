"""How fast the Overview's questions are, with and without rollups, against other engines on the same files.

    python benchmarks/telemetry.py [--events 10000000] [--folder DIR] [--json]

Plain DuckDB, and polars and chdb where they are installed, answer from the events. Files made in `--folder`
are kept for the next run; without it they are made in a folder that is taken away again. Each figure is the
best of the runs, in seconds; ratios are of one run on one machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from telemetry_data import NOW, make_events
from telemetry_peers import peers

from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.lakehouse.reader import Source, open_reader
from smart_reach.engine.lakehouse.rollups.messages import MESSAGES_SQL
from smart_reach.engine.metrics.model import load_model
from smart_reach.engine.metrics.overview import panels, scan
from smart_reach.engine.metrics.overview.filters import OverviewFilters, Span, span_of
from smart_reach.engine.metrics.questions.periods import Anchor
from smart_reach.engine.metrics.service import MetricsService

TILES = ("ctr", "funnel", "heatmap", "cohorts")
RUNS = 3


@dataclass
class Folder:
    """Files of events as the lake lists them."""

    root: Path
    paths: list[str]

    def files(self, table: str) -> list[str]:
        return self.paths


class Bench:
    """One set of events and the questions about it."""

    def __init__(self, lake: Folder) -> None:
        self.lake = lake
        self.model = load_model("demo-bank")
        self.span: Span = span_of(Anchor(NOW.date()), NOW, 14, self.model.zone)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The product's own reader."""
        return open_reader(self.lake.root, {"events": Source(tuple(self.lake.paths))})

    def tiles(self, connection: Any) -> dict[str, Callable[[], Any]]:
        """Ours: what the page runs for each tile."""
        messages = scan.prepare(connection, self.model, OverviewFilters(), self.span.end)
        ctr = (
            "SELECT campaign_id, COUNT(*) FILTER (clicked) / COUNT(*) FILTER (delivered) FROM messages"
            " WHERE sent AND NOT held_out GROUP BY 1"
        )
        end = self.span.end
        return {
            "ctr": lambda: connection.execute(ctr).fetchall(),
            "funnel": lambda: panels.funnel(messages, self.span, False),
            "heatmap": lambda: panels.heatmap(messages, self.span, False),
            "cohorts": lambda: panels.cohorts(messages, self.model, NOW.date(), end, bought=False),
        }

    def plain(self) -> dict[str, float]:
        """The same tiles without rollups: DuckDB over the events, nothing kept."""
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'; SET threads = 2")
            paths = ", ".join(f"'{path}'" for path in self.lake.paths)
            connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet([{paths}])")
            connection.execute(MESSAGES_SQL)
            messages = scan.Messages(
                connection, f"({_page_messages()}) AS msg", {"until": self.span.end}, limit_s=600
            )
            ctr = (
                "SELECT campaign_id, COUNT(*) FILTER (kind = 'click' AND NOT machine)"
                " / COUNT(*) FILTER (kind = 'delivered') FROM events WHERE kind IN ('click', 'delivered')"
                " GROUP BY 1"
            )
            end = self.span.end
            return measure(
                {
                    "ctr": lambda: connection.execute(ctr).fetchall(),
                    "funnel": lambda: panels.funnel(messages, self.span, False),
                    "heatmap": lambda: panels.heatmap(messages, self.span, False),
                    "cohorts": lambda: panels.cohorts(messages, self.model, NOW.date(), end, bought=False),
                },
                runs=1,
            )


def _page_messages() -> str:
    return scan.PICKED.format(opened="opened", clicked="clicked", join="", conditions="")


def measure(tiles: dict[str, Callable[[], Any]], runs: int = RUNS) -> dict[str, float]:
    """Best seconds of each."""
    found = {}
    for name, run in tiles.items():
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        found[name] = min(times)
    return found


def question(bench: Bench) -> float:
    """Seconds of a warm copilot question over these events."""
    from smart_reach.engine.clock import FixedClock

    service = MetricsService(bench.connect, "demo-bank", FixedClock(NOW))
    ask: Callable[[], Any] = lambda: service.ask("ctr by channel last 14 days")  # noqa: E731
    ask()
    return measure({"ask": ask})["ask"]


def run(folder: Path, events: int) -> dict[str, float]:
    """Every figure of one number of events."""
    lake = Folder(folder, make_events(folder / "bank" / "events", events, max(2000, events // 50)))
    bench, figures = Bench(lake), {}
    rollups.clear(lake)
    start, cpu = time.perf_counter(), time.process_time()
    rollups.refresh(lake)
    figures["rollup build s"] = time.perf_counter() - start
    figures["rollup build events a cpu s"] = events / (time.process_time() - cpu)
    with bench.connect() as connection:
        ours = measure(bench.tiles(connection))
    others = {"duckdb": bench.plain(), **peers(lake.paths, NOW)}
    for tile in TILES:
        figures[f"{tile} s"] = ours[tile]
        for name, times in others.items():
            if tile in times:
                figures[f"{tile} {name} s"] = times[tile]
                figures[f"{tile} {name} / ours"] = times[tile] / ours[tile]
    figures["question s"] = question(bench)
    return figures


def main() -> None:
    """Measure, print a table and, with --json, the figures as the last line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--events", type=int, default=10_000_000)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    with ExitStack() as stack:
        folder = chosen.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        figures = run(folder / f"events-{chosen.events}", chosen.events)
    limit = 1.0 if chosen.events <= 10_000_000 else 2.0
    targets: dict[str, tuple[str, float]] = {f"{tile} s": ("<=", limit) for tile in TILES}
    missed = [name for name, (_, most) in targets.items() if figures[name] > most]
    for name, value in figures.items():
        target = f"<= {limit:g}" if name in targets else ""
        print(f"{name:32} {value:14.3f}   {target:8} {'MISSED' if name in missed else ''}")
    if chosen.json:
        listed = {name: list(target) for name, target in targets.items()}
        print(json.dumps({"benchmark": "telemetry", "figures": figures, "targets": listed, "missed": missed}))


if __name__ == "__main__":
    main()
