"""Training: determinism, order of time, drift, leakage, fallbacks, contributions."""

from __future__ import annotations

import numpy as np
import pytest

from smart_reach.engine.errors import Integrity, InvalidInput, NotFound
from smart_reach.engine.models.leakage import refuse_leaks, suspicious
from smart_reach.engine.models.propensity import train_propensity
from smart_reach.engine.models.store import ModelStore
from smart_reach.engine.models.training import TrainingOptions, drifts, prepare, train_one


@pytest.fixture
def trained(workspace, make_store, catalog):
    catalog(workspace, "card", "loan", "rare")
    store = make_store({"card": 4000, "loan": 2000, "rare": 60})
    versions = train_propensity(workspace, features=store, code_version="abc123")
    return workspace, store, {version.offer_id: version for version in versions}


def test_learns_what_is_there_and_measures_it_on_later_rows(trained):
    _, _, versions = trained
    metrics = versions["card"].metrics
    assert metrics["auc"] > 0.7
    assert metrics["ece"] < 0.05
    assert metrics["rows"] == 800
    assert metrics["protocol"] == "temporal tail: first 3200 rows against the last 800"
    assert versions["card"].code_version == "abc123"
    assert versions["card"].features == ("channel", "window", "age", "visits", "job")


def test_the_same_data_gives_the_same_files(workspace, make_store, catalog):
    catalog(workspace, "card")
    first, second = (train_propensity(workspace, features=make_store({"card": 1500}))[0] for _ in range(2))
    assert (first.version, second.version) == (1, 2)
    assert first.file_hash == second.file_hash
    assert first.data_hash == second.data_hash
    assert list(ModelStore(workspace).serving()) == ["card"]
    assert ModelStore(workspace).serving()["card"].id == second.id


def test_other_data_has_another_hash(make_store):
    store = make_store({"card": 500})
    frame = store.training_frame("card")
    first = prepare(frame, store.definitions).data_hash
    frame.loc[17, "age"] += 1
    assert prepare(frame, store.definitions).data_hash != first


def test_contributions_sum_to_the_raw_score(trained):
    workspace, store, _ = trained
    models = ModelStore(workspace)
    scored = models.score("card", store.training_frame("card").head(300))
    assert scored.contributions.shape == (300, 6)
    np.testing.assert_allclose(scored.contributions.sum(axis=1), scored.raw, atol=1e-9)
    assert ((scored.low <= scored.propensity) & (scored.propensity <= scored.high)).all()
    assert ((scored.low >= 0) & (scored.high <= 1)).all()


def test_one_row_scores_like_the_batch_it_came_from(trained):
    workspace, store, _ = trained
    models = ModelStore(workspace)
    frame = store.training_frame("card").head(3000)
    batch = models.score("card", frame).propensity
    for row in (0, 17, 2999):
        assert models.score("card", frame.iloc[[row]]).propensity[0] == batch[row]


def test_too_few_outcomes_use_the_pool_and_say_so(trained):
    workspace, store, versions = trained
    assert versions["rare"].kind == "pooled"
    assert "too few" in versions["rare"].notes[0]
    frame = store.training_frame("rare")
    scored = ModelStore(workspace).score("rare", frame)
    assert scored.propensity.std() > 0


def test_without_a_pool_everybody_gets_the_base_rate(workspace, make_store, catalog):
    catalog(workspace, "card")
    store = make_store({"card": 80})
    version = train_propensity(workspace, features=store)[0]
    assert version.kind == "base-rate"
    assert "base rate" in version.notes[0]
    scored = ModelStore(workspace).score("card", store.training_frame("card"))
    rate = store.training_frame("card")["outcome"].mean()
    assert scored.propensity == pytest.approx(np.full(80, rate))
    assert scored.contributions.sum(axis=1) == pytest.approx(scored.raw)


@pytest.mark.parametrize("name", ["duration", "Duration", "call.duration", "y", "outcome", "converted"])
def test_a_feature_known_only_afterwards_is_refused(name):
    with pytest.raises(InvalidInput, match="leaks the outcome") as caught:
        refuse_leaks(["age", name])
    assert caught.value.value == name


def test_duration_is_refused_before_anything_is_read(workspace, make_store, catalog):
    catalog(workspace, "card")
    store = make_store({"card": 500})
    store.definitions = [*store.definitions, type(store.definitions[0])("duration", "number", "duration")]
    with pytest.raises(InvalidInput, match="known only when the call is over"):
        train_propensity(workspace, features=store)
    assert ModelStore(workspace).serving() == {}


def test_a_feature_too_good_to_be_true_is_reported(make_store):
    store = make_store({"card": 1000})
    frame = store.training_frame("card")
    frame["visits"] = frame["outcome"] * 10.0 + 1
    table = prepare(frame, store.definitions)
    found = suspicious(table.encoder, table.matrix, table.outcome)
    assert len(found) == 1
    assert "visits" in found[0]


def test_drift_turns_the_rolling_window_on(make_store):
    store = make_store({"card": 3000})
    frame = store.training_frame("card")
    steady = prepare(frame, store.definitions)
    assert not drifts(steady.outcome, 0.2)
    late = frame.index >= 2400
    rng = np.random.default_rng(5)
    frame.loc[late, "outcome"] = (rng.random(600) < 0.6).astype(int)
    table = prepare(frame, store.definitions)
    assert drifts(table.outcome, 0.2)
    options = TrainingOptions(window_rows=800, step_rows=200, rounds=30)
    model = train_one("card", table, options)
    assert model.metrics["served_rows"] == 800
    assert model.metrics["protocol"].startswith("walk forward")
    assert any("drifts" in note for note in model.notes)


def test_a_monotone_feature_never_lowers_the_score(make_store):
    store = make_store({"card": 2000})
    frame = store.training_frame("card")
    table = prepare(frame, store.definitions)
    import lightgbm

    text = train_one("card", table, TrainingOptions(monotone={"age": 1}, rounds=60)).text
    row = np.repeat(table.matrix[:1], 60, axis=0)
    row[:, table.encoder.index("age")] = np.arange(18, 78)
    assert (np.diff(lightgbm.Booster(model_str=text).predict(row, raw_score=True)) >= 0).all()
    with pytest.raises(InvalidInput, match="numeric"):
        train_one("card", table, TrainingOptions(monotone={"job": 1}))


def test_outcomes_other_than_0_and_1_are_refused(make_store):
    store = make_store({"card": 500})
    frame = store.training_frame("card")
    frame.loc[3, "outcome"] = 2
    with pytest.raises(InvalidInput, match="0 or 1"):
        prepare(frame, store.definitions)


def test_changed_files_are_not_served(trained):
    workspace, _, versions = trained
    path = versions["card"].path / "model.txt"
    path.write_text(path.read_text().replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(Integrity, match="not those that were trained"):
        ModelStore(workspace).serving()


def test_unknown_offers_are_named(trained):
    workspace, store, _ = trained
    with pytest.raises(NotFound, match="mortgage"):
        train_propensity(workspace, features=store, offers=["mortgage"])
    with pytest.raises(NotFound, match="No model"):
        ModelStore(workspace).score("mortgage", store.training_frame("card"))


def test_unseen_categories_count_as_missing(trained):
    workspace, store, _ = trained
    frame = store.training_frame("card").head(2)
    frame["job"] = ["astronaut", None]
    scored = ModelStore(workspace).score("card", frame)
    assert np.isfinite(scored.propensity).all()
