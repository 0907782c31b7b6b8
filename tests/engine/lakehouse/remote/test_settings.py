"""How an environment chooses the lake, and that a workspace works on the one it chose."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.writer import EventWriter
from smart_reach.engine.settings import LakeSettings, Settings
from smart_reach.engine.workspace import Workspace
from tests.conftest import NOON
from tests.engine.lakehouse.remote.conftest import Bucket
from tests.engine.lakehouse.rows import event_ids, numbered

ENV = {
    "SMART_REACH_LAKE_CATALOG": "rest:https://lakehouse.example/iceberg",
    "SMART_REACH_LAKE_CREDENTIAL": "me:the-secret",
    "SMART_REACH_LAKE_WAREHOUSE": "s3://bank/reach",
    "AWS_SECRET_ACCESS_KEY": "s3-secret",
    "AWS_DEFAULT_REGION": "eu-de",
}


def test_the_lake_is_in_the_workspace_unless_the_environment_says_otherwise() -> None:
    assert Settings.from_env({}).lake is None
    lake = Settings.from_env(ENV, workspace="my-shop").lake
    assert lake is not None
    assert (lake.url, lake.namespace) == ("https://lakehouse.example/iceberg", "smart_reach_my_shop")
    assert (lake.warehouse, lake.region, lake.cache_bytes) == ("s3://bank/reach", "eu-de", 20_000_000_000)


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Settings.from_env(ENV)).replace("s3_secret", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"SMART_REACH_LAKE_CATALOG": "https://lakehouse.example"},
        {"SMART_REACH_LAKE_CATALOG": "hive:thrift://x"},
        {"SMART_REACH_LAKE_CACHE_MB": "0"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        LakeSettings.from_env({**ENV, **wrong}, "demo")


def test_a_workspace_works_on_a_lake_elsewhere(
    home: Path, settings: LakeSettings, bucket: Bucket, workspace: Workspace
) -> None:
    elsewhere = Settings(home=home, workspace=f"{workspace.name}r", lake=settings)
    for expected in (5, 0):  # the second time after a restart: the same ids are known
        opened = Workspace.open(elsewhere, FixedClock(NOON))
        assert EventWriter(opened.lake).write(numbered(range(5), received_at=NOON)) == expected
        assert len(event_ids(opened.lake)) == 5
        opened.lake.close()
        opened.db.dispose()
    assert len(bucket.data_files()) == 1
