"""The command line as a script sees it: exit codes, JSON, and no trace of what was refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.serving import run_command


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ask", "hi", "--workspace", "nosuch"), 2, "There is no workspace 'nosuch'"),
        (("decide", "cus_000001"), 2, "There is no workspace 'demo'"),
        (("ingest", "bank-marketing", "no-such-file.csv"), 2, "There is no such file"),
        (("ingest", "telescope", "x.csv"), 2, "bank-marketing"),
        (("route", "no-such-file.jsonl"), 2, "no-such-file.jsonl"),
        (("serve", "--port", "99999"), 2, "port"),
        (("serve", "--workspace", "../x"), 2, "workspace"),
    ],
)
def test_wrong_input_says_what_to_do_and_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run_command(tmp_path / "home", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home" / "workspaces").exists()


def test_an_error_is_json_for_who_asked_for_json(tmp_path: Path) -> None:
    done = run_command(tmp_path, "decide", "cus_000001", "--json")
    assert json.loads(done.stdout)["error"]["code"] == "not_found"


def test_route_answers_each_line(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"text": "open rate last week"}\n\n{"text": "what is the weather"}\n')
    done = run_command(tmp_path, "route", str(file))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["label"] for line in lines] == ["insights", "out_of_scope"]
    assert all(set(line) == {"label", "confidence", "clarify"} for line in lines)


@pytest.mark.parametrize("line", ["{", "[]", '{"other": 1}', '{"text": 5}'])
def test_route_names_the_line_that_is_wrong(tmp_path: Path, line: str) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"text": "fine"}\n' + line + "\n")
    done = run_command(tmp_path, "route", str(file))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "line 2" in done.stderr


@pytest.mark.real_data
def test_the_real_bank_file_end_to_end(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "bank_marketing" / "bank_additional_full.parquet"
    home = tmp_path / "h"
    report = json.loads(
        run_command(home, "ingest", "bank-marketing", str(file), "-w", "bank", "--json").stdout
    )
    assert report["contacts"] == 41_188
    trained = json.loads(run_command(home, "train", "-w", "bank", "--json").stdout)
    assert trained["models"][0]["auc"] > 0.72
    decision = json.loads(run_command(home, "decide", "cus_000123", "-w", "bank", "--json").stdout)
    assert decision["reason"]
    asked = run_command(home, "ask", "conversion rate by job, last 3 months", "-w", "bank", "--json")
    answer = json.loads(asked.stdout)
    assert answer["route"] == "insights"
    assert answer["chart"]["type"] == "bar"
    replayed = run_command(home, "replay", decision["decision_id"], "-w", "bank")
    assert replayed.returncode == 0, replayed.stderr
    assert run_command(home, "verify-ledger", "-w", "bank").returncode == 0
