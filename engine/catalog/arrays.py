"""Many values in one statement: as arrays, which PostgreSQL reads far quicker than a parameter each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, String, any_, column, func, literal, select
from sqlalchemy.types import TypeEngine

PAGE = 20_000


def pages(values: Collection[str]) -> Iterator[list[str]]:
    """The values in order, some thousands at a time: rows are always taken in one order, so that
    transactions cannot wait for each other in a circle."""
    ordered = sorted(values)
    for first in range(0, len(ordered), PAGE):
        yield ordered[first : first + PAGE]


def among(member: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """Whether a text column is one of the values."""
    answer: ColumnElement[bool] = member == any_(literal(values, ARRAY(String)))
    return answer


def rows_of(columns: Mapping[str, tuple[TypeEngine[Any], Sequence[Any]]]) -> Select[Any]:
    """A query whose rows are these columns (name → type and values), in their order."""
    arrays = [literal(list(values), ARRAY(kind)) for kind, values in columns.values()]
    names = [column(name, kind) for name, (kind, _) in columns.items()]
    table = func.unnest(*arrays).table_valued(*names).render_derived()
    return select(*(table.c[name] for name in columns))
