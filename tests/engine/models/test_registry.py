"""Versions in MLflow's registry carry the hash of their data."""

from __future__ import annotations

from sqlalchemy.orm import Session

from smart_reach.engine.models.propensity import train_propensity
from smart_reach.engine.models.registry import register_mlflow
from smart_reach.engine.models.tables import ModelVersionRow
from smart_reach.engine.models.versions import summary


def test_a_version_is_registered_once_with_its_hash(workspace, make_store, catalog):
    catalog(workspace, "card")
    versions = train_propensity(workspace, features=make_store({"card": 1200}))
    refs = register_mlflow(workspace, versions)
    assert refs == {"propensity-card@1": "models:/propensity-card/1"}
    assert register_mlflow(workspace, versions) == refs
    with Session(workspace.db) as session:
        assert session.get_one(ModelVersionRow, "propensity-card@1").mlflow_ref == refs["propensity-card@1"]

    from mlflow.tracking import MlflowClient

    client = MlflowClient(workspace.mlflow_url(), workspace.mlflow_url())
    found = client.get_model_version_by_alias("propensity-card", "serving")
    assert found.tags["smart_reach.data_hash"] == versions[0].data_hash
    run = client.get_run(found.run_id)
    assert run.data.metrics["auc"] == versions[0].metrics["auc"]
    assert run.data.params["seed"] == "7"
    assert {item.path for item in client.list_artifacts(found.run_id, "model")} == {
        "model/meta.json",
        "model/model.txt",
    }
    assert summary(workspace)["models"][0]["data_hash"] == versions[0].data_hash
