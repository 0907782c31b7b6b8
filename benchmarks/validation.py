"""How fast records are checked and made into columns, against pydantic event by event and bare readers.

    python benchmarks/validation.py [--records N] [--json]

All ways read the same lines, turn about, several rounds; the best round of each counts. `pydantic` and
`msgspec` check each record and keep a list of objects; `pyarrow` and `duckdb` only read the lines into
columns and check nothing but types. `validate` checks everything and makes the columns of `events`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.json
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from smart_reach.engine.events.contracts.records import ANY_RECORD
from smart_reach.engine.events.contracts.validate import validate, validate_table

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TARGETS = {
    "validate_over_pydantic": (">=", 2.0),
    "poisoned_over_pydantic": (">=", 1.5),
    "columns_over_pydantic": (">=", 4.0),
}
KINDS = ("sent", "delivered", "open", "click")
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{} like Mac OS X) AppleWebKit/605.1.15"
ROUNDS = 3
Id = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=512)]


class Common(BaseModel):
    """What a hand-written per-event check would look like."""

    model_config = ConfigDict(extra="forbid", strict=True)
    event_id: Id
    occurred_at: Annotated[AwareDatetime, Field(strict=False)]
    customer_id: Id
    version: Literal[1] = 1


class Payment(Common):
    type: Literal["transaction"]
    amount_minor: Annotated[int, Field(ge=-(10**15), le=10**15)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    product: Text | None = None
    merchant_category: Text | None = None


class Visit(Common):
    type: Literal["web_event"]
    action: Literal["page_view", "product_view", "search"]
    page: Text | None = None
    device: Text | None = None
    session_id: Id | None = None
    user_agent: Text | None = None
    ip: Text | None = None


class Message(Common):
    type: Literal["campaign_event"]
    event: Literal["sent", "delivered", "open", "click"]
    message_id: Id
    campaign_id: Id | None = None
    offer_id: Id | None = None
    channel: Literal["email", "push", "sms", "in_app", "social"] | None = None
    variant_id: Id | None = None


def main() -> None:
    """Measure, print a table and, with --json, the figures as the last line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--records", type=int, default=200_000)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    figures = measure(chosen.records)
    missed = [name for name, (_, limit) in TARGETS.items() if figures[name] < limit]
    for name, value in figures.items():
        target = "{} {}".format(*TARGETS[name]) if name in TARGETS else ""
        print(f"{name:32} {value:14,.2f}   {target:8} {'MISSED' if name in missed else ''}")
    if chosen.json:
        targets = {name: list(target) for name, target in TARGETS.items()}
        report = {"benchmark": "validation", "figures": figures, "targets": targets, "missed": missed}
        print(json.dumps(report))


def measure(records: int) -> dict[str, float]:
    """Records a second of each way, and ratios to pydantic."""
    lines = [line(number) for number in range(records)]
    poisoned = [one[:-9] if number % 100 == 50 else one for number, one in enumerate(lines)]
    table = payments(records)
    with tempfile.TemporaryDirectory(prefix="smart-reach-bench-") as home:
        file = Path(home, "records.jsonl")
        file.write_bytes(b"\n".join(lines))
        rates = best(records, ways(lines, poisoned, table, file))
    ratios = {f"{name}_over_pydantic": rate / rates["pydantic"] for name, rate in rates.items()}
    ratios.pop("pydantic_over_pydantic")
    return {**{f"{name}_a_second": rate for name, rate in rates.items()}, **ratios}


def ways(
    lines: list[bytes], poisoned: list[bytes], table: pa.Table, file: Path
) -> dict[str, Callable[[], Any]]:
    """Everything that is measured, by name."""
    events: Any = TypeAdapter(Annotated[Payment | Visit | Message, Field(discriminator="type")])
    decode = msgspec.json.Decoder(ANY_RECORD).decode
    return {
        "pydantic": lambda: [events.validate_json(one) for one in lines],
        "msgspec": lambda: [decode(one) for one in lines],
        "pyarrow": lambda: pa.json.read_json(file),
        "duckdb": lambda: duckdb.sql(f"SELECT * FROM read_json('{file}')").to_arrow_table(),
        "validate": lambda: checked(lines, 0),
        "poisoned": lambda: checked(poisoned, len(poisoned) // 100),
        "columns": lambda: validate_table(table, "transaction", source="bench", received_at=NOW),
    }


def checked(lines: list[bytes], refused: int) -> None:
    """Validate, and make sure that it did."""
    found = validate(lines, source="bench", received_at=NOW)
    assert len(found.refused) == refused, found.refused[:3]
    assert found.events.num_rows == len(lines) - refused


def best(records: int, measured: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Records a second of processor time, the best of several rounds; the ways take turns."""
    seconds = dict.fromkeys(measured, float("inf"))
    for _ in range(ROUNDS):
        for name, run in measured.items():
            began = time.process_time()
            run()
            seconds[name] = min(seconds[name], time.process_time() - began)
    return {name: records / took for name, took in seconds.items()}


def line(number: int) -> bytes:
    """One record as its sender writes it: payments, visits and messages in turn."""
    at = f"2026-11-19T{number % 24:02d}:{number % 60:02d}:{number // 7 % 60:02d}.{number % 1000:03d}Z"
    common = {"event_id": f"e-{number:09d}", "occurred_at": at, "customer_id": f"cus_{number % 20000:06d}"}
    match number % 3:
        case 0:
            kind = {"type": "transaction", "amount_minor": number % 90000, "currency": "EUR"}
            more = {"product": "rewards-card", "merchant_category": "groceries"}
        case 1:
            kind = {"type": "web_event", "action": "page_view", "page": "/cards/rewards", "device": "mobile"}
            agent, session = AGENT.format(number % 40), f"s-{number // 9}"
            more = {"session_id": session, "user_agent": agent, "ip": f"203.0.{number % 200}.7"}
        case _:
            kind = {
                "type": "campaign_event",
                "event": KINDS[number // 3 % 4],
                "message_id": f"m-{number:08d}",
            }
            more = {"campaign_id": "c-1", "offer_id": "rewards-card", "channel": "email", "variant_id": "A"}
    return json.dumps({**kind, **common, **more}, separators=(",", ":")).encode()


def payments(records: int) -> pa.Table:
    """Payments as a file's columns."""
    numbers = range(records)
    return pa.table(
        {
            "event_id": [f"e-{number:09d}" for number in numbers],
            "occurred_at": pa.array([NOW] * records, pa.timestamp("us", "UTC")),
            "customer_id": [f"cus_{number % 20000:06d}" for number in numbers],
            "amount_minor": pa.array([number % 90000 for number in numbers], pa.int64()),
            "currency": ["EUR"] * records,
            "product": ["rewards-card"] * records,
        }
    )


if __name__ == "__main__":
    main()
