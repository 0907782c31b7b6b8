"""What a tool may reach: an immutable, typed context that the graph hands down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from typing_extensions import TypedDict

from smart_reach.engine.decisioning.service import DecisionService
from smart_reach.engine.governance.proposals import ProposalService
from smart_reach.engine.governance.users import User
from smart_reach.engine.learning.experiments import ExperimentService
from smart_reach.engine.metrics.service import MetricsService
from smart_reach.engine.workspace import Workspace
from smart_reach.tools.knowledge import Knowledge


@dataclass(frozen=True)
class Services:
    """The engine's doors, composed once by an entry point."""

    workspace: Workspace
    metrics: MetricsService
    decisions: DecisionService
    knowledge: Knowledge
    proposals: ProposalService
    experiments: ExperimentService


@dataclass(frozen=True)
class RunContext:
    """One run of the graph: who asks, in which thread, and the services."""

    services: Services = field(repr=False)
    user: User
    thread_id: str


class Brief(TypedDict, total=False):
    """What earlier specialists settled, for those that come after them."""

    segment: str
    offer: str
    channel: str
    window: str
    segment_decision: str


class Artifact(TypedDict, total=False):
    """What a tool found, beside its sentence: the parts of a Message that are not prose."""

    facts: list[dict[str, Any]]
    chart: dict[str, Any] | None
    table: dict[str, Any] | None
    trust: str
    spec_text: str
    sql: str
    row_count: int
    freshness: str
    citations: list[dict[str, Any]]
    clarification: dict[str, Any] | None
    declined: bool
    refusal: str | None
    brief: Brief
    variants: list[dict[str, Any]]
    decision: dict[str, Any]


Found = tuple[str, Artifact]


def merge(first: Artifact, second: Artifact) -> Artifact:
    """Both artifacts in one: lists are joined, the later single value wins."""
    merged: dict[str, Any] = dict(first)
    for key, value in second.items():
        if isinstance(value, list):
            merged[key] = [*merged.get(key, []), *value]
        elif isinstance(value, dict) and key == "brief":
            merged[key] = {**merged.get(key, {}), **value}
        elif value is not None:
            merged[key] = value
    return merged  # type: ignore[return-value]
