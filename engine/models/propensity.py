"""`train_propensity`: a model per offer from the feature store, saved and set to serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.models.encoding import Encoder
from smart_reach.engine.models.fallback import base_rate, from_pool
from smart_reach.engine.models.leakage import refuse_leaks
from smart_reach.engine.models.source import FeatureSource, feature_store
from smart_reach.engine.models.training import Table, Trained, TrainingOptions, prepare, too_few, train_one
from smart_reach.engine.models.versions import ModelVersion, save
from smart_reach.engine.ports import Progress, silent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


def train_propensity(
    ws: Workspace,
    *,
    offers: Sequence[str] | None = None,
    progress: Progress = silent,
    code_version: str = "unknown",
    features: FeatureSource | None = None,
    options: TrainingOptions | None = None,
) -> list[ModelVersion]:
    """Train, save and serve one version per offer (all active offers by default).

    Raises InvalidInput for a leaking feature or when there is no outcome at all, NotFound for an unknown
    offer. Nothing is saved unless every offer could be trained.
    """
    options = options or TrainingOptions()
    source = features or feature_store(ws)
    refuse_leaks(definition.name for definition in source.definitions)
    wanted = _offers(ws, offers)
    frames = {}
    for number, offer_id in enumerate(wanted):
        progress(0.3 * number / len(wanted), f"reading outcomes of {offer_id}")
        frames[offer_id] = source.training_frame(offer_id)
    if not any(len(frame) for frame in frames.values()):
        raise InvalidInput(
            "outcomes", 0, "There are no contacts with outcomes to learn from; ingest some first."
        )
    trained = _train_all(frames, source, options, progress)
    at = ws.clock.now()
    with transaction(ws.db) as session:
        versions = [save(session, ws.root, one, at=at, code_version=code_version) for one in trained]
    progress(1.0, "models saved")
    return versions


def _offers(ws: Workspace, offers: Sequence[str] | None) -> list[str]:
    with Session(ws.db) as session:
        known = list(session.scalars(select(Offer.id).where(Offer.active).order_by(Offer.id)))
    for offer_id in offers or ():
        if offer_id not in known:
            raise NotFound(
                f"There is no active offer {offer_id!r}.", hint=f"Known offers: {', '.join(known)}."
            )
    if not known:
        raise InvalidInput("offers", [], "The catalog has no active offer; build the workspace first.")
    return sorted(set(offers)) if offers else known


def _train_all(
    frames: dict[str, pd.DataFrame], source: FeatureSource, options: TrainingOptions, progress: Progress
) -> list[Trained]:
    tables = {
        offer_id: prepare(frame, source.definitions) if len(frame) else _empty(source)
        for offer_id, frame in frames.items()
    }
    pooled: Trained | None = None
    everything = pd.concat([frame for frame in frames.values() if len(frame)], ignore_index=True)
    if any(too_few(table, options) for table in tables.values()):
        pooled = _pooled(everything, source, options)
    overall = float(everything["outcome"].mean())
    trained = []
    for number, (offer_id, table) in enumerate(tables.items()):
        progress(0.3 + 0.65 * number / len(tables), f"training {offer_id}")
        if not too_few(table, options):
            trained.append(train_one(offer_id, table, options))
        elif pooled is not None:
            trained.append(from_pool(offer_id, table, pooled))
        else:
            trained.append(base_rate(offer_id, table, overall, options))
    return trained


def _pooled(frame: pd.DataFrame, source: FeatureSource, options: TrainingOptions) -> Trained | None:
    """A model over every offer, or None when even together there are too few outcomes."""
    table = prepare(frame, source.definitions, pooled=True)
    if frame["offer_id"].nunique() < 2 or too_few(table, options):
        return None
    return train_one("pooled", table, options, kind="pooled")


def _empty(source: FeatureSource) -> Table:
    import numpy as np

    del source
    encoder = Encoder(())
    return Table(encoder, np.empty((0, 0)), np.empty(0, dtype=np.int8), "0" * 64, None)
