"""What the columns of an online row are, and how a table of features becomes numbers and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.features.definitions import FeatureDefinition

Value = float | str | None
Values = tuple[Any, ...]  # as_of in microseconds since 1970, then one value a feature

_STAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Layout:
    """The features in their fixed order; `texts` are the places of those that are categories."""

    names: tuple[str, ...]
    texts: tuple[int, ...]

    @classmethod
    def of(cls, definitions: Sequence[FeatureDefinition]) -> Layout:
        """The layout of a feature set."""
        texts = tuple(place for place, one in enumerate(definitions) if one.dtype == "category")
        return cls(tuple(one.name for one in definitions), texts)

    def as_json(self) -> dict[str, Any]:
        return {"names": list(self.names), "texts": list(self.texts)}

    def rows(self, table: pa.Table) -> list[tuple[str, Values]]:
        """Rows of a features table as (customer, values): numbers as float (missing: NaN), texts or None."""
        columns: list[list[Any]] = [pc.cast(table["as_of"].cast(_STAMP), pa.int64()).to_pylist()]
        for place, name in enumerate(self.names):
            column = table[name]
            columns.append(texts(column) if place in self.texts else numbers(column).tolist())
        return list(zip(table["customer_id"].to_pylist(), zip(*columns, strict=True), strict=True))

    def frame(self, ids: Sequence[str], rows: Sequence[Values]) -> pd.DataFrame:
        """Rows as the feature store hands them out: indexed by customer_id, numbers float64, texts object."""
        columns = list(zip(*rows, strict=True)) or [()] * (len(self.names) + 1)
        return self.assemble(ids, np.array(columns[0], np.int64), dict(enumerate(columns[1:])))

    def assemble(self, ids: Any, as_of: npt.NDArray[np.int64], columns: dict[int, Any]) -> pd.DataFrame:
        """A frame from whole columns by place."""
        data: dict[str, Any] = {"as_of": pd.DatetimeIndex(as_of.view("M8[us]")).tz_localize("UTC")}
        for place, name in enumerate(self.names):
            kind: Any = object if place in self.texts else np.float64
            data[name] = np.array(columns[place], dtype=kind)
        return pd.DataFrame(data, index=pd.Index(ids, name="customer_id", dtype=object))


def numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """A column as float64, missing values as NaN."""
    filled = pc.fill_null(pc.cast(column, pa.float64()), float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)


def texts(column: pa.ChunkedArray) -> list[str | None]:
    """A column as texts, missing values as None."""
    values: list[str | None] = pc.cast(column, pa.string()).to_pylist()
    return values


def moment(micros: int) -> datetime:
    """Aware UTC from microseconds since 1970."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
