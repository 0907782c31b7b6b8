"""Publishes model versions in MLflow's registry. Slow (its first start migrates a database): run it aside."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from smart_reach.engine.models.tables import ModelVersionRow
from smart_reach.engine.models.versions import ModelVersion
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

EXPERIMENT = "propensity"


def register_mlflow(ws: Workspace, versions: Sequence[ModelVersion]) -> dict[str, str]:
    """Log data hash, parameters, metrics and files of each version and register it, once each.

    Returns `model_versions.id` → `models:/<name>/<number>`, also kept in model_versions.mlflow_ref.
    """
    known = _known(ws, [version.id for version in versions])
    if len(known) == len(versions):
        return known
    client = _client(ws)
    experiment = _experiment(client, ws)
    refs = {
        version.id: _register(client, experiment, version) for version in versions if version.id not in known
    }
    with transaction(ws.db) as session:
        for version_id, ref in refs.items():
            session.execute(
                update(ModelVersionRow).where(ModelVersionRow.id == version_id).values(mlflow_ref=ref)
            )
    return known | refs


def _known(ws: Workspace, version_ids: Sequence[str]) -> dict[str, str]:
    """Versions that are registered already."""
    query = select(ModelVersionRow.id, ModelVersionRow.mlflow_ref).where(
        ModelVersionRow.id.in_(version_ids), ModelVersionRow.mlflow_ref.is_not(None)
    )
    with Session(ws.db) as session:
        return {version_id: str(ref) for version_id, ref in session.execute(query)}


def unregistered(ws: Workspace) -> bool:
    """Whether a serving version is not in the registry yet; asks our own table, not MLflow."""
    query = select(ModelVersionRow.id).where(
        ModelVersionRow.status == "serving", ModelVersionRow.mlflow_ref.is_(None)
    )
    with Session(ws.db) as session:
        return session.scalar(query.limit(1)) is not None


def _client(ws: Workspace) -> Any:
    # MLflow asks its server about telemetry unless told not to; nothing here may leave the machine
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        url = ws.mlflow_url()
        return MlflowClient(tracking_uri=url, registry_uri=url)


def _experiment(client: Any, ws: Workspace) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    folder = ws.root / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    return str(client.create_experiment(EXPERIMENT, artifact_location=folder.as_uri()))


def _register(client: Any, experiment: str, version: ModelVersion) -> str:
    from mlflow.exceptions import MlflowException

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = client.create_run(experiment, run_name=version.id, tags=_tags(version))
        run_id = run.info.run_id
        for name, value in version.parameters.items():
            client.log_param(run_id, name, value)
        for name, value in version.metrics.items():
            if isinstance(value, int | float):
                client.log_metric(run_id, name, float(value))
        client.log_artifacts(run_id, str(version.path), "model")
        client.set_terminated(run_id)
        try:
            client.create_registered_model(version.model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = client.create_model_version(
            version.model, source=f"{run.info.artifact_uri}/model", run_id=run_id, tags=_tags(version)
        )
        client.set_registered_model_alias(version.model, "serving", made.version)
    return f"models:/{version.model}/{made.version}"


def _tags(version: ModelVersion) -> dict[str, str]:
    return {
        "smart_reach.version": version.id,
        "smart_reach.kind": version.kind,
        "smart_reach.data_hash": version.data_hash,
        "smart_reach.file_hash": version.file_hash,
        "smart_reach.code_version": version.code_version,
        "smart_reach.features": ", ".join(version.features)[:4000],
    }
