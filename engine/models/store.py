"""Serves the current model versions: one load per version, scores and contributions on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.errors import Integrity, NotFound
from smart_reach.engine.models.calibration import Calibrator, Intervals, logit, sigmoid
from smart_reach.engine.models.encoding import OFFER, Encoder, Matrix
from smart_reach.engine.models.measure import Floats
from smart_reach.engine.models.tables import ModelVersionRow
from smart_reach.engine.models.versions import hash_files, read_meta

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


@dataclass(frozen=True)
class Scored:
    """Scores of n rows. `raw` is the log-odds before calibration; contributions sum to it."""

    propensity: Floats
    low: Floats
    high: Floats
    raw: Floats
    _contributions: Callable[[], Floats]

    @cached_property
    def contributions(self) -> Floats:
        """(n, columns + 1): TreeSHAP in log-odds, the last column being the expected value."""
        return self._contributions()


@dataclass(frozen=True)
class LoadedModel:
    """One version in memory."""

    id: str
    offer_id: str
    kind: str
    file_hash: str
    encoder: Encoder
    booster: Any
    calibrator: Calibrator
    intervals: Intervals
    base_rate: float
    metrics: dict[str, Any]
    notes: tuple[str, ...]

    def encode(self, frame: pd.DataFrame) -> Matrix:
        """Rows of features as this model wants them; a pooled model is told which offer it speaks for."""
        matrix = self.encoder.encode(frame)
        if OFFER in self.encoder.names:
            place = self.encoder.index(OFFER)
            matrix[:, place] = self.encoder.columns[place].code(self.offer_id)
        return matrix

    def raw(self, matrix: Matrix) -> Floats:
        """Log-odds (n,)."""
        if self.booster is None:
            return np.full(len(matrix), float(logit(np.array([self.base_rate]))[0]))
        return np.asarray(self.booster.predict(matrix, raw_score=True, num_threads=_threads(len(matrix))))

    def propensity(self, matrix: Matrix) -> Floats:
        """Calibrated probability (n,), without the rest."""
        return self.calibrator(sigmoid(self.raw(matrix)))

    def score(self, matrix: Matrix) -> Scored:
        raw = self.raw(matrix)
        propensity = self.calibrator(sigmoid(raw))
        low, high = self.intervals(propensity)
        return Scored(propensity, low, high, raw, lambda: self.contributions(matrix))

    def contributions(self, matrix: Matrix) -> Floats:
        if self.booster is None:
            return self.raw(matrix).reshape(-1, 1)
        return np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1))


def _threads(rows: int) -> int:
    # one row is scored faster by one thread; LightGBM's result does not depend on the number
    return 1 if rows < 20_000 else 2


def load(folder: Path, version_id: str, file_hash: str) -> LoadedModel:
    """Read one version's files. Raises Integrity when they are missing or not those that were trained.

    The hash is checked before LightGBM sees the text: its parser ends the process on a damaged one.
    """
    import lightgbm

    if hash_files(folder) != file_hash:
        raise Integrity(
            f"The files of {version_id} are not those that were trained.",
            hint="Restore them, or train again: smart-reach train.",
        )
    meta = read_meta(folder)
    text = (folder / "model.txt").read_text()
    return LoadedModel(
        id=version_id,
        offer_id=version_id.removeprefix("propensity-").split("@")[0],
        kind=meta["kind"],
        file_hash=file_hash,
        encoder=Encoder.from_json(meta["columns"]),
        booster=lightgbm.Booster(model_str=text) if text else None,
        calibrator=Calibrator.from_json(meta["calibrator"]),
        intervals=Intervals.from_json(meta["bins"]),
        base_rate=meta["base_rate"],
        metrics=meta["metrics"],
        notes=tuple(meta["notes"]),
    )


class ModelStore:
    """The serving versions of a workspace, cached by id. Safe to share between threads."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._loaded: dict[str, LoadedModel] = {}
        self._lock = Lock()

    def serving(self, session: Session | None = None) -> dict[str, LoadedModel]:
        """Model of each offer that has one. One small query; files are read once per version."""
        query = select(ModelVersionRow.offer_id, ModelVersionRow.id).where(
            ModelVersionRow.status == "serving"
        )
        if session is not None:
            rows = session.execute(query).all()
        else:
            with Session(self._ws.db) as own:
                rows = own.execute(query).all()
        return {offer_id: self.version(version_id) for offer_id, version_id in rows}

    def version(self, version_id: str) -> LoadedModel:
        """One version, serving or retired, checked against the hash recorded at training."""
        with self._lock:
            if version_id not in self._loaded:
                self._loaded[version_id] = self._load(version_id)
            return self._loaded[version_id]

    def fresh(self, version_id: str, file_hash: str) -> LoadedModel:
        """One version read again from its files and held against a recorded hash: what replay needs."""
        return self._load(version_id, file_hash)

    def _load(self, version_id: str, file_hash: str | None = None) -> LoadedModel:
        with Session(self._ws.db) as session:
            row = session.get(ModelVersionRow, version_id)
        if row is None:
            raise NotFound(f"There is no model version {version_id!r}.", hint="Run smart-reach train.")
        return load(self._ws.root / row.path, version_id, file_hash or row.file_hash)

    def score(self, offer_id: str, frame: pd.DataFrame) -> Scored:
        """Score rows that hold the features and `channel`, `window`. Raises NotFound without a model."""
        models = self.serving()
        if offer_id not in models:
            raise NotFound(f"No model serves the offer {offer_id!r}.", hint="Run smart-reach train.")
        model = models[offer_id]
        return model.score(model.encode(frame))
