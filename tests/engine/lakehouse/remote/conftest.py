"""A lake elsewhere: an Iceberg REST catalog and an S3 server (moto), both real servers on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.settings import LakeSettings
from smart_reach.engine.workspace import Workspace
from tests.engine.lakehouse.remote.catalog_server import TOKEN, CatalogServer
from tests.serving import free_port

KEYS = {"s3_key_id": "loopback", "s3_secret": "loopback-key", "region": "eu-west-1"}


class Bucket:
    """One bucket, looked at with another client than the lake's."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint = endpoint
        self.name = name
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=KEYS["s3_key_id"],
            aws_secret_access_key=KEYS["s3_secret"],
            region_name=KEYS["region"],
        )

    def make(self) -> None:
        self._s3.create_bucket(
            Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": KEYS["region"]}
        )

    def objects(self) -> dict[str, bytes]:
        """Everything that has content; pyarrow leaves empty markers of folders."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        names = [found["Key"] for page in pages for found in page.get("Contents", []) if found["Size"]]
        return {name: self._s3.get_object(Bucket=self.name, Key=name)["Body"].read() for name in names}

    def data_files(self) -> set[str]:
        return {name for name in self.objects() if name.endswith(".parquet")}

    def remove(self, name: str) -> None:
        self._s3.delete_object(Bucket=self.name, Key=name)

    def storage(self) -> dict[str, str]:
        return {
            "s3.endpoint": self.endpoint,
            "s3.access-key-id": KEYS["s3_key_id"],
            "s3.secret-access-key": KEYS["s3_secret"],
            "s3.region": KEYS["region"],
        }


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running S3 server."""
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        environment = {**os.environ, "MOTO_S3_CUSTOM_ENDPOINTS": ""}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    endpoint = f"http://127.0.0.1:{port}"
    probe = Bucket(endpoint, "probe")
    deadline = time.monotonic() + 90
    while True:
        try:
            probe.make()
            break
        except EndpointConnectionError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)
    yield endpoint
    process.terminate()
    process.wait(10)


@pytest.fixture
def bucket(s3: str, workspace: Workspace) -> Bucket:
    made = Bucket(s3, f"lake-{workspace.name}")
    made.make()
    return made


@pytest.fixture
def catalog(bucket: Bucket, tmp_path: Path) -> Iterator[CatalogServer]:
    server = CatalogServer(tmp_path / "pointers.json", bucket.storage(), f"s3a://{bucket.name}/chosen")
    yield server
    server.stop()


@pytest.fixture
def settings(catalog: CatalogServer, bucket: Bucket) -> LakeSettings:
    return LakeSettings(
        url=catalog.url,
        namespace="smart_reach_test",
        warehouse=f"s3://{bucket.name}/reach",
        token=TOKEN,
        s3_endpoint=bucket.endpoint,
        **KEYS,
    )


@pytest.fixture
def open_lake(
    workspace: Workspace, settings: LakeSettings, tmp_path: Path
) -> Iterator[Callable[..., Lakehouse]]:
    """Open the lake as another process or, with another `root`, another machine has it."""
    opened: list[Lakehouse] = []
    url = workspace.db.url.render_as_string(hide_password=False)

    def make(root: str = "here", use: LakeSettings = settings) -> Lakehouse:
        lake = Lakehouse(url, tmp_path / root, remote=use)
        opened.append(lake)
        lake.ensure()
        return lake

    yield make
    for lake in opened:
        lake.close()


@pytest.fixture
def lake(open_lake: Callable[..., Lakehouse]) -> Lakehouse:
    return open_lake()
