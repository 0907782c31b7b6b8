"""`ingest events`: dry run, a run that is killed, the same file again, and the two public files."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from smart_reach.api.filing import file_source, ingest_file, try_file
from smart_reach.engine.errors import Conflict, Unavailable
from smart_reach.engine.events.dead_letters import list_letters
from smart_reach.engine.events.retrying import Retrier
from smart_reach.engine.events.sources.mapping import parse_mapping, read_mapping
from smart_reach.engine.lakehouse.lake import Lakehouse
from smart_reach.engine.workspace import Workspace
from tests.records import record
from tests.serving import run_command

MAPPINGS = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "mappings"
MAPPING = """name: shop
workspace: {currency: GBP, zone: Europe/London}
records:
  - type: transaction
    fields:
      event_id: {text: "shop-{id}"}
      occurred_at: {column: at, zone: Europe/London}
      customer_key: {kind: crm_id, value: {column: who}}
      amount_minor: {column: price, scale: 100}
      currency: {constant: GBP}
"""


def shop(folder: Path, rows: int, wrong: tuple[int, ...] = ()) -> Path:
    path = folder / "shop.csv"
    lines = [
        f"{n},2026-06-{1 + n % 28:02} 10:00,c{n % 500},{'x' if n in wrong else '1.50'}" for n in range(rows)
    ]
    path.write_text("id,at,who,price\n" + "\n".join(lines) + "\n")
    return path


def ids_of(workspace: Workspace) -> list[str]:
    with workspace.lake.connect(tables=("events",)) as connection:
        return [row[0] for row in connection.execute("SELECT event_id FROM events").fetchall()]


def test_a_dry_run_says_what_would_come_and_leaves_nothing(tmp_path: Path) -> None:
    path, rules = shop(tmp_path, 100, wrong=(7,)), tmp_path / "m.yaml"
    rules.write_text(MAPPING)
    home = tmp_path / "home"
    done = run_command(home, "ingest", "events", str(path), "-m", str(rules), "--dry-run", "--json")
    found = json.loads(done.stdout)
    assert found["records"] == {"transaction": 99}
    assert found["errors"][0]["row"] == 8
    assert found["errors"][0]["value"] == "x"
    assert found["samples"][0]["amount_minor"] == 150
    assert not home.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [("{column: who}", "cutsomer"), ("{column: price, scale: 100}", "{column: who, scale: 100}")],
)
def test_a_mapping_that_does_not_fit_makes_no_workspace(tmp_path: Path, changed: str, said: str) -> None:
    new = said if said.startswith("{") else "{column: cutsomer}"
    rules = tmp_path / "m.yaml"
    rules.write_text(MAPPING.replace(changed, new))
    home = tmp_path / "home"
    done = run_command(home, "ingest", "events", str(shop(tmp_path, 20)), "-m", str(rules))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert ("cutsomer" in done.stderr) or ("amount_minor" in done.stderr)
    assert not (home / "workspaces").exists()


def test_the_same_file_again_changes_nothing_and_another_mapping_is_asked_about(
    workspace: Workspace, tmp_path: Path
) -> None:
    path, rules = shop(tmp_path, 300, wrong=(5, 6)), parse_mapping(MAPPING, "m.yaml")
    first = ingest_file(workspace, file_source(path, rules, None), rules)
    assert (first["written"], first["refused"], first["already"]) == (298, 2, False)
    again = ingest_file(workspace, file_source(path, rules, None), rules)
    assert (again["written"], again["refused"], again["already"]) == (0, 0, True)
    assert list_letters(workspace.db).total == 2
    assert workspace.info("kind") == "own-data"
    assert workspace.info("currency") == "GBP"
    assert workspace.info("data_until") == "2026-06-28T09:00:00+00:00"
    other = parse_mapping(MAPPING + "      product: {constant: tea}\n", "m.yaml")
    with pytest.raises(Conflict, match="another mapping"):
        ingest_file(workspace, file_source(path, other, None), other)


def test_rows_that_a_mapping_could_not_make_are_retried_through_a_better_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    path, rules = shop(tmp_path, 50, wrong=(5, 6)), parse_mapping(MAPPING, "m.yaml")
    ingest_file(workspace, file_source(path, rules, None), rules)
    as_it_was = Retrier(workspace.db, workspace.clock).retry(None)
    assert (as_it_was.retried, as_it_was.refused) == (0, 2)
    better = MAPPING.replace("{column: price, scale: 100}", "{column: price, lookup: {x: 0}}")
    report = Retrier(workspace.db, workspace.clock, parse_mapping(better, "m.yaml")).retry(None)
    assert (report.retried, report.errors) == (2, [])
    assert list_letters(workspace.db).total == 0


def test_a_full_disk_is_said_in_words_and_the_file_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"\n".join(record(number) for number in range(30)))
    with monkeypatch.context() as patch:
        patch.setattr(Lakehouse, "append", raising(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(Unavailable, match="no room left on the disk") as told:
            ingest_file(workspace, file_source(path, None, None))
    assert "same command again" in str(told.value.hint)
    assert ingest_file(workspace, file_source(path, None, None))["written"] == 30
    assert len(ids_of(workspace)) == 30


def test_a_file_of_which_nothing_is_good_ends_well(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{}\n" * 10)
    found = ingest_file(workspace, file_source(path, None, None))
    assert (found["written"], found["refused"]) == (0, 10)
    assert list_letters(workspace.db).total == 10


def raising(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_a_dry_run_of_lines_needs_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"event_id": "a"}\n{broken\n')
    found = try_file(file_source(path, None, "transaction"))
    assert found["refused"] == 2
    assert [one["row"] for one in found["errors"]] == [1, 2]


@pytest.mark.faults
def test_killed_in_the_middle_it_goes_on_at_the_row(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    rows = 120_000
    path, rules = shop(tmp_path, rows), tmp_path / "m.yaml"
    rules.write_text(MAPPING)
    home = Path(tempfile.mkdtemp(prefix="k-"))  # short: a socket's path lies in it
    request.addfinalizer(lambda: shutil.rmtree(home, ignore_errors=True))
    command = [
        sys.executable,
        "-m",
        "smart_reach.api",
        "ingest",
        "events",
        str(path),
        "-m",
        str(rules),
        "--json",
    ]
    lake = home / "workspaces" / "shop" / "lake"
    process = subprocess.Popen(
        command,
        env={**os.environ, "SMART_REACH_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 200
    while time.monotonic() < until and process.poll() is None and not list(lake.rglob("data/**/*.parquet")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = run_command(home, "ingest", "events", str(path), "-m", str(rules), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["duplicates"] == 0
    found = run_command(home, "lake", "snapshots", "-w", "shop", "--json")
    assert json.loads(found.stdout)["items"][0]["rows"] == rows


@pytest.mark.real_data
def test_the_public_files_as_the_how_to_says(workspace: Workspace, shared_data: Path) -> None:
    rules = read_mapping(MAPPINGS / "hillstrom.yaml")
    report = ingest_file(
        workspace, file_source(shared_data / "hillstrom" / "hillstrom.parquet", rules, None), rules
    )
    assert (report["written"], report["refused"]) == (180_666, 0)
    with workspace.lake.connect(tables=("events",)) as connection:
        counts = dict(connection.execute("SELECT kind, count(*) FROM events GROUP BY 1").fetchall())
        money = connection.execute(
            "SELECT sum(amount_minor) FROM events WHERE kind = 'conversion'"
        ).fetchone()
    assert counts == {
        "customer": 64_000,
        "sent": 42_694,
        "delivered": 42_694,
        "held_out": 21_306,
        "web_visit": 9_394,
        "conversion": 578,
    }  # fmt: skip
    assert money == (6_725_813,)
    found = try_file(
        file_source(
            shared_data / "online_retail" / "online_retail.parquet",
            read_mapping(MAPPINGS / "online-retail.yaml"),
            None,
        )
    )
    assert found["records"] == {"transaction": 406_789}
    assert found["skipped"]["Sales without a customer"] == 135_080
