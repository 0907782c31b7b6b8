"""Which contracts there are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smart_reach.engine.errors import NotFound
from smart_reach.engine.events.contracts.declared import ALL
from smart_reach.engine.events.contracts.fields import Contract, Field, Rule
from smart_reach.engine.events.contracts.published import json_schema

__all__ = ["CONTRACTS", "Contract", "Field", "Rule", "json_schema", "require_contract"]

CONTRACTS: Final[Mapping[str, Contract]] = MappingProxyType({contract.name: contract for contract in ALL})


def require_contract(name: str) -> Contract:
    """The contract of that name; `NotFound` names those there are."""
    if name not in CONTRACTS:
        raise NotFound(f"There is no contract {name!r}.", hint=f"Use one of {', '.join(CONTRACTS)}.")
    return CONTRACTS[name]
