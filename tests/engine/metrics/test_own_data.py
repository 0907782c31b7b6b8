"""A workspace of one's own: what its records do not say is not shown, and never guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import NotFound
from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA
from smart_reach.engine.metrics.service import MetricsService
from smart_reach.engine.workspace import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(number: int, kind: str, days: float, **values: Any) -> dict[str, Any]:
    at = NOW - timedelta(days=days)
    row = {
        "event_id": f"e{number}",
        "customer_id": f"cus_{number % 40:06d}",
        "kind": kind,
        "occurred_at": at,
        "received_at": at + timedelta(seconds=2),
        "machine": False,
        "source": "test",
        "local_hour": at.hour,
        "local_weekday": at.weekday(),
    }
    return row | values


def purchases() -> list[dict[str, Any]]:
    """Forty customers who buy every few days, with refunds; nobody is ever written to."""
    return [
        event(n, "transaction", n / 8, amount_minor=-500 if n % 9 == 0 else 1000 + n, currency="GBP")
        for n in range(400)
    ]


def campaign() -> list[dict[str, Any]]:
    """A campaign with a control group, as Hillstrom's file has it."""
    rows = []
    for n in range(60):
        about = {
            "message_id": f"m{n}",
            "campaign_id": "mens",
            "channel": "email",
            "customer_id": f"cus_{n:06d}",
        }
        if n % 3 == 0:
            rows.append(event(1000 + n, "held_out", 5, **about))
            continue
        rows.append(event(1000 + n, "sent", 5, **about))
        rows.append(event(1100 + n, "delivered", 5, **about))
        if n % 2:
            rows.append(event(1200 + n, "click", 4.9, machine=n % 4 == 1, **about))
        if n % 5 == 0:
            rows.append(event(1300 + n, "conversion", 4, amount_minor=2500, currency="GBP", **about))
    return rows


@pytest.fixture
def own(workspace: Workspace) -> Iterator[Callable[[list[dict[str, Any]]], MetricsService]]:
    """A service over these events, read as the product reads them."""

    def of(rows: list[dict[str, Any]]) -> MetricsService:
        names = [name for name in EVENT_SCHEMA.names if any(name in row for row in rows)]
        schema = pa.schema([EVENT_SCHEMA.field(name) for name in names])
        if rows:
            workspace.lake.append("events", pa.Table.from_pylist(rows, schema=schema))
        at = workspace.lake.connect
        return MetricsService(
            workspace.lake.connect,
            "own-data",
            FixedClock(NOW),
            at=lambda snapshot: at(at=snapshot),
            zone="Europe/London",
            currency="GBP",
        )

    yield of
    workspace.lake.close()
    workspace.db.dispose()


def test_an_empty_workspace_says_so(own: Callable[..., MetricsService]) -> None:
    service = own([])
    page = service.overview({"days": 14})
    assert page["tiles"] == page["volumes"] == page["funnel"]["steps"] == []
    assert page["freshness_s"] is page["churn"] is None
    assert service.ask("ctr by channel").refusal is not None
    assert service.overview_csv().startswith("metric,")


def test_purchases_alone_make_a_page(own: Callable[..., MetricsService]) -> None:
    service = own(purchases())
    page = service.overview({"days": 14})
    tiles = {tile["id"]: tile for tile in page["tiles"]}
    assert list(tiles) == ["active_customers", "transactions", "spend"]
    assert tiles["spend"]["display"].startswith("£")
    assert page["funnel"]["steps"] == page["heatmap"]["values"] == page["volumes"] == []
    assert [line["name"] for line in page["daily"]["series"]] == ["Spend", "Transactions", "Active customers"]
    assert sum(page["daily"]["series"][1]["values"]) == tiles["transactions"]["value"]
    assert page["cohorts"]["title"].endswith("buying")
    assert page["filters"] == {"offers": [], "channels": [], "segments": []}
    assert service.people("spend", {"days": 14})["total"] == tiles["active_customers"]["value"]
    assert service.people("ctr")["total"] == 0


def test_a_campaign_shows_its_control_group(own: Callable[..., MetricsService]) -> None:
    page = own([*purchases(), *campaign()]).overview({"days": 14})
    tiles = {tile["id"]: tile for tile in page["tiles"]}
    assert tiles["reach"]["value"] == 40
    assert {"incremental_revenue", "spend"} <= set(tiles)
    assert "£" in tiles["incremental_revenue"]["note"]
    assert "€" not in str(page)
    assert page["funnel"]["steps"][-1]["holdout_share"] is not None
    assert page["filters"]["channels"] == [{"id": "email", "name": "E-mail"}]


def test_without_a_control_group_revenue_is_not_called_incremental(
    own: Callable[..., MetricsService],
) -> None:
    rows = [row for row in campaign() if row["kind"] != "held_out"]
    page = own(rows).overview({"days": 14})
    assert "incremental_revenue" not in {tile["id"] for tile in page["tiles"]}
    assert page["funnel"]["note"].endswith("no holdout was kept back.")


def test_questions_are_answered_in_the_workspace_s_currency(own: Callable[..., MetricsService]) -> None:
    service = own([*purchases(), *campaign()])
    assert "£" in service.ask("How much did customers spend each month?").text
    for starter in service.starters():
        answer = service.ask(starter["text"])
        assert answer.refusal is None, starter
        assert answer.clarification is None, starter


def test_what_the_records_lack_is_declined(own: Callable[..., MetricsService]) -> None:
    answer = own(purchases()).ask("spend by segment last 30 days")
    assert answer.refusal is not None


def test_the_rollup_gives_the_same_page(own: Callable[..., MetricsService], workspace: Workspace) -> None:
    service = own([*purchases(), *campaign()])
    raw = service.overview({"days": 30})
    assert rollups.refresh(workspace.lake).did == "rebuilt"
    assert service.overview({"days": 30}) == raw
    filtered = service.overview({"days": 30, "channel": "email", "raw": "1"})
    rollups.clear(workspace.lake)
    assert service.overview({"days": 30, "channel": "email", "raw": "1"}) == filtered


def test_an_older_snapshot_shows_the_page_as_it_was(
    own: Callable[..., MetricsService], workspace: Workspace
) -> None:
    service = own(purchases())
    before, snapshot = service.overview({"days": 14}), workspace.lake.snapshot_id("events")
    own([event(n, "transaction", 0.1, amount_minor=99, currency="GBP") for n in range(5000, 5050)])
    rollups.refresh(workspace.lake)
    assert service.overview({"days": 14})["tiles"] != before["tiles"]
    old = service.overview({"days": 14, "snapshot": str(snapshot)})
    assert (old["tiles"], old["snapshot"]) == (before["tiles"], str(snapshot))
    with pytest.raises(NotFound):
        service.overview({"snapshot": "12345"})


def test_no_connection_is_left_open(own: Callable[..., MetricsService]) -> None:
    service = own(campaign())
    opened: list[duckdb.DuckDBPyConnection] = []
    inner = service._connect

    def counted() -> Any:
        opened.append(inner())  # type: ignore[arg-type]
        return opened[-1]

    service._connect = counted
    service.overview()
    service.people("ctr")
    service.ask("ctr by channel")
    assert len(opened) >= 3
    for connection in opened:
        with pytest.raises(duckdb.Error):
            connection.execute("SELECT 1")


def test_months_are_whole_unless_the_question_says_when(own: Callable[..., MetricsService]) -> None:
    service = own(purchases())
    for text in ("spend by month", "How much did customers spend each month?", "monthly spend"):
        spec = service.parse(text).spec
        assert spec is not None
        assert spec.grain == "month"
        assert spec.period is not None
        assert spec.period.start.day == 1
        assert (NOW.date() - spec.period.start).days > 330
    assert service.parse("spend by month, last 30 days").spec.period.days == 30  # type: ignore[union-attr]


def test_amounts_in_another_currency_are_not_summed(own: Callable[..., MetricsService]) -> None:
    rows = purchases()
    before = own(rows).ask("spend last 14 days").table
    foreign = {**rows[0], "event_id": "foreign", "currency": "USD", "amount_minor": 10**9}
    service = own([foreign])
    assert service.ask("spend last 14 days").table == before
    page = service.overview({"days": 14})
    assert next(tile["value"] for tile in page["tiles"] if tile["id"] == "spend") < 10**9


def test_features_of_the_data_s_end_are_on_the_page(
    own: Callable[..., MetricsService], workspace: Workspace
) -> None:
    service = own(purchases())
    newest = service.newest()
    assert newest is not None
    as_of = newest + timedelta(microseconds=1)  # as a file's features are computed
    row = {"customer_id": "cus_000001", "as_of": as_of, "days_since_active": 1.0, "spend_30d_minor": 500.0}
    schema = pa.schema(
        [
            ("customer_id", pa.string()),
            ("as_of", pa.timestamp("us", tz="UTC")),
            ("days_since_active", pa.float64()),
            ("spend_30d_minor", pa.float64()),
        ]
    )
    workspace.lake.append("features", pa.Table.from_pylist([row], schema=schema))
    service.clock = FixedClock(newest + timedelta(days=4000))
    page = service.overview({"days": 14})
    assert page["churn"] is not None
    assert "churn_risk" in {tile["id"] for tile in page["tiles"]}
    assert service.people("yearly_spend", {"days": 14})["total"] == 1


def test_a_snapshot_answers_as_of_its_own_end(workspace: Workspace) -> None:
    workspace.set_info("kind", "own-data")
    workspace.set_info("currency", "GBP")
    names = [name for name in EVENT_SCHEMA.names if name in purchases()[0]]
    schema = pa.schema([EVENT_SCHEMA.field(name) for name in names])
    rows = purchases()
    workspace.lake.append("events", pa.Table.from_pylist(rows[-100:], schema=schema))
    first = workspace.lake.snapshot_id("events")
    workspace.lake.append("events", pa.Table.from_pylist(rows[:-100], schema=schema))
    assert first is not None
    then, now = MetricsService.of(workspace, first), MetricsService.of(workspace)
    assert then.newest() == then.clock.now() < max(row["occurred_at"] for row in rows)
    question = "number of transactions, all time"
    tables = [service.ask(question).table for service in (then, now)]
    assert [table and table["rows"] for table in tables] == [[[100]], [[len(rows)]]]
    with pytest.raises(NotFound):
        MetricsService.of(workspace, 12)
    workspace.lake.close()
    workspace.db.dispose()
