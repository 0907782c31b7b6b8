"""A model version: what was trained, on which data, how good it was, and where its files lie."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json
from smart_reach.engine.errors import Integrity
from smart_reach.engine.models.tables import ModelVersionRow

if TYPE_CHECKING:
    from smart_reach.engine.models.training import Trained
    from smart_reach.engine.workspace import Workspace


@dataclass(frozen=True)
class ModelVersion:
    """One row of model_versions. `id` is `propensity-<offer>@<number>`."""

    id: str
    model: str
    version: int
    offer_id: str
    kind: str
    created_at: datetime
    data_hash: str
    file_hash: str
    code_version: str
    path: Path
    features: tuple[str, ...]
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "offer_id": self.offer_id,
            "kind": self.kind,
            "version": self.version,
            "created_at": self.created_at.isoformat(),
            "data_hash": self.data_hash,
            "file_hash": self.file_hash,
            "code_version": self.code_version,
            "features": list(self.features),
            "parameters": self.parameters,
            "metrics": self.metrics,
            "notes": list(self.notes),
        }


def hash_files(folder: Path) -> str:
    """SHA-256 over the two files of a version; what a decision record is bound to."""
    digest = hashlib.sha256()
    for name in ("meta.json", "model.txt"):
        path = folder / name
        if not path.is_file():
            raise Integrity(f"The model file {path} is missing.", hint="Train again: smart-reach train.")
        digest.update(path.read_bytes())
    return digest.hexdigest()


def save(session: Session, root: Path, trained: Trained, *, at: datetime, code_version: str) -> ModelVersion:
    """Write the files, add the row, and make this version the serving one. Runs in one transaction."""
    model = f"propensity-{trained.offer_id}"
    # the lock on the newest row makes numbers of simultaneous trainings differ
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(model, 0))))
    newest = session.scalar(select(func.max(ModelVersionRow.version)).where(ModelVersionRow.model == model))
    number = (newest or 0) + 1
    folder = write_files(root / "models" / model, number, trained)
    session.execute(update(ModelVersionRow).where(ModelVersionRow.model == model).values(status="retired"))
    row = ModelVersionRow(
        id=f"{model}@{number}",
        model=model,
        version=number,
        offer_id=trained.offer_id,
        kind=trained.kind,
        status="serving",
        created_at=at,
        trained_until=trained.until,
        data_hash=trained.data_hash,
        file_hash=hash_files(folder),
        code_version=code_version,
        path=str(folder.relative_to(root)),
        features=trained.encoder.names,
        parameters=trained.parameters,
        metrics=trained.metrics,
        notes=list(trained.notes),
        mlflow_ref=None,
    )
    session.add(row)
    session.flush()
    return from_row(row, root)


def write_files(folder: Path, number: int, trained: Trained) -> Path:
    """model.txt and meta.json, complete or not at all. A folder left by a crash is replaced."""
    final, draft = folder / str(number), folder / f".{number}.{os.getpid()}"
    draft.mkdir(parents=True, exist_ok=True)
    (draft / "model.txt").write_text(trained.text)
    (draft / "meta.json").write_text(
        canonical_json(
            {
                "offer_id": trained.offer_id,
                "kind": trained.kind,
                "columns": [column.as_json() for column in trained.encoder.columns],
                "calibrator": trained.calibrator.as_json(),
                "bins": trained.intervals.as_json(),
                "base_rate": trained.base_rate,
                "data_hash": trained.data_hash,
                "parameters": trained.parameters,
                "metrics": trained.metrics,
                "notes": list(trained.notes),
            }
        )
    )
    if final.exists():
        shutil.rmtree(final)
    draft.rename(final)
    return final


def read_meta(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    return meta


def from_row(row: ModelVersionRow, root: Path) -> ModelVersion:
    return ModelVersion(
        id=row.id,
        model=row.model,
        version=row.version,
        offer_id=row.offer_id,
        kind=row.kind,
        created_at=row.created_at,
        data_hash=row.data_hash,
        file_hash=row.file_hash,
        code_version=row.code_version,
        path=root / row.path,
        features=tuple(row.features),
        parameters=row.parameters,
        metrics=row.metrics,
        notes=tuple(row.notes),
    )


def serving_versions(ws: Workspace) -> list[ModelVersion]:
    """The versions that serve now, in the order of their offers."""
    query = (
        select(ModelVersionRow).where(ModelVersionRow.status == "serving").order_by(ModelVersionRow.offer_id)
    )
    with Session(ws.db) as session:
        return [from_row(row, ws.root) for row in session.scalars(query)]


def summary(ws: Workspace) -> dict[str, Any]:
    """What serves now, for people and scripts: one entry a model."""
    return {
        "models": [
            {
                "id": one.id,
                "offer_id": one.offer_id,
                "kind": one.kind,
                "created_at": one.created_at.isoformat(),
                "protocol": one.metrics["protocol"],
                **{
                    name: round(one.metrics[name], 4)
                    for name in ("auc", "average_precision", "ece", "base_rate")
                },
                "rows": one.metrics["rows_total"],
                "data_hash": one.data_hash,
                "notes": list(one.notes),
            }
            for one in serving_versions(ws)
        ]
    }
