"""What is compacted, expired or erased is gone from the bucket, and from the copies of it."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from smart_reach.engine.lakehouse import rollups
from smart_reach.engine.lakehouse.compact import compact_events
from smart_reach.engine.lakehouse.erase import erase_customer
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.lakehouse.maintenance import expire, orphans
from smart_reach.engine.settings import LakeSettings
from tests.engine.lakehouse.remote.conftest import Bucket
from tests.engine.lakehouse.rows import START, event_ids, numbered

NONE = timedelta(0)
OpenLake = Callable[..., Lakehouse]


def ids(*numbers: int) -> list[str]:
    return sorted(f"e{number}-sent" for number in numbers)


def copies(lake: Lakehouse) -> list[Path]:
    return sorted((lake.root / "remote").rglob("*.parquet"))


def test_compacted_and_expired_files_are_gone_from_the_bucket(lake: Lakehouse, bucket: Bucket) -> None:
    for number in range(6):
        lake.append("events", numbered([number]), positions={"kafka": {"0": number}})
    before = bucket.data_files()
    assert compact_events(lake, many=3) == 5
    assert bucket.data_files() > before
    assert expire(lake, older_than=NONE, keep=1).files_deleted == 0  # a reader may have them open
    report = expire(lake, older_than=NONE, keep=1, grace=NONE)
    assert report.files_deleted > 6
    assert report.bytes_deleted > 0
    assert len(bucket.data_files()) == 1 == len(copies(lake))
    assert not bucket.data_files() & before
    assert orphans(lake) == []
    assert event_ids(lake) == ids(*range(6))
    assert lake.positions() == {"kafka": {"0": 5}}


def test_a_table_of_others_beside_ours_is_left_alone(lake: Lakehouse, bucket: Bucket) -> None:
    lake.append("events", numbered([1]))
    system, place = lake.store._system(f"{lake.load('events').location()}")  # type: ignore[attr-defined]
    theirs = f"{place.rpartition('/')[0]}/theirs/data/x.parquet"
    with system.open_output_stream(theirs) as target:
        target.write(b"theirs")
    expire(lake, older_than=NONE, keep=1, grace=NONE)
    assert theirs.partition("/")[2] in bucket.objects()


def test_nothing_of_an_erased_customer_is_left(lake: Lakehouse, open_lake: OpenLake, bucket: Bucket) -> None:
    gone = "cus_000002"
    lake.append("events", numbered(range(30)), positions={"kafka": {"0": 30}})
    lake.append("events", numbered([2], kind="click", event_id="c"))
    lake.overwrite("customers", pa.table({"customer_id": ["cus_000001", gone], "age": [30, 40]}))
    lake.append("features", pa.table({"customer_id": [gone], "as_of": [START]}))
    rollups.refresh(lake)
    part = lake.root / "remote" / "parts" / "left-by-a-killed-process"
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(gone.encode())
    elsewhere = open_lake("another machine")
    event_ids(elsewhere)
    erased = erase_customer(lake, gone)
    assert erased.rows == {"events": 2, "customers": 1, "features": 1}
    here = {str(path): path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    for name, data in {**bucket.objects(), **here}.items():
        assert gone.encode() not in data, name
        if name.endswith(".parquet"):
            assert gone not in pq.read_table(io.BytesIO(data)).column("customer_id").to_pylist(), name
    assert len(event_ids(elsewhere)) == 29
    # copies on other machines go with their maintenance
    expire(elsewhere, grace=NONE)
    there = [pq.read_table(path) for path in copies(elsewhere)]
    assert there
    assert all(gone not in rows.column("customer_id").to_pylist() for rows in there)


def test_the_longest_unused_copies_go_first(
    lake: Lakehouse, open_lake: OpenLake, settings: LakeSettings
) -> None:
    for day in range(4):
        lake.append("events", numbered([day * 24]))
    size = lake.data_files("events")[0].bytes
    elsewhere = open_lake("small", use=replace(settings, cache_bytes=int(size * 2.5)))
    assert event_ids(elsewhere) == ids(0, 24, 48, 72)
    assert len(copies(elsewhere)) == 4  # in use: more than the limit
    old = elsewhere.files("events")
    for age, path in enumerate(old):
        os.utime(path, (time.time() - 5000 + age,) * 2)
    lake.append("events", numbered([96]))
    added = elsewhere.added_files("events", lake.snapshots("events")[-2].id) or []
    assert [str(path) for path in copies(elsewhere)] == sorted([*old[3:], *added])
    assert event_ids(elsewhere) == ids(0, 24, 48, 72, 96)


def test_cleared_means_empty_in_the_bucket_too(lake: Lakehouse, bucket: Bucket) -> None:
    lake.append("events", numbered([1]))
    lake.clear()
    assert bucket.data_files() == set()
    assert event_ids_or_none(lake) is None
    lake.append("events", numbered([2]))
    assert event_ids(lake) == ids(2)


def event_ids_or_none(lake: Lakehouse) -> list[str] | None:
    return event_ids(lake) if lake.files("events") else None
