"""Every room's tables in one place, so that migrations and tests see the whole schema."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData

from smart_reach.engine.state.base import Base

ROOMS = (
    "catalog",
    "decisioning",
    "delivery",
    "demo",
    "events",
    "governance",
    "learning",
    "models",
    "privacy",
)


def load_metadata() -> MetaData:
    """Import each room's `tables` module and return the metadata they share."""
    importlib.import_module("smart_reach.engine.state.info")
    importlib.import_module("smart_reach.engine.state.conversations")
    for room in ROOMS:
        package = importlib.import_module(f"smart_reach.engine.{room}")
        if any(module.name == "tables" for module in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"smart_reach.engine.{room}.tables")
    return Base.metadata
