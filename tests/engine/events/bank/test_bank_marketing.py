"""The bank-marketing file comes in whole or not at all, and errors say where."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Consent, Customer, Offer
from smart_reach.engine.errors import Conflict, InvalidInput, NotFound
from smart_reach.engine.events.bank.dates import contact_times
from smart_reach.engine.events.bank.ingest import ingest_bank_marketing
from smart_reach.engine.features.store import FeatureStore
from smart_reach.engine.workspace import Workspace

ROW: dict[str, Any] = {
    "age": 56,
    "job": "housemaid",
    "marital": "married",
    "education": "basic.4y",
    "default": "no",
    "housing": "no",
    "loan": "no",
    "contact": "telephone",
    "month": "may",
    "day_of_week": "mon",
    "duration": 261,
    "campaign": 1,
    "pdays": 999,
    "previous": 0,
    "poutcome": "nonexistent",
    "emp.var.rate": 1.1,
    "cons.price.idx": 93.994,
    "cons.conf.idx": -36.4,
    "euribor3m": 4.857,
    "nr.employed": 5191.0,
    "y": "no",
}


def rows() -> list[dict[str, Any]]:
    made = []
    for number in range(40):
        changes = {
            "age": 20 + number,
            "month": "may" if number < 20 else "jun" if number < 30 else "apr",
            "day_of_week": ("mon", "tue", "wed", "thu", "fri")[number // 2 % 5],
            "y": "yes" if number % 8 == 0 else "no",
        }
        made.append(ROW | changes)
    return made


def save(folder: Path, made: list[dict[str, Any]], delimiter: str = ";") -> Path:
    path = folder / "bank.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(
            file, list(made[0]), delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(made)
    return path


def assert_empty(workspace: Workspace) -> None:
    assert workspace.info("kind") is None
    assert [workspace.lake.snapshot_id(name) for name in ("events", "customers", "features")] == [None] * 3
    with Session(workspace.db) as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 0


@pytest.mark.parametrize("delimiter", [";", ","])
def test_a_file_becomes_customers_events_and_features(
    workspace: Workspace, tmp_path: Path, delimiter: str
) -> None:
    seen: list[float] = []
    path = save(tmp_path, rows(), delimiter)
    report = ingest_bank_marketing(workspace, path, lambda share, doing: seen.append(share))
    assert (report.customers, report.contacts, report.conversions, report.already) == (40, 40, 5, False)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with workspace.lake.connect() as connection:
        counts = connection.execute("SELECT kind, count(*) FROM events GROUP BY 1 ORDER BY 1").fetchall()
        hours = connection.execute("SELECT min(local_hour), max(local_hour) FROM events").fetchone()
    assert counts == [("contact", 40), ("conversion", 5)]
    assert hours is not None
    assert 9 <= hours[0] <= hours[1] <= 18
    store = FeatureStore(workspace)
    frame = store.training_frame("term-deposit")
    assert frame["at"].is_monotonic_increasing
    assert frame["outcome"].tolist() == [int(row["y"] == "yes") for row in rows()]
    assert frame["age"].tolist() == [row["age"] for row in rows()]
    assert not {"duration", "y"} & set(frame.columns)
    assert list(store.online(["cus_000003"])["age"]) == [22.0]
    with Session(workspace.db) as session:
        assert session.scalars(select(Offer.id).where(Offer.active)).all() == ["term-deposit"]
        consents = session.execute(select(Consent.channel, Consent.source).distinct()).all()
    assert [row[0] for row in consents] == ["sms"]
    assert "assumed" in consents[0][1]


def test_the_same_file_again_changes_nothing_and_another_is_refused(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = save(tmp_path, rows())
    ingest_bank_marketing(workspace, path)
    before = workspace.lake.snapshot_id("events")
    assert ingest_bank_marketing(workspace, path).already
    assert workspace.lake.snapshot_id("events") == before
    save(tmp_path, rows()[:-1])
    with pytest.raises(Conflict, match=r"bank\.csv"):
        ingest_bank_marketing(workspace, path)


@pytest.mark.parametrize(
    ("column", "value", "remedy"),
    [
        ("age", -5, "15 to 110"),
        ("age", "fifty", "whole number"),
        ("age", 41.5, "whole number"),
        ("job", "astronaut", "blue-collar"),
        ("month", "foo", "jan"),
        ("day_of_week", "sun", "mon"),
        ("y", "maybe", "no, yes"),
        ("euribor3m", "nan", "a number"),
        ("pdays", 1000, "0 to 999"),
        ("education", "", "illiterate"),
    ],
)
def test_a_bad_cell_is_named(
    workspace: Workspace, tmp_path: Path, column: str, value: object, remedy: str
) -> None:
    made = rows()
    made[16][column] = value
    with pytest.raises(InvalidInput) as caught:
        ingest_bank_marketing(workspace, save(tmp_path, made))
    assert caught.value.field == f"bank.csv, row 17 (line 18), column {column}"
    assert str(caught.value.value) == str(value)
    assert remedy in caught.value.remedy
    assert_empty(workspace)


def cut(content: bytes) -> bytes:
    return content[:-30]


def cut_in_quotes(content: bytes) -> bytes:
    return content[: content.rindex(b'"no"') + 2]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "cut off"),
        (cut_in_quotes, "cut off"),
        (lambda content: b"", "empty"),
        (lambda content: b"  \n\n", "empty"),
        (lambda content: content.split(b"\n")[0] + b"\n", "header and nothing else"),
        (lambda content: content.replace(b'"job"', b'"work"'), "column job"),
        (lambda content: content.replace(b'"y"\n', b'"y";"z"\n', 1), "cut off"),
        (lambda content: content.replace(b"housemaid", b"housem\xe4id", 1), "UTF-8"),
        (lambda content: b"PAR1" + content, "Parquet"),
        (lambda content: b"\x00" + content, "column age"),
    ],
)
def test_a_damaged_file_is_refused(
    workspace: Workspace, tmp_path: Path, damage: Callable[[bytes], bytes], says: str
) -> None:
    path = save(tmp_path, rows())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InvalidInput, match=says) as caught:
        ingest_bank_marketing(workspace, path)
    assert "bank.csv" in caught.value.field
    assert_empty(workspace)


def test_a_missing_file_and_an_empty_workspace_say_so(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        ingest_bank_marketing(workspace, tmp_path / "none.csv")
    with pytest.raises(NotFound, match="no data yet"):
        FeatureStore(workspace).training_frame("term-deposit")


def test_a_crash_while_writing_leaves_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> int:
        raise RuntimeError("disk full")

    path = save(tmp_path, rows())
    with monkeypatch.context() as patch:
        patch.setattr("smart_reach.engine.events.bank.ingest.EventWriter.write", fails)
        with pytest.raises(RuntimeError, match="disk full"):
            ingest_bank_marketing(workspace, path)
    assert_empty(workspace)
    assert ingest_bank_marketing(workspace, path).contacts == 40


def test_years_roll_over_and_shuffled_rows_are_refused() -> None:
    months = ["nov"] * 3 + ["dec"] * 2 + ["mar"] * 4
    times = contact_times("bank.csv", months, ["mon", "tue", "mon", "thu", "fri", "mon", "mon", "wed", "tue"])
    assert times == sorted(times)
    assert [(at.year, at.strftime("%b").lower()) for at in times] == [
        (2009 if month == "mar" else 2008, month) for month in months
    ]
    assert [at.strftime("%a").lower() for at in times[:3]] == ["mon", "tue", "mon"]
    with pytest.raises(InvalidInput, match="not in time order"):
        contact_times("bank.csv", ["may", "apr"] * 20, ["mon"] * 40)


@pytest.mark.real_data
def test_the_real_file(workspace: Workspace, shared_data: Path) -> None:
    path = shared_data / "bank_marketing" / "bank_additional_full.parquet"
    report = ingest_bank_marketing(workspace, path)
    assert (report.customers, report.conversions) == (41_188, 4_640)
    assert (report.first_at.year, report.first_at.month) == (2008, 5)
    assert (report.last_at.year, report.last_at.month) == (2010, 11)
    frame = FeatureStore(workspace).training_frame("term-deposit")
    assert len(frame) == 41_188
    assert frame["outcome"].sum() == 4_640
