"""The feature set of each kind of workspace."""

from __future__ import annotations

from collections.abc import Mapping

from smart_reach.engine.features.bank_features import BANK_MARKETING
from smart_reach.engine.features.definitions import FeatureSet
from smart_reach.engine.features.demo_features import DEMO
from smart_reach.engine.features.own_features import OWN_DATA

FEATURE_SETS: Mapping[str, FeatureSet] = {one.kind: one for one in (DEMO, BANK_MARKETING, OWN_DATA)}
