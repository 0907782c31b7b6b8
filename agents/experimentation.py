"""The Experimentation agent: plans A/B tests, says how they stand and proposes the winner."""

from __future__ import annotations

from smart_reach.agents.specialist import Specialist
from smart_reach.tools.experimentation import experiment_status_tool, plan_experiment

EXPERIMENTATION = Specialist(
    name="experimentation",
    title="Experimentation agent",
    purpose="Plans A/B tests, says how they stand and proposes the winner.",
    tools=(experiment_status_tool, plan_experiment),
)
