"""Reads a bank-marketing file, CSV or Parquet, and refuses it at the first cell that is not what it says."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.bank.rules import IGNORED, RULES, Number, Rule

_WHOLE = re.compile(r"[+-]?\d{1,12}")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_MAX_BYTES = 500_000_000
_SOURCE = "Download bank-additional-full.csv from the UCI repository (data set 222)."


@dataclass(frozen=True)
class BankFile:
    """The checked columns: text for words, int or float for numbers. `digest`: SHA-256 of the file."""

    name: str
    digest: str
    columns: dict[str, list[Any]]

    @property
    def rows(self) -> int:
        return len(self.columns["y"])


def read_bank_file(path: Path) -> BankFile:
    """Read and check every cell. Raises `InvalidInput` naming file, row, column, value and remedy."""
    if not path.is_file():
        raise InvalidInput("file", str(path), "There is no such file. " + _SOURCE)
    if path.stat().st_size > _MAX_BYTES:
        raise InvalidInput(path.name, f"{path.stat().st_size} bytes", "The file may have 500 MB at most.")
    content = path.read_bytes()
    if not content.strip():
        raise InvalidInput(path.name, "", "The file is empty. " + _SOURCE)
    is_parquet = content[:4] == b"PAR1" or path.suffix == ".parquet"
    header, columns = (_parquet if is_parquet else _text)(path.name, content)
    _check_header(path.name, header)
    if not columns or not columns[0]:
        raise InvalidInput(path.name, "no rows", "The file has a header and nothing else. " + _SOURCE)
    checked = {
        name: _check_column(path.name, name, columns[header.index(name)], RULES[name], is_parquet)
        for name in RULES
    }
    return BankFile(path.name, hashlib.sha256(content).hexdigest(), checked)


def _text(name: str, content: bytes) -> tuple[list[str], list[list[Any]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n")
        remedy = "Save the file as UTF-8."
        raise InvalidInput(f"{name}, row {number}", content[error.start : error.start + 1], remedy) from error
    if not text.endswith(("\n", "\r")):
        last, number = text.rsplit("\n", 1)[-1], text.count("\n")
        remedy = "The last line has no line end: the file may be cut off. Get it again, or end the line."
        raise InvalidInput(f"{name}, row {number}", last[:80], remedy)
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    rows: list[list[str]] = []
    try:
        header = next(reader)
        for row in reader:
            if row:
                _check_width(name, len(rows) + 1, row, header)
                rows.append(row)
    except csv.Error as error:
        remedy = f"The text of this row is broken ({error}); the file may be cut off. Get it again."
        raise InvalidInput(f"{name}, row {len(rows) + 1}", "broken text", remedy) from error
    return [title.strip() for title in header], [list(column) for column in zip(*rows, strict=True)]


def _check_width(name: str, number: int, row: list[str], header: list[str]) -> None:
    if len(row) == len(header):
        return
    column = header[len(row) - 1] if len(row) < len(header) else header[-1]
    remedy = f"This row has {len(row)} values and the header {len(header)}; the file may be cut off."
    raise InvalidInput(f"{name}, row {number}, column {column}", row[-1], remedy + " Get it again.")


def _parquet(name: str, content: bytes) -> tuple[list[str], list[list[Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        remedy = "This is not a whole Parquet file; it may be cut off. Get it again."
        raise InvalidInput(name, f"{len(content)} bytes", remedy) from error
    return list(table.schema.names), [column.to_pylist() for column in table.columns]


def _check_header(name: str, header: list[str]) -> None:
    if doubled := [title for title in header if header.count(title) > 1]:
        raise InvalidInput(f"{name}, column {doubled[0]}", doubled[0], "This column stands there twice.")
    if missing := [title for title in RULES if title not in header]:
        remedy = f"The file needs the columns {', '.join(RULES)}."
        if {"balance", "day"} <= set(header):
            remedy = "This is the older bank-full.csv; use bank-additional-full.csv."
        seen = ", ".join(header)[:120]
        raise InvalidInput(f"{name}, column {missing[0]}", seen, f"The column is missing. {remedy}")
    if unknown := [title for title in header if title not in RULES and title not in IGNORED]:
        remedy = "The bank-marketing file has no such column; remove it."
        raise InvalidInput(f"{name}, column {unknown[0]}", unknown[0], remedy)


def _check_column(name: str, title: str, values: list[Any], rule: Rule, typed: bool) -> list[Any]:
    """The column's values, or the error of the first that breaks the rule."""
    known: dict[Any, Any] = {}
    checked = []
    for number, value in enumerate(values, start=1):
        if value not in known:
            good = _number(value, rule) if isinstance(rule, Number) else _word(value, rule.allowed)
            if good is None:
                line = "" if typed else f" (line {number + 1})"
                raise InvalidInput(f"{name}, row {number}{line}, column {title}", value, rule.remedy())
            known[value] = good
        checked.append(known[value])
    return checked


def _word(value: Any, allowed: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in allowed else None


def _number(value: Any, rule: Number) -> int | float | None:
    if isinstance(value, str):
        pattern = _WHOLE if rule.whole else _DECIMAL
        if not pattern.fullmatch(value.strip()):
            return None
        value = int(value) if rule.whole else float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if rule.whole and value != int(value):
        return None
    if not rule.low <= value <= rule.high:
        return None
    return int(value) if rule.whole else float(value)
