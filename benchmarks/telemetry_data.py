"""Events for `telemetry.py`: seeded Parquet files, one a day, in the lake's schema."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 180
EVENTS_A_MESSAGE = 2.62  # sent, delivered, opens, clicks, conversions …
MESSAGE_SHARE = 0.7  # the rest are transactions and visits

_PICK = "CREATE MACRO pick(i, salt, below) AS (hash(i, salt) >> 1)::BIGINT % below"
_PLAN = """
CREATE OR REPLACE TEMP TABLE plan AS
SELECT 'msg_' || substr(md5((i + {first})::VARCHAR), 1, 16) AS message_id,
       printf('cus_%07d', pick(i + {first}, 1, {customers})) AS customer_id,
       to_timestamp({midnight} + 28800 + pick(i, 2, 39600))::TIMESTAMPTZ AS moment,
       printf('cmp_%03d', pick(i, 3, 40)) AS campaign_id,
       ['rewards-card','travel-card','personal-loan','mortgage','home-insurance','savings-account']
           [1 + pick(i, 3, 40) % 6] AS offer_id,
       ['email','push','sms','in_app','social'][1 + pick(i, 5, 5)] AS channel,
       ['A','B'][1 + pick(i, 6, 2)] AS variant_id,
       pick(i, 7, 100) < 10 AS held, pick(i, 8, 10000) / 10000.0 AS u, pick(i, 9, 10000) / 10000.0 AS v
FROM range({messages}) AS numbers(i)
"""
_NAMES = "customer_id, offer_id, campaign_id, channel, variant_id, message_id"


def make_events(folder: Path, events: int, customers: int) -> list[str]:
    """Write about `events` events of `DAYS` days and return the files; they are kept for the next run."""
    done = folder / "done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute("SET threads = 2; SET TimeZone = 'UTC'")
            connection.execute(_PICK)
            per_day = events / DAYS
            for day in range(DAYS):
                _day(connection, folder, day, per_day, customers)
        done.touch()
    return sorted(str(path) for path in folder.glob("*.parquet"))


def _day(
    connection: duckdb.DuckDBPyConnection, folder: Path, day: int, per_day: float, customers: int
) -> None:
    messages = int(per_day * MESSAGE_SHARE / EVENTS_A_MESSAGE)
    others = int(per_day * (1 - MESSAGE_SHARE))
    midnight = int(NOW.timestamp()) // 86400 * 86400 - (DAYS - 1 - day) * 86400
    numbers = {"first": day * messages, "customers": customers, "midnight": midnight, "messages": messages}
    connection.execute(_PLAN.format(**numbers))
    path = str(folder / f"{day:04d}.parquet").replace("'", "''")
    connection.execute(
        f"COPY ({_rows(day, others, customers, midnight)}) TO '{path}'"
        " (COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    )


def _rows(day: int, others: int, customers: int, midnight: int) -> str:
    parts = [
        _part("CASE WHEN held THEN 'held_out' ELSE 'sent' END", "true", 0),
        _part("'delivered'", "NOT held AND u < 0.96", 2),
        _part("'open'", "NOT held AND u < 0.38", 600),
        _part("'click'", "NOT held AND u < 0.07", 640),
        _part("'click'", "NOT held AND u < 0.96 AND v < 0.04", 3, machine="true"),
        _part("'conversion'", "(u < 0.01 OR v < 0.004)", 4000, amount="100 + (v * 20000)::BIGINT"),
        _part("'unsubscribe'", "NOT held AND v > 0.998", 700),
        f"SELECT printf('cus_%07d', pick(i, 1000 + {day}, {customers})), NULL, NULL, NULL, NULL, NULL,"
        " CASE WHEN i % 6 = 0 THEN 'web_visit' ELSE 'transaction' END,"
        f" to_timestamp({midnight} + pick(i, 12, 86400))::TIMESTAMPTZ, false,"
        f" CASE WHEN i % 6 > 0 THEN 100 + pick(i, 13, 9000) END::BIGINT FROM range({others}) AS numbers(i)",
    ]
    body = " UNION ALL ".join(parts)
    return (
        f"SELECT printf('e{day:03d}%09d', row_number() OVER ()) AS event_id, customer_id, kind,"
        " moment AS occurred_at, moment + INTERVAL 2 SECOND AS received_at, offer_id, campaign_id, channel,"
        " variant_id, message_id, NULL::VARCHAR AS decision_id, amount_minor,"
        " CASE WHEN amount_minor IS NOT NULL THEN 'EUR' END AS currency, machine,"
        " NULL::VARCHAR AS machine_signals, extract(hour FROM moment)::INTEGER AS local_hour,"
        " (extract(isodow FROM moment) - 1)::INTEGER AS local_weekday, 'bench' AS source,"
        " NULL::VARCHAR AS user_agent, NULL::VARCHAR AS network, NULL::VARCHAR AS device,"
        " NULL::VARCHAR AS page, NULL::VARCHAR AS attributes"
        f" FROM ({body}) AS all_rows({_NAMES}, kind, moment, machine, amount_minor) ORDER BY occurred_at"
    )


def _part(kind: str, condition: str, seconds: int, *, machine: str = "false", amount: str = "NULL") -> str:
    return (
        f"SELECT {_NAMES}, {kind}, moment + INTERVAL {seconds} SECOND, {machine}, {amount}::BIGINT"
        f" FROM plan WHERE {condition}"
    )
