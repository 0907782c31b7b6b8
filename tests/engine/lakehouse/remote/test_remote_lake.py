"""The lake in a REST catalog and a bucket keeps every promise of the one in the workspace."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smart_reach.engine.errors import Conflict, NotFound, Unavailable
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.erase import erase_customer
from smart_reach.engine.lakehouse.iceberg.commits import Change
from smart_reach.engine.lakehouse.iceberg.files import split_by_day, write_file
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.maintenance import expire
from smart_reach.engine.lakehouse.schemas import as_events
from smart_reach.engine.settings import LakeSettings
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.remote.catalog_server import CLIENT, SECRET, CatalogServer
from tests.engine.lakehouse.remote.conftest import Bucket
from tests.engine.lakehouse.rows import START, event_ids, numbered
from tests.serving import free_port

NONE = timedelta(0)
OpenLake = Callable[..., Lakehouse]


def copies(lake: Lakehouse) -> list[Path]:
    return sorted((lake.root / "remote").rglob("*.parquet"))


def ids(*numbers: int) -> list[str]:
    return sorted(f"e{number}-sent" for number in numbers)


def test_rows_and_positions_are_sealed_in_the_bucket(
    lake: Lakehouse, open_lake: OpenLake, bucket: Bucket
) -> None:
    lake.append("events", numbered(range(30)), positions={"kafka": {"0": 30}})
    lake.overwrite("customers", pa.table({"customer_id": ["cus_000001"], "age": [30]}))
    assert len(bucket.data_files()) == 3  # two days, and the customers
    elsewhere = open_lake("another machine")
    assert event_ids(elsewhere) == ids(*range(30))
    assert elsewhere.positions() == {"kafka": {"0": 30}}
    elsewhere.append("events", numbered([30]), positions={"kafka": {"0": 31}})
    assert lake.positions() == {"kafka": {"0": 31}}
    with lake.connect() as connection:
        assert connection.execute("SELECT age FROM customers").fetchall() == [(30,)]
        assert connection.execute("SELECT count(*) FROM events").fetchall() == [(31,)]


def test_files_are_fetched_once_and_only_those_that_are_asked_for(
    lake: Lakehouse, open_lake: OpenLake, bucket: Bucket
) -> None:
    lake.append("events", numbered(range(30)))
    elsewhere = open_lake("another machine")
    assert copies(elsewhere) == []
    assert len(elsewhere.data_files("events")) == 2
    elsewhere.files("events", since=START + timedelta(days=1))
    assert len(copies(elsewhere)) == 1
    elsewhere.files("events")
    for name in bucket.data_files():
        bucket.remove(name)
    assert event_ids(elsewhere) == ids(*range(30))


def test_a_reader_stays_locked_to_the_folder(lake: Lakehouse, bucket: Bucket, tmp_path: Path) -> None:
    import duckdb

    lake.append("events", numbered([1]))
    pq.write_table(numbered([2]), tmp_path / "outside.parquet")
    with lake.connect() as connection:
        for address in (tmp_path / "outside.parquet", f"s3://{bucket.name}/reach/x.parquet"):
            with pytest.raises(duckdb.Error):
                connection.execute(f"SELECT * FROM read_parquet('{address}')")


def test_a_lost_race_is_a_conflict_and_nothing_is_written(
    lake: Lakehouse, open_lake: OpenLake, workspace: Workspace
) -> None:
    """Even a writer that lost the lock without noticing cannot commit over another."""
    lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})
    zombie = open_lake()
    with zombie.writing():
        handle = zombie.load_for_writing("events")
        with workspace.db.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname ="
                " current_database() AND application_name = 'smart-reach lake writer'"
            )
        lake.append("events", numbered([2]), positions={"kafka": {"0": 2}})
        added = [write_file(handle, part, by_day=True) for part in split_by_day(as_events(numbered([3])))]
        with pytest.raises(Conflict):
            zombie.commit(handle, "events", Change("append", added), {"kafka": {"0": 2}})
    assert event_ids(lake) == ids(1, 2)
    assert lake.positions() == {"kafka": {"0": 2}}


def test_writers_take_turns(lake: Lakehouse, open_lake: OpenLake) -> None:
    lakes = [lake, open_lake(), open_lake("another machine")]

    def write(number: int) -> None:
        for step in range(4):
            lakes[number].append("events", numbered([number * 4 + step]))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert event_ids(lake) == ids(*range(12))
    assert lake.snapshots("events")[-1].rows == 12


@pytest.mark.parametrize("fate", ["lost", "repeated"])
def test_a_commit_without_an_answer_is_found_out(lake: Lakehouse, catalog: CatalogServer, fate: str) -> None:
    catalog.next_commits = [fate]
    snapshot = lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})
    assert lake.snapshot_id("events") == snapshot
    lake.append("events", numbered([2]))
    assert event_ids(lake) == ids(1, 2)


def test_a_commit_that_was_not_made_is_said_so(lake: Lakehouse, catalog: CatalogServer) -> None:
    catalog.next_commits = ["down"]
    with pytest.raises(Unavailable):
        lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})
    assert lake.positions() == {}
    lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})
    assert event_ids(lake) == ids(1)


def test_time_travel_and_names(lake: Lakehouse, open_lake: OpenLake) -> None:
    first = lake.append("events", numbered([1]))
    lake.append("events", numbered([2]))
    lake.keep("before", first)
    elsewhere = open_lake("another machine")
    assert event_ids(elsewhere, at=first) == ids(1)
    assert elsewhere.snapshots("events")[0].tags == ("before",)
    assert len(elsewhere.added_files("events", first) or []) == 1
    expire(lake, older_than=NONE, keep=1, grace=NONE)
    assert event_ids(elsewhere, at=first) == ids(1)
    with pytest.raises(NotFound):
        elsewhere.connect(at=17)


def test_all_goes_on_after_a_restart(
    open_lake: OpenLake, lake: Lakehouse, catalog: CatalogServer, bucket: Bucket, tmp_path: Path
) -> None:
    lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})
    lake.close()
    catalog.stop()
    with pytest.raises(Unavailable):
        open_lake()
    again = CatalogServer(tmp_path / "pointers.json", bucket.storage(), catalog.home, catalog.port)
    try:
        fresh = open_lake()
        assert fresh.positions() == {"kafka": {"0": 1}}
        fresh.append("events", numbered([2]))
        assert event_ids(fresh) == ids(1, 2)
        fresh.close()
    finally:
        again.stop()


@pytest.mark.parametrize("credential", [f"{CLIENT}:{SECRET}", SECRET])
def test_a_client_secret_or_an_api_key_gets_a_token(
    open_lake: OpenLake, settings: LakeSettings, catalog: CatalogServer, credential: str
) -> None:
    url = f"{catalog.url}/v1/oauth/tokens"
    lake = open_lake(use=replace(settings, token=None, credential=credential, token_url=url))
    lake.append("events", numbered([1]))
    assert 1 <= catalog.requests.count("POST /v1/oauth/tokens") <= 2
    with pytest.raises(Unavailable):
        open_lake(use=replace(settings, token=None, credential=f"{credential}x", token_url=url))
    with pytest.raises(Unavailable, match="refuses"):
        open_lake(use=replace(settings, token="wrong"))


def test_the_catalog_may_choose_the_place(
    open_lake: OpenLake, settings: LakeSettings, bucket: Bucket
) -> None:
    """A warehouse known by name, and addresses as Java writes them."""
    lake = open_lake(use=replace(settings, warehouse="lakehouse"))
    for number in range(3):
        lake.append("events", numbered([number]))
    compact_events(lake, many=2)
    expire(lake, older_than=NONE, keep=1, grace=NONE)
    assert [name.split("/")[0] for name in bucket.data_files()] == ["chosen"]
    assert event_ids(lake) == ids(0, 1, 2)
    erase_customer(lake, "cus_000001")
    lake.clear()
    assert bucket.data_files() == set()


def test_storage_that_does_not_answer_is_said_so(
    open_lake: OpenLake, lake: Lakehouse, settings: LakeSettings
) -> None:
    lake.append("events", numbered([1]), positions={"kafka": {"0": 1}})
    cut_off = open_lake("cut off", use=replace(settings, s3_endpoint=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises((Unavailable, OSError)):
        cut_off.append("events", numbered([2]), positions={"kafka": {"0": 2}})
    with pytest.raises((Unavailable, OSError)):
        event_ids(cut_off)
    assert lake.positions() == {"kafka": {"0": 1}}
    assert event_ids(lake) == ids(1)


def test_files_may_be_in_a_folder_instead(
    open_lake: OpenLake, settings: LakeSettings, tmp_path: Path
) -> None:
    lake = open_lake(use=replace(settings, namespace="shared", warehouse=f"file://{tmp_path}/warehouse"))
    lake.append("events", numbered([1]))
    assert len(list((tmp_path / "warehouse" / "shared" / "events").rglob("*.parquet"))) == 1
    erase_customer(lake, "cus_000001")
    assert not list(tmp_path.rglob("*.parquet"))
