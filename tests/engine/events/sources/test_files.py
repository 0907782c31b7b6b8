"""Files as they come: whole, broken, cut off; read from any row on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contracts.refusing import Refused
from smart_reach.engine.events.sources.files import FileSource, LinesSource
from smart_reach.engine.events.sources.lines import LONGEST_LINE
from smart_reach.engine.events.sources.mapping import FileMapping, parse_mapping

MAPPING = """name: shop
records:
  - type: transaction
    fields:
      event_id: {text: "shop-{id}"}
      occurred_at: {column: at, zone: UTC}
      customer_key: {kind: crm_id, value: {column: who}}
      amount_minor: {column: price, scale: 100}
      currency: {constant: EUR}
      product: {column: what}
"""
HEADER = "id,at,who,price,what\n"


def shop(head: str = "") -> FileMapping:
    return parse_mapping(head + MAPPING, "shop.yaml")


def row(number: int, what: str = "tea") -> str:
    return f"{number},2026-06-01 10:00,c{number},1.50,{what}\n"


def read(
    path: Path, mapping: FileMapping | None = None, at: Mapping[str, int] | None = None, limit: int = 1000
) -> tuple[list[str], list[tuple[str, Refused]], FileSource]:
    """Ids that were made, refusals by position, and the source at its end."""
    source = FileSource(path, mapping or shop())
    source.open(lambda: at or {})
    ids: list[str] = []
    refused: list[tuple[str, Refused]] = []
    before = dict(at or {})
    while (batch := source.poll(limit, 0)) is not None:
        assert dict(batch.start) == before
        before = dict(batch.next)
        for part in batch.columns:
            assert len(part.places) == part.table.num_rows
            ids += part.table["event_id"].to_pylist()
        refused += [(place[1], one) for place, one in batch.refused]
    assert source.finished()
    return ids, refused, source


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_bom_crlf_semicolons_and_quotes_are_fine(tmp_path: Path) -> None:
    text = "﻿" + HEADER.replace(",", ";") + '1;2026-06-01 10:00;c1;1.50;"tea; ""black""\nloose"\n'
    ids, refused, _ = read(write(tmp_path / "a.csv", text.replace("\n", "\r\n")))
    assert (ids, refused) == (["shop-1"], [])


def test_rows_of_the_wrong_width_are_set_aside_and_the_others_kept(tmp_path: Path) -> None:
    text = HEADER + row(1) + "2,2026\n" + row(3) + row(4)[:-1] + ",more\n" + "\n" + row(5)
    ids, refused, _ = read(write(tmp_path / "a.csv", text), limit=2)
    assert ids == ["shop-1", "shop-3", "shop-5"]
    assert [place for place, _ in refused] == ["1", "3"]
    assert refused[0][1].raw == b"2,2026"
    assert "2 values and the header 5" in refused[0][1].reason


def test_an_open_quote_is_said_and_does_not_become_a_value(tmp_path: Path) -> None:
    text = HEADER + row(1) + row(2, '"tea') + row(3)
    ids, refused, _ = read(write(tmp_path / "a.csv", text))
    assert ids == ["shop-1"]
    assert "quote" in refused[0][1].reason


def test_bytes_that_are_no_text_spoil_their_row_only(tmp_path: Path) -> None:
    text = (HEADER + row(1) + row(2, "th\xe9") + row(3)).encode("latin-1")
    ids, refused, _ = read(write(tmp_path / "a.csv", text))
    assert ids == ["shop-1", "shop-3"]
    assert refused[0][0] == "1"
    assert "UTF-8" in refused[0][1].reason
    assert read(tmp_path / "a.csv", shop("file: {encoding: latin-1}\n"))[0] == ["shop-1", "shop-2", "shop-3"]


@pytest.mark.parametrize("content", [b"", HEADER.encode(), b"id,id\n1,2\n", b"\x1f\x8b\x08broken", b"\n\n"])
def test_a_file_without_rows_or_names(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "a.csv", content)
    if content == HEADER.encode():
        assert read(path)[0] == []
        return
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert "a.csv" in caught.value.field


def test_a_gzip_that_is_cut_off_keeps_its_whole_lines_and_says_so(tmp_path: Path) -> None:
    whole = gzip.compress((HEADER + "".join(row(n, f"tea {n * n}") for n in range(20_000))).encode())
    ids, refused, source = read(write(tmp_path / "a.csv.gz", whole[: len(whole) // 2]))
    assert refused == []
    assert 100 < len(ids) < 20_000
    assert ids == [f"shop-{n}" for n in range(len(ids))]
    assert source.broken_off is not None
    assert "gzip" in source.broken_off.message
    assert read(write(tmp_path / "b.csv.gz", whole))[2].broken_off is None


def parquet(path: Path, rows: int, group: int = 50) -> Path:
    table = pa.table(
        {
            "id": list(range(rows)),
            "at": [datetime(2026, 6, 1, tzinfo=UTC)] * rows,
            "who": [f"c{n}" for n in range(rows)],
            "price": [1.5] * rows,
            "what": ["tea"] * rows,
        }
    )
    pq.write_table(table, path, row_group_size=group)
    return path


def test_a_parquet_file_that_is_cut_off_is_no_parquet_file(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", 100)
    write(path, path.read_bytes()[:-20])
    with pytest.raises(InvalidInput, match="cut off"):
        read(path)


def test_a_damaged_page_keeps_what_came_before(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", 5_000, group=500)
    content = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(6).column(0).data_page_offset
    content[start : start + 40] = b"\xff" * 40
    ids, _, source = read(write(path, bytes(content)), limit=500)
    assert source.broken_off is not None
    assert "after row" in source.broken_off.field
    assert len(ids) >= 2_500


@settings(deadline=None, max_examples=40)
@given(at=st.integers(0, 321), limit=st.integers(1, 400), form=st.sampled_from(["parquet", "csv", "jsonl"]))
def test_reading_goes_on_at_any_row(
    tmp_path_factory: pytest.TempPathFactory, at: int, limit: int, form: str
) -> None:
    path = tmp_path_factory.mktemp("f") / f"a.{form}"
    if form == "parquet":
        parquet(path, 321)
    elif form == "csv":
        write(path, HEADER + "".join(row(n) if n % 7 else "broken\n" for n in range(321)))
    else:
        names = HEADER.strip().split(",")
        write(path, "".join(
            json.dumps(dict(zip(names, row(n).strip().split(","), strict=True))) + "\n" if n % 7 else "{\n"
            for n in range(321)
        ))  # fmt: skip
    broken = set() if form == "parquet" else {n for n in range(321) if n % 7 == 0}
    partition = FileSource(path, shop()).partition
    ids, refused, source = read(path, at={partition: at} if at else None, limit=limit)
    assert ids == [f"shop-{n}" for n in range(at, 321) if n not in broken]
    assert {int(place) for place, _ in refused} == {n for n in broken if n >= at}
    assert source.status()[0]["position"] == 321


def test_the_same_file_elsewhere_is_the_same_source(tmp_path: Path) -> None:
    one = FileSource(write(tmp_path / "a.csv", HEADER + row(1)), shop())
    other = FileSource(write(tmp_path / "b.csv", HEADER + row(1)), shop())
    changed = FileSource(write(tmp_path / "c.csv", HEADER + row(2)), shop())
    assert (one.name, one.partition) == (other.name, other.partition)
    assert one.name != changed.name
    assert one.partition != FileSource(tmp_path / "a.csv", shop("description: x\n")).partition


def test_lines_of_records_keep_their_numbers_and_long_ones_are_not_held(tmp_path: Path) -> None:
    long = b'{"type": "transaction", "product": "' + b"x" * (LONGEST_LINE * 5) + b'"}'
    path = write(tmp_path / "a.jsonl", b'{"a": 1}\n\n' + long + b"\n" + b'{"b": 2}')
    source = LinesSource(path, "transaction")
    source.open(dict)
    batch = source.poll(10, 0)
    assert batch is not None
    assert list(batch.lines) == [b'{"a": 1}', b'{"b": 2}']
    assert [place[1] for place in batch.places] == ["0", "3"]
    (place, one) = batch.refused[0]
    assert place[1] == "2"
    assert one.size == len(long)
    assert len(one.raw) <= 65_536
    assert source.poll(10, 0) is None
    assert source.finished()


def test_values_that_no_store_holds_are_refused_by_row(tmp_path: Path) -> None:
    from smart_reach.engine.events.contracts.validate import validate_table

    path = write(tmp_path / "a.csv", HEADER + row(1, "t\x00ea") + row(2))
    source = FileSource(path, shop())
    source.open(dict)
    batch = source.poll(10, 0)
    assert batch is not None
    part = batch.columns[0]
    found: Any = validate_table(part.table, part.contract, source="x", received_at=datetime.now(UTC))
    assert [one.row for one in found.refused] == [0]
    assert found.events.num_rows == 1
