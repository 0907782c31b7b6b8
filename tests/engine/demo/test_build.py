"""The demo bank is believable, repeatable and labelled, and its features never see the future."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import stable_unit
from smart_reach.engine.catalog.tables import Campaign, Consent, Customer
from smart_reach.engine.demo.build import build_demo
from smart_reach.engine.demo.simulation import world
from smart_reach.engine.demo.simulation.population import customer_id, customer_number, make_population
from smart_reach.engine.demo.simulation.truth import Contact, Truth, load_truth
from smart_reach.engine.demo.simulation.zones import LocalTime
from smart_reach.engine.errors import Conflict, InvalidInput, NotFound
from smart_reach.engine.events.machine import FAST_SECONDS
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.workspace import Workspace

Seed = Callable[[Session, datetime], None]


def one(workspace: Workspace, sql: str) -> tuple[object, ...]:
    with workspace.lake.connect() as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return row


def test_events_are_whole_and_past(demo: Workspace) -> None:
    total, different, last = one(
        demo, "SELECT count(*), count(DISTINCT event_id), max(received_at) FROM events"
    )
    assert total == different
    assert last <= demo.clock.now()  # type: ignore[operator]
    wrong = "SELECT count(*) FROM messages WHERE (opened OR clicked) AND NOT delivered"
    assert one(demo, wrong) == (0,)
    assert one(demo, "SELECT count(*) FROM messages WHERE held_out AND (sent OR delivered OR clicked)") == (
        0,
    )
    labelled = "SELECT count(*) FROM events WHERE source <> 'demo'"
    assert one(demo, labelled) == (0,)


def test_the_holdout_is_stable_and_never_treated(demo: Workspace) -> None:
    with demo.lake.connect() as connection:
        rows = connection.execute("SELECT customer_id, holdout FROM customers").fetchall()
    assert all(held == (stable_unit("holdout", name) < world.HOLDOUT_SHARE) for name, held in rows)
    assert 0.05 < np.mean([held for _, held in rows]) < 0.16
    treated = "SELECT count(*) FROM messages JOIN customers USING (customer_id) WHERE holdout <> held_out"
    assert one(demo, treated) == (0,)


def test_postgres_and_the_lake_agree(demo: Workspace) -> None:
    with Session(demo.db) as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 500
        campaigns = set(session.scalars(select(Campaign.id)))
        consents = session.scalar(select(func.count()).select_from(Consent))
    assert consents is not None
    assert consents > 1000
    with demo.lake.connect() as connection:
        used = connection.execute("SELECT DISTINCT campaign_id FROM messages").fetchall()
    assert {row[0] for row in used} <= campaigns
    assert demo.info("kind") == "demo-bank"


def test_scanners_click_and_the_filter_finds_them(demo: Workspace) -> None:
    sql = "SELECT count(*), count(*) FILTER (machine) FROM events WHERE event_id LIKE '%:click:2'"
    scanners, found = one(demo, sql)
    assert scanners == found
    assert scanners > 0  # type: ignore[operator]
    slow = (
        "SELECT count(*) FROM events e JOIN events d USING (message_id) WHERE d.kind = 'delivered'"
        f" AND e.occurred_at > d.occurred_at + INTERVAL {FAST_SECONDS} SECOND"
        " AND e.machine AND e.machine_signals NOT LIKE '%burst%'"
    )
    assert one(demo, slow) == (0,)


def test_a_second_build_is_refused_and_the_first_repeats(
    demo: Workspace, offers: Seed, open_workspace: Callable[..., Workspace]
) -> None:
    with pytest.raises(Conflict):
        build_demo(demo, seed_catalog=offers, customers=500, days=20)
    other = open_workspace()
    build_demo(other, seed_catalog=offers, customers=500, days=20)
    digest = (
        "SELECT count(*), sum(hash(event_id || kind || occurred_at::VARCHAR)::HUGEINT) FROM events"
        " WHERE source = 'demo'"
    )
    assert one(other, digest) == one(demo, digest)


def test_an_interrupted_build_starts_again(
    offers: Seed, open_workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace()

    def fails(*_: object) -> int:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "build", fails)
        with pytest.raises(RuntimeError):
            build_demo(workspace, seed_catalog=offers, customers=60, days=16)
    assert workspace.info("kind") is None
    report = build_demo(workspace, seed_catalog=offers, customers=60, days=16)
    assert one(workspace, "SELECT count(*) FROM events") == (report.events,)


@pytest.mark.parametrize(("customers", "days"), [(10, 20), (500, 3)])
def test_sizes_out_of_range_are_refused(
    workspace: Workspace, offers: Seed, customers: int, days: int
) -> None:
    with pytest.raises(InvalidInput):
        build_demo(workspace, seed_catalog=offers, customers=customers, days=days)


def test_truth_needs_a_demo(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        load_truth(workspace)


def contact(people_count: int, **changes: object) -> Contact:
    size = np.arange(people_count)
    values: dict[str, object] = {
        "customer": size,
        "offer": np.zeros_like(size),
        "channel": np.ones_like(size),
        "window": np.full_like(size, 3),
        "benefit": np.zeros(people_count, bool),
        "day": np.full(people_count, 50.0),
        "weekday": np.full_like(size, 2),
        "recent": np.zeros_like(size),
        "held": np.zeros(people_count, bool),
        "accepted": np.zeros(people_count, bool),
    }
    return Contact(**(values | changes))  # type: ignore[arg-type]


def test_the_truth_has_what_the_product_must_find() -> None:
    people = make_population(20_000, 90, 1_790_000_000, 7)
    truth = Truth(people)
    plain, benefit = contact(20_000), contact(20_000, benefit=np.ones(20_000, bool))
    lift = truth.click(benefit).mean() / truth.click(plain).mean()
    assert 1.2 < lift < 1.6
    accept = truth.accept(plain)
    assert 0.01 < np.median(accept) < 0.05
    assert accept.max() > 0.7
    uplift = truth.uplift(plain)
    assert uplift.mean() > 0.003
    assert (uplift < 0).mean() > 0.02
    tired = contact(20_000, recent=np.full(20_000, 6))
    assert truth.click(tired).mean() < 0.7 * truth.click(plain).mean()


def test_ids_and_local_hours() -> None:
    assert customer_number(customer_id(41)) == 41
    zones = ["Europe/Lisbon", "Europe/Madrid"]
    change = int(datetime.fromisoformat("2026-10-25T01:00:00+00:00").timestamp())
    local = LocalTime(zones, change - 86_400, change + 86_400)
    both = np.array([0, 1])
    hour, weekday = local.hour_and_weekday(both, np.array([change - 1, change - 1]))
    assert hour.tolist() == [1, 2]
    hour, _ = local.hour_and_weekday(both, np.array([change, change]))
    assert hour.tolist() == [1, 2]
    assert weekday.tolist() == [6, 6]
    noon = change - change % 86_400 + 12 * 3600
    assert (local.utc(both, np.array([noon, noon])) - noon).tolist() == [0, -3600]


def test_features_never_see_the_future(demo: Workspace) -> None:
    """Snapshots of the past do not change when later events are taken away."""
    with demo.lake.connect() as connection:
        moments = [
            row[0] for row in connection.execute("SELECT DISTINCT as_of FROM features ORDER BY 1").fetchall()
        ]
        middle = moments[1]
        stored = connection.execute(
            "SELECT customer_id, transactions_30d, spend_30d_minor, visits_30d, messages_30d, clicks_30d"
            " FROM features WHERE as_of = ? ORDER BY 1",
            [middle],
        ).fetchall()
        recomputed = connection.execute(
            """SELECT c.customer_id, count(e.event_id) FILTER (kind = 'transaction'),
                coalesce(sum(amount_minor) FILTER (kind = 'transaction'), 0)::BIGINT,
                count(e.event_id) FILTER (kind = 'web_visit'), count(e.event_id) FILTER (kind = 'sent'),
                count(e.event_id) FILTER (kind = 'click')
            FROM customers c LEFT JOIN events e ON e.customer_id = c.customer_id AND NOT machine
                AND e.occurred_at < ? AND e.received_at <= ? AND e.occurred_at >= ?
            WHERE c.joined_on <= ?::DATE GROUP BY 1 ORDER BY 1""",
            [middle, middle, middle - timedelta(days=30), middle],
        ).fetchall()
    assert stored == recomputed


def test_training_rows_use_the_newest_features_before_sending(demo: Workspace) -> None:
    store = FeatureStore(demo)
    frame = store.training_frame("rewards-card")
    assert len(frame) > 20
    assert frame["at"].is_monotonic_increasing
    assert set(frame["outcome"]) <= {0, 1}
    assert frame["at"].max() <= demo.clock.now() - timedelta(days=2)
    with demo.lake.connect() as connection:
        for row in frame.head(40).itertuples():
            newest = connection.execute(
                "SELECT arg_max(transactions_30d, as_of), max(as_of) FROM features"
                " WHERE customer_id = ? AND as_of < ?",
                [row.customer_id, row.at.to_pydatetime()],
            ).fetchone()
            assert newest is not None
            assert newest[0] == row.transactions_30d
    assert [definition.name for definition in store.definitions if definition.name not in frame.columns] == []


def test_online_features_are_the_newest(demo: Workspace) -> None:
    store = FeatureStore(demo)
    frame = store.online()
    assert frame.index.is_unique
    assert len(frame) == 500
    assert list(store.online(["cus_000007", "cus_000002"]).index) == ["cus_000007", "cus_000002"]
    with pytest.raises(NotFound, match="cus_999999"):
        store.online(["cus_999999"])
    assert set(frame["has_card"]) <= {0.0, 1.0}
    assert frame["preferred_channel"].isin(world.CHANNEL_IDS).all()
