"""Features to numbers, once and for all: the encoder is trained, recorded and reused bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.models.source import Definition

Matrix = npt.NDArray[np.float64]
# channel and window belong to the action, not to the customer, and are features of every model
ACTION_FEATURES = ("channel", "window")
# a model over several offers also knows which one it is about
OFFER = "offer_id"


@dataclass(frozen=True)
class Column:
    """One input of a model. `categories` is None for numbers; a code is the position in it."""

    name: str
    label: str
    categories: tuple[str, ...] | None

    def encode(self, values: Sequence[Any] | npt.NDArray[Any] | pd.Series) -> Matrix:
        """float64 codes; missing values and categories never seen in training become NaN."""
        if self.categories is None:
            return np.asarray(pd.to_numeric(pd.Series(values), errors="coerce"), dtype=np.float64)
        codes = pd.Categorical(
            pd.Series(values).astype("string").to_numpy(dtype=object, na_value=None),
            categories=list(self.categories),
        ).codes.astype(np.float64)
        codes[codes < 0] = np.nan
        return np.asarray(codes, dtype=np.float64)

    def code(self, value: str) -> float:
        """Code of one category, NaN when training never saw it."""
        categories = self.categories or ()
        return float(categories.index(value)) if value in categories else float("nan")

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "categories": None if self.categories is None else list(self.categories),
        }


@dataclass(frozen=True)
class Encoder:
    """The fixed order of columns and their categories."""

    columns: tuple[Column, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, definitions: Sequence[Definition], *, pooled: bool = False) -> Encoder:
        """Channel and window (and the offer) first, then the features in the order of their definitions."""
        first = (*ACTION_FEATURES, OFFER) if pooled else ACTION_FEATURES
        columns = [Column(name, name.removesuffix("_id"), _categories(frame[name])) for name in first]
        for definition in definitions:
            if definition.name not in frame.columns:
                raise InvalidInput(
                    "feature", definition.name, "The training frame has no such column; refresh the features."
                )
            if definition.name in ACTION_FEATURES:
                continue
            is_number = definition.dtype == "number"
            categories = None if is_number else _categories(frame[definition.name])
            columns.append(Column(definition.name, definition.label, categories))
        return cls(tuple(columns))

    @classmethod
    def from_json(cls, columns: Sequence[dict[str, Any]]) -> Encoder:
        return cls(
            tuple(
                Column(
                    column["name"],
                    column["label"],
                    None if column["categories"] is None else tuple(column["categories"]),
                )
                for column in columns
            )
        )

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def categorical(self) -> list[int]:
        """Positions of the categorical columns, as LightGBM wants them."""
        return [index for index, column in enumerate(self.columns) if column.categories is not None]

    def index(self, name: str) -> int:
        return self.names.index(name)

    def encode(self, frame: pd.DataFrame) -> Matrix:
        """Matrix (rows, columns) of float64. Channel and window may be missing: NaN, to be filled in."""
        matrix = np.full((len(frame), len(self.columns)), np.nan)
        for index, column in enumerate(self.columns):
            if column.name in frame.columns:
                matrix[:, index] = column.encode(frame[column.name])
            elif column.name not in (*ACTION_FEATURES, OFFER):
                raise InvalidInput("feature", column.name, "The model needs it; refresh the feature store.")
        return matrix


def _categories(values: pd.Series) -> tuple[str, ...]:
    return tuple(sorted(str(value) for value in values.dropna().unique()))


def data_hash(frame: pd.DataFrame, encoder: Encoder, matrix: Matrix) -> str:
    """SHA-256 of what training saw: columns, categories, values, outcomes, times and customers."""
    digest = hashlib.sha256(canonical_json([column.as_json() for column in encoder.columns]).encode())
    digest.update(np.ascontiguousarray(matrix).tobytes())
    digest.update(np.asarray(frame["outcome"], dtype=np.int8).tobytes())
    times = pd.to_datetime(frame["at"], utc=True).astype("datetime64[ns, UTC]")
    digest.update(times.astype("int64").to_numpy().tobytes())
    digest.update("\n".join(frame["customer_id"].astype(str)).encode())
    return digest.hexdigest()
