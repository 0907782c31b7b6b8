"""A small bank in memory with the lake's views: same columns, seeded, with an anomaly and a holdout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.lakehouse.reader import MESSAGES_SQL
from smart_reach.engine.metrics.service import MetricsService

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SEGMENTS = ["students", "young professionals", "families", "affluent", "retirees"]
REGIONS = ["Lisbon", "Porto", "Madrid", "Barcelona", "London", "Azores"]
OFFERS = [
    "rewards-card",
    "low-fee-card",
    "travel-card",
    "platinum-card",
    "personal-loan",
    "car-loan",
    "mortgage",
    "home-insurance",
    "travel-insurance",
    "life-insurance",
    "savings-account",
    "term-deposit",
]
CHANNELS = ["email", "push", "sms", "in_app", "social"]
BANDS = ["18–24", "25–34", "35–44", "45–54", "55–64", "65+"]
DROP_DAY = 70  # clicks of this day (of 90) are gone


def bank_frames(seed: int, customers: int = 400, messages: int = 6000) -> dict[str, pd.DataFrame]:
    """Frames events, customers, features of a demo bank."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"customer_id": [f"cus_{i:06d}" for i in range(customers)]})
    people["segment"] = rng.choice(SEGMENTS, customers)
    people["region"] = rng.choice(REGIONS, customers, p=[0.3, 0.2, 0.2, 0.15, 0.13, 0.02])
    people["age"] = rng.integers(18, 85, customers).astype("int32")
    people["age_band"] = pd.cut(people["age"], [0, 24, 34, 44, 54, 64, 200], labels=BANDS).astype(str)
    people["income_band"] = rng.choice(["low", "middle", "high"], customers)
    people["job"], people["marital"], people["zone"] = "services", "single", "Europe/Lisbon"
    people["tenure_months"] = rng.integers(1, 200, customers).astype("int32")
    people["holdings"] = rng.integers(0, 5, customers).astype("int32")
    people["joined_on"] = date(2020, 1, 1)
    people["holdout"] = rng.random(customers) < 0.1
    people["primary_channel"] = rng.choice(CHANNELS, customers)
    return {"customers": people, "events": _events(rng, people, messages), "features": _features(rng, people)}


def _events(rng: np.random.Generator, people: pd.DataFrame, messages: int) -> pd.DataFrame:
    start = pd.Timestamp(NOW) - pd.Timedelta(days=89)
    who = rng.integers(0, len(people), messages)
    day = np.sort(rng.integers(0, 90, messages))
    sent = (
        start.normalize()
        + pd.to_timedelta(day, unit="D")
        + pd.to_timedelta(rng.integers(8 * 60, 19 * 60, messages), unit="min")
    )
    sent = sent.where(sent <= NOW, pd.Timestamp(NOW))
    base = pd.DataFrame({"customer_id": people["customer_id"].to_numpy()[who], "at": sent, "day": day})
    base["held"] = people["holdout"].to_numpy()[who]
    base["message_id"] = [f"m{i}" for i in range(messages)]
    base["offer_id"], base["channel"] = rng.choice(OFFERS, messages), rng.choice(CHANNELS, messages)
    base["campaign_id"], base["variant_id"] = (
        rng.choice(["CMP-1", "CMP-2"], messages),
        rng.choice(["A", "B"], messages),
    )
    delivered = ~base["held"] & (rng.random(messages) < 0.96)
    opened = delivered & (rng.random(messages) < 0.4)
    rate = np.where(day == DROP_DAY, 0.0, 0.32) * np.where(base["channel"] == "push", 1.4, 1.0)
    clicked = opened & (rng.random(messages) < rate * 1.8)
    converted = rng.random(messages) < np.where(base["held"], 0.02, np.where(clicked, 0.2, 0.01))
    gone = delivered & (rng.random(messages) < 0.01)
    robot = delivered & (rng.random(messages) < 0.05)
    parts = [
        _rows(base[~base["held"]], "sent"),
        _rows(base[base["held"]], "held_out"),
        _rows(base[delivered], "delivered"),
        _rows(base[opened], "open"),
        _rows(base[clicked], "click"),
        _rows(base[gone], "unsubscribe"),
        _rows(base[robot], "click", machine=True),
        _rows(base[converted], "conversion", amount=rng.integers(500, 20_000, int(converted.sum()))),
    ]
    spend = base.sample(frac=0.8, random_state=1).assign(
        message_id=None, channel=None, offer_id=None, campaign_id=None, variant_id=None
    )
    parts.append(_rows(spend, "transaction", amount=rng.integers(100, 9_000, len(spend))))
    parts.append(_rows(spend.head(500), "web_visit"))
    events = pd.concat(parts, ignore_index=True)
    events["event_id"] = [f"e{i}" for i in range(len(events))]
    return events


def _rows(base: pd.DataFrame, kind: str, *, machine: bool = False, amount: Any = None) -> pd.DataFrame:
    rows = base[["customer_id", "message_id", "offer_id", "campaign_id", "channel", "variant_id"]].copy()
    rows["kind"], rows["occurred_at"], rows["machine"] = kind, base["at"], machine
    rows["amount_minor"] = pd.array(amount if amount is not None else [None] * len(rows), dtype="Int64")
    local = pd.DatetimeIndex(base["at"]).tz_convert("Europe/Lisbon")
    rows["local_hour"], rows["local_weekday"] = local.hour.astype("int32"), local.weekday.astype("int32")
    return rows


def _features(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for days in (60, 30, 1):
        part = people[["customer_id"]].copy()
        part["as_of"] = pd.Timestamp(NOW) - pd.Timedelta(days=days)
        part["days_since_active"] = rng.integers(0, 90, len(people)).astype("int32")
        part["balance_minor"] = rng.integers(0, 1_000_000, len(people))
        part["spend_30d_minor"] = rng.integers(0, 200_000, len(people))
        part["visits_30d"] = rng.integers(0, 9, len(people)).astype("int32")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def marketing_frames(seed: int, customers: int = 3000) -> dict[str, pd.DataFrame]:
    """Frames of a bank-marketing workspace: May 2008 to November 2010."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"customer_id": [f"cus_{i:06d}" for i in range(customers)]})
    people["age"] = rng.integers(18, 90, customers).astype("int32")
    people["age_band"] = pd.cut(people["age"], [0, 24, 34, 44, 54, 64, 200], labels=BANDS).astype(str)
    people["job"] = rng.choice(
        ["admin.", "blue-collar", "student", "retired", "services", "unknown"], customers
    )
    people["marital"] = rng.choice(["married", "single", "divorced", "unknown"], customers)
    people["education"] = rng.choice(["basic.4y", "high.school", "university.degree", "unknown"], customers)
    for name in ("housing", "loan", "default_credit"):
        people[name] = rng.choice(["yes", "no", "unknown"], customers)
    people["contact_type"] = rng.choice(["cellular", "telephone"], customers)
    people["poutcome"] = rng.choice(["failure", "nonexistent", "success"], customers)
    at = pd.Timestamp("2008-05-05 10:00", tz="UTC") + pd.to_timedelta(
        np.sort(rng.integers(0, 935, customers)), unit="D"
    )
    yes = rng.random(customers) < np.where(people["job"] == "student", 0.3, 0.1)
    contact = pd.DataFrame({"customer_id": people["customer_id"], "at": at})
    for name in ("message_id", "offer_id", "campaign_id", "channel", "variant_id"):
        contact[name] = None
    events = pd.concat([_rows(contact, "contact"), _rows(contact[yes], "conversion")], ignore_index=True)
    return {"customers": people, "events": events}


def connector(
    frames: dict[str, pd.DataFrame],
) -> tuple[duckdb.DuckDBPyConnection, Callable[[], duckdb.DuckDBPyConnection]]:
    """A database with the frames as tables and the lake's `messages` view; each call gives a cursor of it."""
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    for name, frame in frames.items():
        database.register("incoming", frame)
        columns = "*"
        if name == "events":
            text = ["message_id", "offer_id", "campaign_id", "channel", "variant_id"]
            columns = (
                "* REPLACE ("
                + ", ".join(f"{c}::VARCHAR AS {c}" for c in text)
                + ", amount_minor::BIGINT AS amount_minor)"
            )
        database.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM incoming")
        database.unregister("incoming")
    database.execute(MESSAGES_SQL)
    return database, database.cursor


@pytest.fixture(scope="session")
def demo_frames() -> dict[str, pd.DataFrame]:
    return bank_frames(7)


@pytest.fixture(scope="session")
def demo(demo_frames: dict[str, pd.DataFrame]) -> Iterator[MetricsService]:
    database, connect = connector(demo_frames)
    yield MetricsService(connect, "demo-bank", FixedClock(NOW))
    database.close()


@pytest.fixture(scope="session")
def marketing() -> Iterator[MetricsService]:
    database, connect = connector(marketing_frames(3))
    yield MetricsService(connect, "bank-marketing", FixedClock(NOW))
    database.close()
