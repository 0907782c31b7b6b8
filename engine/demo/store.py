"""Where the demo bank's people and plans are kept: rows of PostgreSQL and of the customers table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.catalog.erasures import known_erased
from smart_reach.engine.catalog.tables import Campaign, Consent, Customer
from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.campaigns import PastCampaign
from smart_reach.engine.demo.simulation.history import Past, Withdrawal
from smart_reach.engine.demo.simulation.population import Array, Population, customer_id
from smart_reach.engine.demo.simulation.zones import DAY
from smart_reach.engine.demo.tables import DemoCursor, DemoPending
from smart_reach.engine.events.bulk import copy_rows
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

ALWAYS_ON = "always_on"  # microseconds since 1970
_BANDS = ((25, "18–24"), (35, "25–34"), (45, "35–44"), (55, "45–54"), (65, "55–64"), (999, "65+"))


def age_band(age: int) -> str:
    """The band that holds an age."""
    return next(label for limit, label in _BANDS if age < limit)


def clear(workspace: Workspace) -> None:
    """Take away what an interrupted build left behind."""
    workspace.lake.clear()
    with transaction(workspace.db) as session:
        for table in (DemoPending, DemoCursor, Consent, Campaign, Customer):
            session.execute(delete(table))


def customers_table(people: Population, now: datetime) -> pa.Table:
    """Rows of the lake's customers table: what the bank knows, at the clock's now."""
    joined = _joined(people)
    began = np.maximum(-people.tenure_days, -world.LEAD_DAYS) * DAY + int(people.start)
    columns: dict[str, Any] = {
        "customer_id": people.ids(),
        "segment": _words(people.segment, world.SEGMENTS),
        "region": _words(people.region, world.REGIONS),
        "zone": _words(people.zone, world.ZONES),
        "age": pa.array(people.age, pa.int32()),
        "age_band": [age_band(int(age)) for age in people.age],
        "job": _words(people.job, world.JOBS),
        "marital": _words(people.marital, world.MARITAL),
        "income_band": _words(people.income, world.INCOME_BANDS),
        "tenure_months": pa.array([_months(day, now.date()) for day in joined], pa.int32()),
        "joined_on": pa.array(joined, pa.date32()),
        "holdings": pa.array(_holds(people).sum(axis=1), pa.int32()),
        "holdout": people.holdout,
        "primary_channel": _words(people.primary_channel, world.CHANNEL_IDS),
        "opened_at": pa.array(began * 1_000_000).cast(pa.timestamp("us", tz="UTC")),
        "opening_balance_minor": pa.array(people.balance, pa.int64()),
        "monthly_inflow_minor": pa.array(_inflow(people), pa.int64()),
    }
    for number, category in enumerate(world.CATEGORIES):
        columns[f"had_{category}"] = people.held[:, number]
    return pa.table(columns)


def save_customers(
    workspace: Workspace, people: Population, withdrawals: Sequence[Withdrawal], now: datetime
) -> None:
    """Customers and their consent into PostgreSQL by COPY."""
    table = customers_table(people, now)
    kept = (
        "segment region age age_band job marital income_band tenure_months holdings primary_channel joined_on"
    )
    rows = table.select(["customer_id", "zone", "holdout", *kept.split()]).to_pylist()
    copy_rows(
        workspace.db,
        "customers",
        ("id", "zone", "language", "holdout", "attributes"),
        (
            (row["customer_id"], row["zone"], "en", row["holdout"], _attributes(row, kept.split()))
            for row in rows
        ),
    )
    copy_rows(
        workspace.db,
        "consents",
        ("customer_id", "channel", "purpose", "granted", "changed_at", "source"),
        _consents(people, withdrawals, now),
    )


def save_past(workspace: Workspace, past: Past, to_come: pa.Table, now: datetime) -> None:
    """Finished campaigns, and answers that will arrive after now."""
    with transaction(workspace.db) as session:
        session.add_all(
            Campaign(**campaign_values(campaign, past.population, "finished")) for campaign in past.campaigns
        )
        add_pending(session, to_come.to_pylist())
        session.add(DemoCursor(name="inbox", position=0))
        session.add(DemoCursor(name="organic", position=int(now.timestamp())))
        session.add(DemoCursor(name=ALWAYS_ON, position=int(now.timestamp() * 1e6)))
        session.add(DemoCursor(name="held_out", position=int(now.timestamp() * 1e6)))


def add_pending(session: Session, events: Sequence[dict[str, Any]]) -> None:
    """Events (rows of the events table) that will happen; one that is already known is left alone.

    Erased people do nothing any more. The gate is not held: the lake is written before this transaction ends.
    """
    gone = known_erased(session, {event["customer_id"] for event in events})
    rows = [
        {
            "event_id": event["event_id"],
            "due_at": event["received_at"],
            "customer_id": event["customer_id"],
            "kind": event["kind"],
            "offer_id": event["offer_id"],
            "payload": {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in event.items()
                if value is not None
            },
            "done": False,
        }
        for event in events
        if event["customer_id"] not in gone
    ]
    for first in range(0, len(rows), 2000):
        session.execute(insert(DemoPending).on_conflict_do_nothing(), rows[first : first + 2000])


def _consents(
    people: Population, withdrawals: Sequence[Withdrawal], now: datetime
) -> Iterable[tuple[Any, ...]]:
    joined = _joined(people)
    for number in range(people.size):
        given = datetime(joined[number].year, joined[number].month, joined[number].day, 9, tzinfo=UTC)
        for channel in np.flatnonzero(people.consent[number]):
            word = world.CHANNEL_IDS[channel]
            yield customer_id(number), word, "marketing", True, given, "demo: account opening"
    for gone in withdrawals:
        at = datetime.fromtimestamp(gone.at, UTC)
        if at <= now:
            word = world.CHANNEL_IDS[gone.channel]
            yield customer_id(gone.customer), word, "marketing", False, at, "demo: unsubscribed"


def campaign_values(campaign: PastCampaign, people: Population, status: str) -> dict[str, Any]:
    """The columns of an always-on campaign's row."""
    offer, channel = world.OFFERS[campaign.offer], world.CHANNEL_IDS[campaign.channel]
    payload = {"id": campaign.id, "offer_id": offer, "channel": channel, "tones": list(campaign.tones)}
    created = datetime.fromtimestamp(int(people.start) + campaign.day * DAY, UTC) - timedelta(hours=12)
    name = f"{offer.replace('-', ' ').capitalize()} by {channel.replace('_', '-')}, {created:%d %b} (demo)"
    return {
        "id": campaign.id,
        "name": name,
        "offer_id": offer,
        "channel": channel,
        "window": world.WINDOW_IDS[campaign.window],
        "status": status,
        "proposal_id": f"history-{campaign.id}",
        "payload_hash": content_hash(payload),
        "created_at": created,
    }


def _joined(people: Population) -> list[date]:
    start = datetime.fromtimestamp(int(people.start), UTC).date()
    return [start - timedelta(days=int(days)) for days in people.tenure_days]


def _months(since: date, today: date) -> int:
    return max(0, (today.year - since.year) * 12 + today.month - since.month)


def _holds(people: Population) -> Array:
    """Categories held at the end of the history."""
    held = people.held.copy()
    for category in range(len(world.CATEGORIES)):
        held[:, category] |= people.accepted[:, category == world.OFFER_CATEGORY].any(axis=1)
    return np.asarray(held)


def _inflow(people: Population) -> Array:
    """Monthly income left for card spending: about what the customer spends, a little more or less."""
    spend = people.activity * 30.4 * np.array([1_400, 2_600, 6_200])[people.income] * 1.38
    return np.asarray(spend * np.clip(1.05 + 0.12 * people.persuadable, 0.7, 1.4)).astype(np.int64)


def _attributes(row: dict[str, Any], names: Sequence[str]) -> str:
    return json.dumps({name: row[name] for name in names}, default=str, ensure_ascii=False)


def _words(codes: Array, words: Sequence[str]) -> pa.Array:
    return pa.array(list(words)).take(pa.array(codes.astype(np.int32)))
