"""The back end that `FEATURE_STORE` asks for: `local` (default) or `feast:<repo>`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.features.definitions import FeatureSet

if TYPE_CHECKING:
    from smart_reach.engine.features.feast.backend import FeastBackend
    from smart_reach.engine.workspace import Workspace


def feast_backend(workspace: Workspace, features: FeatureSet) -> FeastBackend | None:
    """Feast with the repository that the settings name; None for the local store.

    Raises `InvalidInput` for another value, `Stop` when Feast is not installed.
    """
    chosen = workspace.settings.feature_store
    if chosen == "local":
        return None
    back_end, _, repo = chosen.partition(":")
    if back_end != "feast" or not repo:
        raise InvalidInput("FEATURE_STORE", chosen, "Use local, or feast:<folder of the repository>.")
    from smart_reach.engine.features.feast.backend import FeastBackend

    return FeastBackend(Path(repo).expanduser(), features)
