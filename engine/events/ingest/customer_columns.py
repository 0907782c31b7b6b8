"""Customers as columns of the lake: the known ones in their types, the others as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

BASE = pa.schema(
    [
        ("customer_id", pa.string()),
        ("zone", pa.string()),
        ("language", pa.string()),
        ("segment", pa.string()),
        ("region", pa.string()),
        ("age", pa.int32()),
        ("age_band", pa.string()),
        ("job", pa.string()),
        ("income_band", pa.string()),
        ("joined_on", pa.date32()),
        ("holdings", pa.int32()),
        ("holdout", pa.bool_()),
        ("primary_channel", pa.string()),
    ]
)
_MOST_EXTRA = 100
_BANDS = ((25, "18–24"), (35, "25–34"), (45, "35–44"), (55, "45–54"), (65, "55–64"), (999, "65+"))


def columns_of(records: Sequence[Mapping[str, Any]], today: date, names: Iterable[str]) -> pa.Table:
    """Records as columns: those of BASE in their types, others as text; rare others are left out."""
    counts = Counter(name for record in records for name in record)
    extra = [name for name, _ in counts.most_common() if name not in BASE.names][:_MOST_EXTRA]
    wanted = [name for name in BASE.names if name in counts or name in names]
    if "birth_year" in counts or "age" in counts:
        wanted += [name for name in ("age", "age_band") if name not in wanted]
    columns: dict[str, Any] = {}
    for name in wanted:
        values = [_typed(name, record, today) for record in records]
        columns[name] = pa.array(values, BASE.field(name).type)
    for name in sorted(extra):
        columns[name] = pa.array([_text(record.get(name)) for record in records], pa.string())
    return pa.table(columns)


def _typed(name: str, record: Mapping[str, Any], today: date) -> Any:
    value = record.get(name)
    if name == "age":
        return _age(record, today)
    if name == "age_band":
        age = _age(record, today)
        return (
            value if isinstance(value, str) or age is None else next(b for limit, b in _BANDS if age < limit)
        )
    if name == "holdings":
        return _whole(value)
    if name == "joined_on":
        return _day(value)
    if name == "holdout":
        return value if isinstance(value, bool) else None
    return _text(value)


def _age(record: Mapping[str, Any], today: date) -> int | None:
    """As the record gives it, else from the year of birth."""
    if record.get("age") is not None:
        return _whole(record["age"])
    try:
        return _whole(today.year - int(record["birth_year"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _whole(value: Any) -> int | None:
    """A count from 0 to 998; None for anything else."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 999 else None


def _day(value: Any) -> date | None:
    try:
        return datetime.fromisoformat(str(value)).date() if value is not None else None
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def merged(existing: pa.Table, ours: pa.Table) -> pa.Table:
    """Rows of both; where a record says something, that, in the type that the column has."""
    if not ours.num_rows:
        return existing
    both = existing.join(ours, "customer_id", join_type="full outer", right_suffix=" said")
    columns = {}
    for name in [
        *existing.column_names,
        *(one for one in ours.column_names if one not in existing.column_names),
    ]:
        column = both[name]
        if f"{name} said" in both.column_names:
            column = pc.coalesce(_as(both[f"{name} said"], column.type), column)
        columns[name] = column
    return pa.table(columns).sort_by("customer_id")


def _as(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """The values that can be of this type."""
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.chunked_array([pa.array([_one(value, kind) for value in column.to_pylist()], kind)])


def _one(value: Any, kind: pa.DataType) -> Any:
    try:
        return pa.scalar(value).cast(kind).as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None
