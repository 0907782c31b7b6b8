"""The temporary tables that compiled features read: customers as integers, only the columns that count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.features.definitions import FeatureSet

# A reader has 1 GB and no disk to spill to: so many customers, and so many kept events, at a time.
_MOST_CUSTOMERS, _MOST_EVENTS = 200_000, 3_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")
_RECORDS = "kind IN ('customer', 'consent', 'holding')"


@dataclass(frozen=True)
class Surroundings:
    """What a set needs beside events and customers. `currency` None: amounts in any currency count."""

    categories: pa.Table  # offer_id, category
    currency: str | None = None

    def __post_init__(self) -> None:
        if self.currency is not None and not _CURRENCY.fullmatch(self.currency):
            raise InvalidInput("currency", self.currency, "Use three capital letters, such as EUR.")


def parts(connection: Any, features: FeatureSet, moments: int) -> int:
    """In how many parts the customers must be taken so that each fits into the reader's memory."""
    table = "customers" if features.population == "customers" else "events"
    people = connection.execute(f"SELECT approx_count_distinct(customer_id) FROM {table}").fetchall()[0][0]
    events = connection.execute("SELECT count(*) FROM events").fetchall()[0][0] if moments > 1 else 0
    return int(max(1, -(-people // _MOST_CUSTOMERS), -(-events // _MOST_EVENTS)))


def prepare(
    connection: Any,
    features: FeatureSet,
    around: Surroundings,
    *,
    only: Sequence[str] | None = None,
    part: tuple[int, int] = (0, 1),
    keep: bool = True,
) -> None:
    """Make `people` and `happened` on a reader of the lake, for all customers, some, or one part of them.

    `keep`: read the events once and hold them, for several queries; otherwise every query reads the lake.
    """
    connection.register("offer_categories", around.categories)
    connection.execute(_people(connection, features, only, part))
    columns = (
        "p.person, e.kind, e.occurred_at, e.known_at, e.channel, e.amount_minor, o.category, e.local_hour"
    )
    if features.population == "events":
        columns += ", e.event_id, e.offer_id, e.attributes"
    made, order = ("TABLE", " ORDER BY e.occurred_at") if keep else ("VIEW", "")
    drop = "".join(f"DROP {kind} IF EXISTS happened; " for kind in _existing(connection, "happened"))
    connection.execute(
        f"{drop}CREATE TEMP {made} happened AS SELECT {columns} FROM ({_events(features, around)}) e"
        f" JOIN people p USING (customer_id) LEFT JOIN offer_categories o USING (offer_id){order}"
    )


def _people(connection: Any, features: FeatureSet, only: Sequence[str] | None, part: tuple[int, int]) -> str:
    source = "customers"
    if features.population == "events":
        source = "(SELECT DISTINCT customer_id FROM events)"
    where = ""
    if only is not None:
        connection.register("touched", pa.table({"customer_id": pa.array(list(only), pa.string())}))
        where = " SEMI JOIN touched USING (customer_id)"
        if features.population == "events":
            source = "touched"  # nobody else need be looked for
            where = ""
    if part[1] > 1:
        where += f" WHERE hash(customer_id) % {int(part[1])} = {int(part[0])}"
    return (
        "CREATE OR REPLACE TEMP TABLE people AS"
        f" SELECT row_number() OVER (ORDER BY customer_id) AS person, * FROM {source}{where}"
    )


def _events(features: FeatureSet, around: Surroundings) -> str:
    """Events that count: no machines, only the kinds of the set, only the workspace's currency."""
    kinds = ", ".join(f"'{kind}'" for kind in features.kinds)
    among = f" AND kind IN ({kinds})" if kinds else ""
    amount = "amount_minor"
    if around.currency is not None:
        amount = f"CASE WHEN currency = '{around.currency}' THEN amount_minor END"
    extra = ""
    if features.population == "events":
        extra = f", event_id, CASE WHEN {_RECORDS} THEN attributes END AS attributes"
    known = f"CASE WHEN {features.imported} THEN least(occurred_at, received_at) ELSE received_at END"
    return (
        f"SELECT customer_id, kind, occurred_at, {known} AS known_at, channel, {amount} AS amount_minor,"
        f" offer_id, local_hour{extra} FROM events WHERE NOT machine{among}"
    )


def _existing(connection: Any, name: str) -> list[str]:
    rows = connection.execute(
        "SELECT table_type FROM information_schema.tables WHERE table_name = ?", [name]
    ).fetchall()
    return ["VIEW" if row[0] == "VIEW" else "TABLE" for row in rows]
